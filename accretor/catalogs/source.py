"""What a catalogue is, and where it can be had: the words of which each catalogue's module is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from accretor.core.catalog import Catalog

if TYPE_CHECKING:
    from accretor.catalogs.bands import System
    from accretor.core.arrays import Booleans, Strings

Raw = dict[str, Any]
"""Columns by our names: float64 with nan where a cell is empty, or str."""

TEXTS = ("identifier",)
"""Columns that are text whatever the service makes of them."""

VIZIER_TAP = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap/sync"
VIZIER_MIRRORS = (
    "https://vizier.cds.unistra.fr/viz-bin/votable",
    "https://vizier.cfa.harvard.edu/viz-bin/votable",
    "https://vizier.nao.ac.jp/viz-bin/votable",
)
"""The older interface of VizieR, which its mirrors have too."""


@dataclass(frozen=True)
class Table:
    """A catalogue as one service has it."""

    address: str
    protocol: Literal["TAP", "ASU"]
    """TAP takes ADQL; ASU is VizieR's older interface."""
    name: str
    """What stands after FROM; a name with slashes is quoted by itself."""
    columns: Mapping[str, str]
    """The service's column for each of ours, and for those that the rules of the catalogue need."""
    is_all: bool = False
    """Ask for all columns: some of the names are spelled differently from service to service."""

    @property
    def service(self) -> str:
        """Name in messages."""
        return self.address.split("/")[2]


@dataclass(frozen=True)
class Source:
    """A catalogue: what it holds, what is to be believed of it, and where it is."""

    name: str
    title: str
    """With the paper that it is from."""
    epoch: float
    """Julian year of the positions."""
    system: Mapping[str, System]
    """Of each band; the bands that it is asked for."""
    passbands: str
    """Whose bands these are, for those who transform them."""
    main: str
    """The band that limits go by."""
    bright: float
    """Main magnitude down to which its stars are saturated or missing."""
    faint: float
    """Main magnitude to which it is complete."""
    density: float
    """Stars per square degree that it has at least, in the emptiest parts of its sky."""
    tables: tuple[Table, ...]
    """In the order in which they are tried."""
    flag: Callable[[Raw], Strings]
    """The rule by which stars are not to be trusted."""
    derive: Callable[[Raw], Raw] = lambda raw: raw
    """What must be computed from the columns of the service, such as errors."""
    declination: tuple[float, float] = (-90.0, 90.0)
    """Part of the sky that it covers, degree."""

    def catalog(self, raw: Raw) -> Catalog:
        """Return the catalogue that the columns of an answer make, in the order of the identifiers."""
        import numpy as np

        columns = self.derive(dict(raw))
        unknown = np.full(len(columns["ra"]), np.nan)
        identifier = np.asarray(columns["identifier"], dtype=np.str_)
        flag = self.flag(columns)
        # Of a star that came twice, from two parts of the sky, the first.
        _, order = np.unique(identifier, return_index=True)
        return Catalog(
            name=self.name,
            epoch=self.epoch,
            identifier=identifier[order],
            **{key: columns.get(key, unknown)[order] for key in ("ra", "dec", "pm_ra", "pm_dec")},
            magnitude={band: columns.get(band, unknown)[order] for band in self.system},
            magnitude_error={band: columns.get(f"{band}_error", unknown)[order] for band in self.system},
            system=self.system,
            flag=flag[order],
        )


def vizier(name: str, columns: Mapping[str, str], *, is_all: bool = False) -> tuple[Table, ...]:
    """Return a table of VizieR: by TAP, then by the older interface, then at the mirrors."""
    return (
        Table(VIZIER_TAP, "TAP", name, columns, is_all),
        *(Table(address, "ASU", name, columns, is_all) for address in VIZIER_MIRRORS),
    )


def flags(reasons: Mapping[str, Booleans]) -> Strings:
    """Return the reasons that hold for each star, with commas between."""
    import numpy as np

    names = list(reasons)
    stacked = np.array([np.asarray(reasons[name], dtype=bool) for name in names])
    return np.array(
        [
            ", ".join(name for name, holds in zip(names, row, strict=True) if holds)
            for row in stacked.T.tolist()
        ],
        dtype=np.str_,
    )


def measured(bands: Iterable[str], magnitude: str, error: str) -> dict[str, str]:
    """Return the columns of *bands* as a service names them: ``{}`` stands for the band."""
    return {
        name: column.format(band)
        for band in bands
        for name, column in ((band, magnitude), (f"{band}_error", error))
    }


def has_bits(raw: Raw, name: str, bits: int) -> Booleans:
    """Return whether any of *bits* is set in a column of flags; an empty cell has none."""
    import numpy as np

    return np.asarray((np.nan_to_num(numbers(raw, name)).astype(np.int64) & bits) > 0)


def numbers(raw: Raw, name: str) -> Any:
    """Return a column of numbers; nan if the service does not have it."""
    import numpy as np

    return raw[name] if name in raw else np.full(len(raw["ra"]), np.nan)


def texts(raw: Raw, name: str) -> Any:
    """Return a column of texts; "" if the service does not have it."""
    import numpy as np

    found = raw.get(name)
    return np.full(len(raw["ra"]), "") if found is None else np.asarray(found, dtype=np.str_)
