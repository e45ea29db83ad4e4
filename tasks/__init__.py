"""Which files become which files: the only importer of doit."""
