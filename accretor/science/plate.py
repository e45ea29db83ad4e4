"""Plate solutions: the gnomonic projection with a polynomial distortion (SIP), to pixels and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from accretor.core.arrays import Floats

ORDERS = (2, 3)
"""Of the distortions that are tried."""
STARS_PER_TERM = 6
"""Stars that a term of a distortion must rest on."""
GAIN_NEEDED = 10.0
"""By which a distortion must lower the BIC."""
_OTHER_KINDS = ("PV", "PC", "CDELT", "CROTA", "LONPOLE", "LATPOLE")
"""Beginnings of cards that make another projection, or another matrix, of a solution."""


def project(sky: Floats, centre: tuple[float, float]) -> Floats:
    """Return the gnomonic projection of directions on the plane that touches the sky at *centre*.

    Parameters
    ----------
    sky : (n, 2) float64, degree
    centre
        Right ascension and declination, degree.

    Returns
    -------
    (n, 2) float64, degree
        East and north; NaN for what is on the other half of the sky.
    """
    ra, dec = np.radians(np.asarray(sky, dtype=np.float64)).T
    ra0, dec0 = math.radians(centre[0]), math.radians(centre[1])
    toward = math.sin(dec0) * np.sin(dec) + math.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
    toward = np.where(toward > 0, toward, np.nan)
    east = np.cos(dec) * np.sin(ra - ra0) / toward
    north = (math.cos(dec0) * np.sin(dec) - math.sin(dec0) * np.cos(dec) * np.cos(ra - ra0)) / toward
    return np.asarray(np.degrees(np.column_stack((east, north))))


def deproject(plane: Floats, centre: tuple[float, float]) -> Floats:
    """Return the directions, (n, 2) degree, of places on the plane; the inverse of `project`."""
    east, north = np.radians(plane).T
    dec0 = math.radians(centre[1])
    toward = math.cos(dec0) - north * math.sin(dec0)
    ra = np.degrees(np.arctan2(east, toward)) + centre[0]
    dec = np.degrees(np.arctan2(math.sin(dec0) + north * math.cos(dec0), np.hypot(east, toward)))
    return np.column_stack((ra % 360, dec))


@dataclass(frozen=True)
class Plate:
    """A plate solution: TAN, or TAN-SIP (Shupe et al. 2005, ASPC 347, 491)."""

    sky: tuple[float, float]
    """Right ascension and declination of the reference point, degree, ICRS."""
    pixel: tuple[float, float]
    """Its pixel; the first pixel's centre is (0, 0)."""
    cd: Floats
    """(2, 2) degree per pixel: east and north by x and y."""
    bend: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    """(n_term, 2) coefficients of the distortion in x and y, pixel, in the order of `_powers`."""
    order: int = 1
    """Of the distortion; 1 means none."""

    @property
    def scale(self) -> float:
        """Arcsec per pixel."""
        return math.sqrt(abs(float(np.linalg.det(self.cd)))) * 3600

    @property
    def rotation(self) -> float:
        """Position angle of the y axis, degree, from north to east, -180 to 180."""
        return math.degrees(math.atan2(self.cd[0, 1], self.cd[1, 1]))

    @property
    def is_mirrored(self) -> bool:
        """Whether east is to the right of north, unlike on the sky."""
        return bool(np.linalg.det(self.cd) > 0)

    @property
    def n_bent(self) -> int:
        """Terms of the distortion along one axis."""
        return len(self.bend)

    def to_sky(self, xy: Floats) -> Floats:
        """Return the directions, (n, 2) degree, of pixels (n, 2)."""
        offset = np.asarray(xy, dtype=np.float64) - np.array(self.pixel)
        return deproject((offset + self._bent(offset)) @ self.cd.T, self.sky)

    def to_pixel(self, sky: Floats) -> Floats:
        """Return the pixels, (n, 2), of directions (n, 2) degree; NaN where there is none."""
        straight = project(sky, self.sky) @ np.linalg.inv(self.cd).T
        offset = straight
        for _ in range(12 if self.n_bent else 0):
            # Far outside the frame the polynomial runs away; nothing is asked there.
            with np.errstate(over="ignore", invalid="ignore"):
                offset = straight - self._bent(offset)
        return np.asarray(offset + np.array(self.pixel))

    def centred(self, pixel: Floats) -> Plate:
        """Return nearly the same solution with its reference point at another pixel (without distortion)."""
        ra, dec = self.to_sky(np.asarray(pixel)[np.newaxis])[0]
        # The axes turn a little from one tangent plane to the next.
        step = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        there = project(self.to_sky(np.asarray(pixel) + step), (float(ra), float(dec)))
        return Plate((float(ra), float(dec)), (float(pixel[0]), float(pixel[1])), (there[1:] - there[0]).T)

    def moved(self, matrix: Floats, shift: Floats) -> Plate:
        """Return the same solution for a frame whose pixel p is ``matrix @ p + shift`` of this one.

        The distortion goes along exactly: turned and stretched, a polynomial keeps its degree.
        """
        back = np.linalg.inv(matrix)
        bend = self.bend
        if self.n_bent:
            points = np.random.Generator(np.random.PCG64(0)).uniform(-1, 1, (8 * self.n_bent, 2))
            here, there = (_design(xy, self.order)[:, 3:] for xy in (points, points @ matrix.T))
            bend = np.linalg.lstsq(here, there, rcond=None)[0] @ self.bend @ back.T
        x, y = back @ (np.array(self.pixel) - shift)
        return replace(self, pixel=(float(x), float(y)), cd=self.cd @ matrix, bend=bend)

    def cards(self, shape: tuple[int, int]) -> dict[str, Any]:
        """Return the FITS cards; *shape* is where the inverse of the distortion is to hold, pixel."""
        kind = "-SIP" if self.n_bent else ""
        cards: dict[str, Any] = {
            "WCSAXES": 2,
            "CTYPE1": f"RA---TAN{kind}",
            "CTYPE2": f"DEC--TAN{kind}",
            "CUNIT1": "deg",
            "CUNIT2": "deg",
            "CRVAL1": round(self.sky[0], 10),
            "CRVAL2": round(self.sky[1], 10),
            "CRPIX1": round(self.pixel[0] + 1, 6),
            "CRPIX2": round(self.pixel[1] + 1, 6),
            **{f"CD{i + 1}_{j + 1}": _short(self.cd[i, j]) for i in range(2) for j in range(2)},
            "RADESYS": "ICRS",
            "EQUINOX": 2000.0,
        }
        if self.n_bent:
            cards |= _sip("", self.order, self.bend)
            cards |= _sip("P", self.order, self._inverse(shape))
        return cards

    def _bent(self, offset: Floats) -> Floats:
        if not self.n_bent:
            return np.zeros_like(offset)
        return _design(offset, self.order)[:, 3:] @ self.bend

    def _inverse(self, shape: tuple[int, int]) -> Floats:
        """Return the coefficients of the inverse distortion, linear terms first, fitted over the frame."""
        height, width = shape
        y, x = np.mgrid[0 : height - 1 : 20j, 0 : width - 1 : 20j]
        offset = np.column_stack((x.ravel(), y.ravel())) - np.array(self.pixel)
        straight = offset + self._bent(offset)
        unit = float(max(shape))
        design = _design(straight / unit, self.order)[:, 1:]
        found = np.linalg.lstsq(design, offset - straight, rcond=None)[0]
        power = np.array([p + q for p, q in _powers(self.order)[1:]])
        return np.asarray(found / unit ** power[:, np.newaxis])


def from_cards(cards: Mapping[str, Any]) -> Plate | None:
    """Return the solution that FITS cards tell; None if it is of another kind than TAN and TAN-SIP."""
    order = max(int(cards.get("A_ORDER", 1)), int(cards.get("B_ORDER", 1)))
    kind = "-SIP" if order > 1 else ""
    needed = [f"{stem}{i}" for stem in ("CRVAL", "CRPIX", "CD1_", "CD2_") for i in (1, 2)]
    if (cards.get("CTYPE1"), cards.get("CTYPE2")) != (f"RA---TAN{kind}", f"DEC--TAN{kind}"):
        return None
    if not all(isinstance(cards.get(key), float | int) for key in needed):
        return None
    if any(key.startswith(_OTHER_KINDS) for key in cards):
        return None
    low = [f"{name}_{p}_{q}" for name in "AB" for p, q in _powers(1)]
    if order > 1 and any(cards.get(key) for key in low):
        return None
    terms = [
        [float(cards.get(f"{name}_{p}_{q}", 0.0)) for name in "AB"] for p, q in _powers(order)[3:]
    ]  # fmt: skip
    return Plate(
        (float(cards["CRVAL1"]), float(cards["CRVAL2"])),
        (float(cards["CRPIX1"]) - 1, float(cards["CRPIX2"]) - 1),
        np.array([[float(cards[f"CD{i}_{j}"]) for j in (1, 2)] for i in (1, 2)]),
        np.array(terms) if order > 1 else np.zeros((0, 2)),
        order,
    )


def fit(xy: Floats, sky: Floats, before: Plate, *, is_affine: bool = True, is_bent: bool = False) -> Plate:
    """Return the solution that fits pairs of a pixel and a direction best.

    Parameters
    ----------
    xy : (n, 2) float64, pixel
    sky : (n, 2) float64, degree
    before
        A solution that is nearly right; the reference pixel is kept.
    is_affine
        Let the axes be of different scale and not square; else pixels are squares.
    is_bent
        Add a distortion if the stars are many enough and it lowers the BIC
        (Schwarz 1978, Ann. Stat. 6, 461) by 10.
    """
    plate = replace(before, bend=np.zeros((0, 2)), order=1)
    for _ in range(3):
        plate = _linear(xy, sky, plate, is_affine=is_affine)
    best, cost = plate, _cost(xy, sky, plate)
    for order in ORDERS if is_bent and is_affine else ():
        n_term = len(_powers(order))
        if len(xy) < STARS_PER_TERM * n_term:
            break
        bent = plate
        for _ in range(3):
            bent = _curved(xy, sky, bent, order)
        if (found := _cost(xy, sky, bent)) < cost - GAIN_NEEDED:
            best, cost = bent, found
    return best


def through(xy: Floats, sky: Floats, pixel: tuple[float, float]) -> Plate:
    """Return the solution that goes through many pairs of a pixel and a direction, best around *pixel*.

    Parameters
    ----------
    xy, sky : (n, 2) float64, pixel and degree
        Spread over the frame.
    """
    middle = sky[np.hypot(*(xy - np.array(pixel)).T).argmin()]
    centre = (float(middle[0]), float(middle[1]))
    rough = _linear(xy, sky, Plate(centre, pixel, np.eye(2)), is_affine=True)
    return fit(xy, sky, rough, is_bent=True)


def _linear(xy: Floats, sky: Floats, before: Plate, *, is_affine: bool) -> Plate:
    offset, plane = xy - np.array(before.pixel), project(sky, before.sky)
    if is_affine:
        design = np.column_stack((np.ones(len(xy)), offset))
        constant, *cd = np.linalg.lstsq(design, plane, rcond=None)[0]
        matrix = np.array(cd).T
    else:
        # Pixels are squares, and the sky may be seen in a mirror.
        sign = math.copysign(1.0, float(np.linalg.det(before.cd)))
        z, w = offset[:, 0] + 1j * offset[:, 1], sign * plane[:, 0] + 1j * plane[:, 1]
        dz, dw = z - z.mean(), w - w.mean()
        a = (np.conj(dz) * dw).sum() / (np.abs(dz) ** 2).sum()
        b = w.mean() - a * z.mean()
        constant = np.array([sign * b.real, b.imag])
        matrix = np.array([[sign * a.real, -sign * a.imag], [a.imag, a.real]])
    ra, dec = deproject(constant[np.newaxis], before.sky)[0]
    return replace(before, sky=(float(ra), float(dec)), cd=matrix, bend=np.zeros((0, 2)), order=1)


def _curved(xy: Floats, sky: Floats, before: Plate, order: int) -> Plate:
    """Fit polynomials of *order*; their linear part is the CD matrix, the rest the distortion."""
    offset, plane = xy - np.array(before.pixel), project(sky, before.sky)
    unit = float(np.abs(offset).max())
    power = np.array([p + q for p, q in _powers(order)])
    found = (
        np.linalg.lstsq(_design(offset / unit, order), plane, rcond=None)[0] / unit ** power[:, np.newaxis]
    )
    matrix = found[1:3].T
    ra, dec = deproject(found[:1], before.sky)[0]
    return replace(
        before,
        sky=(float(ra), float(dec)),
        cd=matrix,
        bend=found[3:] @ np.linalg.inv(matrix).T,
        order=order,
    )


def _cost(xy: Floats, sky: Floats, plate: Plate) -> float:
    """Return the BIC of a solution; a centre is not believed to better than 0.02 pixel."""
    square = np.nansum((plate.to_pixel(sky) - xy) ** 2)
    n = 2 * len(xy)
    return float(n * math.log(square / n + 0.02**2) + 2 * (3 + plate.n_bent) * math.log(n))


def _powers(order: int) -> list[tuple[int, int]]:
    """Return the powers of x and y of all terms up to *order*: constant, x, y, then the higher ones."""
    return [(total - q, q) for total in range(order + 1) for q in range(total + 1)]


def _design(offset: Floats, order: int) -> Floats:
    x, y = offset.T
    return np.column_stack([x**p * y**q for p, q in _powers(order)])


def _sip(mark: str, order: int, terms: Floats) -> dict[str, Any]:
    powers = _powers(order)[-len(terms) :]
    cards: dict[str, Any] = {}
    for axis, name in enumerate("AB"):
        cards[f"{name}{mark}_ORDER"] = order
        cards |= {
            f"{name}{mark}_{p}_{q}": _short(term) for (p, q), term in zip(powers, terms[:, axis], strict=True)
        }
    return cards


def _short(value: float) -> float:
    """Return *value* with 12 digits: the last bits differ between machines."""
    return float(f"{value:.11e}")
