"""Short names for the array types that the kernels exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""Any array of 64-bit floats; its docstring gives the shape and the unit."""

Image: TypeAlias = NDArray[np.floating[Any]]
"""A 2-D array indexed ``[y, x]``; the centre of the first pixel is (0, 0)."""

Complexes: TypeAlias = NDArray[np.complex128]

Integers: TypeAlias = NDArray[np.int64]

Booleans: TypeAlias = NDArray[np.bool_]

Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""A finished table: one array of equal length under each column name."""

Strings: TypeAlias = NDArray[np.str_]
