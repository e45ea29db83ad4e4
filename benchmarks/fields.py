"""Nights of the sizes that the benchmarks use, made from known numbers and kept in a cache folder.

uv run python -m benchmarks.fields FOLDER NAME [N_FRAME]
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

from accretor.io import fits as io_fits
from accretor.synthetic import demo, frames
from accretor.synthetic.night import Night

_QUIET = dataclasses.replace(
    demo.DEMO, cloud=None, bad_frame=None, exposure=30.0, cadence=40.0, n_bias=3, n_dark=3, n_flat=3
)

SMALL = dataclasses.replace(
    _QUIET, n_frame=142, size=(650, 500), n_star=150, fwhm=2.6, drift=(90.0, 60.0), magnitudes=(-1.5, 4.0)
)
"""As a small camera makes it: as many pixels, frames and stars as the real night has."""

LARGE = dataclasses.replace(
    _QUIET,
    n_frame=30,
    size=(4096, 4096),
    n_star=2600,
    fwhm=6.0,
    pixel_scale=0.4,
    drift=(20.0, 12.0),
    magnitudes=(-1.5, 5.0),
    pointing_offset=(24.0, -15.0),
)
"""As a large camera makes it."""

CROWDED = dataclasses.replace(
    _QUIET, n_frame=8, size=(2048, 2048), n_star=5000, fwhm=4.0, isolation=5.0, magnitudes=(-2.0, 5.0)
)
UNDERSAMPLED = dataclasses.replace(_QUIET, n_frame=8, size=(2048, 2048), n_star=600, fwhm=1.3)
DEFOCUSED = dataclasses.replace(
    _QUIET, n_frame=8, size=(2048, 2048), n_star=300, fwhm=18.0, beta=8.0, isolation=60.0, flux=2e6
)
"""What nothing was tuned on."""

NIGHTS = {
    "small": SMALL,
    "large": LARGE,
    "crowded": CROWDED,
    "undersampled": UNDERSAMPLED,
    "defocused": DEFOCUSED,
}


def made(cache: Path, name: str, n_frame: int | None = None) -> Path:
    """Return a workspace with the first *n_frame* frames of the night *name*; it is made if it is not there.

    A name that ends in ``-fz`` gives the same frames Rice-compressed.
    """
    plain = name.removesuffix("-fz")
    night = NIGHTS[plain]
    n_frame = n_frame or night.n_frame
    folder = cache / f"{name}-{n_frame}"
    if (folder / "workspace.toml").is_file():
        return folder
    if name != plain:
        _compressed(made(cache, plain, n_frame), folder)
    else:
        _written(night, folder, n_frame)
    (folder / "workspace.toml").write_text(demo.WORKSPACE, encoding="utf-8")
    return folder


def lights(workspace: Path) -> list[Path]:
    """Return the light frames of a workspace of `made`, in order of time."""
    return sorted((workspace / "raw" / demo.DEMO.target).iterdir())


def calibration(workspace: Path, kind: str) -> list[Path]:
    """Return the bias, dark or flat frames of a workspace of `made`."""
    return sorted(
        path
        for path in (workspace / "raw").rglob("*.fits*")
        if kind in path.parent.name.lower() and path.parent.name != demo.DEMO.target
    )


def _written(night: Night, folder: Path, n_frame: int) -> None:
    frames.write(night, folder, lights=range(n_frame))


def _compressed(source: Path, folder: Path) -> None:
    for path in sorted((source / "raw").rglob("*.fits")):
        goal = folder / path.relative_to(source)
        goal.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == demo.DEMO.target:
            io_fits.compress(path, goal.with_name(f"{goal.name}.fz"))
        else:
            shutil.copyfile(path, goal)


if __name__ == "__main__":
    print(made(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
