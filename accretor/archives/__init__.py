"""One light curve in the forms of other archives and of programs that fit transits."""
