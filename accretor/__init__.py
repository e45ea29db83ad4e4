"""accretor: from raw frames of a TESS planet candidate to a TFOP SG1 submission."""

__version__ = "0.1.0"
