"""Simulated fields of stars as a camera sees them and as a catalogue has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.science.plate import Plate


@dataclass(frozen=True)
class Field:
    """A field of known plate solution."""

    truth: Plate
    xy: np.ndarray
    """Stars found on the frame, brightest first."""
    flux: np.ndarray
    sky: np.ndarray
    """Stars of the catalogue, brightest first."""
    shape: tuple[int, int]
    centre: tuple[float, float]
    """Where the target is: somewhere on the frame."""
    n_star: int
    """True stars on the frame."""

    @property
    def corners(self) -> np.ndarray:
        height, width = self.shape
        x, y = np.meshgrid([0, width / 2, width - 1], [0, height / 2, height - 1])
        return np.column_stack((x.ravel(), y.ravel()))

    def error(self, found: Plate) -> float:
        """Return the greatest distance, pixel, of *found* from the truth on the frame."""
        return float(np.hypot(*(found.to_pixel(self.truth.to_sky(self.corners)) - self.corners).T).max())


def make(
    seed: int,
    *,
    arcmin: tuple[float, float] = (8, 60),
    stars: tuple[int, int] = (15, 120),
    bad: float = 0.3,
    noise: float = 0.15,
) -> Field:
    """Make a field of any place, rotation and parity.

    The part *bad* of the stars is not found on the frame, and as many that are none are;
    half as many are not in the catalogue, and as many others are.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    width = int(rng.choice([512, 1024, 2048]))
    height = int(width * rng.uniform(0.6, 1))
    size = np.array([width, height])
    scale = rng.uniform(*arcmin) / 60 / width
    angle = rng.uniform(0, 2 * np.pi)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    truth = Plate(
        (rng.uniform(0, 360), rng.uniform(-85, 85)),
        ((width - 1) / 2, (height - 1) / 2),
        turned @ np.diag([rng.choice([-1.0, 1.0]), 1.0]) * scale,
    )
    reach = 0.9 * np.hypot(width, height)
    low, high = size / 2 - reach, size / 2 + reach
    on_frame = int(rng.integers(*stars))
    xy = np.vstack(
        (
            rng.uniform(0, size - 1, (on_frame, 2)),
            rng.uniform(low, high, (int(on_frame * 4 * reach**2 / (width * height)), 2)),
        )
    )
    inside = np.all((xy >= 0) & (xy <= size - 1), axis=1)
    inside[:on_frame], inside[on_frame:] = True, False  # others on the frame are taken away
    xy = xy[inside | ~np.all((xy >= 0) & (xy <= size - 1), axis=1)]
    inside = np.all((xy >= 0) & (xy <= size - 1), axis=1)
    magnitude = 10 + 6 * np.sqrt(rng.random(len(xy)))
    seen = inside & (rng.random(len(xy)) >= bad)
    n_false = round(bad * inside.sum())
    places = np.vstack(
        (xy[seen] + rng.normal(0, noise, (seen.sum(), 2)), rng.uniform(0, size - 1, (n_false, 2)))
    )
    light = np.concatenate((magnitude[seen] + rng.normal(0, 0.3, seen.sum()), rng.uniform(10, 16, n_false)))
    listed = rng.random(len(xy)) >= bad / 2
    n_false = int(bad / 2 * len(xy))
    sky = truth.to_sky(np.vstack((xy[listed], rng.uniform(low, high, (n_false, 2)))))
    brightness = np.concatenate(
        (magnitude[listed] + rng.normal(0, 0.2, listed.sum()), rng.uniform(10, 16, n_false))
    )
    order = np.argsort(light)
    return Field(
        truth=truth,
        xy=places[order],
        flux=10 ** (-0.4 * (light[order] - 16)),
        sky=sky[np.argsort(brightness)],
        shape=(height, width),
        centre=tuple(truth.to_sky((size * rng.uniform(0.2, 0.8, 2))[np.newaxis])[0]),
        n_star=int(inside.sum()),
    )
