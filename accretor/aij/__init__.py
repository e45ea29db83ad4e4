"""The file formats of AstroImageJ (Collins et al. 2017, AJ 153, 77)."""
