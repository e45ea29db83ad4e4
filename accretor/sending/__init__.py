"""Sending what was made to an archive: what any archive needs, whatever its own words are."""
