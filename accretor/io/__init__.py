"""The only opener of files: where they are, how they are read, how they appear whole or not at all."""
