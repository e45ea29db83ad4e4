"""Where the work on many frames is done; it never changes a result."""
