"""What a kind of dump is: its columns, their units and meanings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "float64", "bool"]


@dataclass(frozen=True)
class Column:
    """One column of a dump."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    digits: int | None = None
    """Decimals that are kept of a float; None keeps all."""
    shape: tuple[str, ...] = ()
    """Names of further axes ("star", "radius", "detection"): such columns are in the FITS dump only."""


@dataclass(frozen=True)
class Schema:
    """One kind of dump."""

    name: str
    version: int
    columns: tuple[Column, ...]
    keyed: bool = False
    """One row per raw frame, made once: the columns of ROW_STATE come last."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns in the order of the file."""
        return (*self.columns, *ROW_STATE) if self.keyed else self.columns

    @property
    def scalars(self) -> tuple[Column, ...]:
        """The columns of a readable table."""
        return tuple(column for column in self.all_columns if not column.shape)

    @property
    def arrays(self) -> tuple[Column, ...]:
        """The columns that only a binary table can hold."""
        return tuple(column for column in self.all_columns if column.shape)


ROW_STATE = (
    Column("status", "string", "good, poor (will stay so) or error (is tried again)"),
    Column("reason", "string", "why the frame is not good; empty if it is"),
    Column("input", "string", "digest of the raw bytes that the row was made from"),
    Column(
        "context", "string", "digest of the settings, masters, choices and version that the row was made with"
    ),
)
