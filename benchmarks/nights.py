"""Workspaces of many small frames, made in seconds from a few simulated ones.

uv run python -m benchmarks.nights FOLDER N_FRAME [N_OBSERVATION]
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

from accretor.synthetic import demo, frames, sky
from accretor.synthetic.night import Night

NIGHT = dataclasses.replace(
    demo.DEMO,
    exposure=2.0,
    cadence=2.2,
    size=(112, 84),
    n_star=20,
    isolation=9.0,
    fwhm=2.2,
    drift=(2.0, 1.5),
    jitter=0.1,
    pointing_offset=(6.0, -4.0),
    cloud=None,
    bad_frame=None,
)
"""As small as frames can be that all stages work on."""

SIDEREAL_DAY = timedelta(seconds=86164.0905)
"""After it the target is where it was, so that the altitudes in the headers hold."""

N_DISTINCT = 200
"""Frames that are simulated; the others are these with other times and more noise."""


def one(folder: Path, n_frame: int) -> Path:
    """Make in *folder* a workspace of one observation of *n_frame* frames, and return it."""
    _write_frames(folder, dataclasses.replace(NIGHT, n_frame=n_frame))
    (folder / "workspace.toml").write_text(demo.WORKSPACE, encoding="utf-8")
    return folder


def many(folder: Path, n_observation: int, n_frame: int, *, n_target: int = 10) -> Path:
    """Make in *folder* a workspace of *n_observation* nights, over *n_target* targets, and return it."""
    night = dataclasses.replace(NIGHT, n_frame=n_frame, cadence=450.0, exposure=180.0)
    _write_frames(folder, night)
    source = folder / "raw" / night.target
    contents = {path.name: path.read_bytes() for path in sorted(source.iterdir())}
    shutil.rmtree(source)
    n_target = min(n_target, n_observation)
    names = [f"TOI-{1001 + i}.01" for i in range(n_target)]
    for number in range(n_observation):
        day, which = divmod(number, n_target)
        later, name = day * SIDEREAL_DAY, names[which]
        place = folder / "raw" / name / f"{day:04d}"
        place.mkdir(parents=True)
        for index, content in enumerate(contents.values()):
            start = sky.start_of(night, index * night.cadence) + later
            patched = _with_text(content, "OBJECT", name)
            patched = _with_text(patched, "DATE-OBS", start.isoformat(timespec="milliseconds"))
            patched = _noisier(patched, number * n_frame + index)
            (place / frames.light_name(dataclasses.replace(night, target=name), index)).write_bytes(patched)
    (folder / "workspace.toml").write_text(_config(names), encoding="utf-8")
    return folder


def _config(names: list[str]) -> str:
    """Return the settings of the demo with its target under each of *names*."""
    before, table, rest = demo.WORKSPACE.partition("[[target]]")
    target, instrument, rest = rest.partition("[[instrument]]")
    tables = [
        target.replace("TOI-9999.01", name)
        .replace("TOI-9999", name[:-3])
        .replace("999999999", f"99999{i:04d}")
        for i, name in enumerate(names)
    ]
    return before + "".join(table + text for text in tables) + instrument + rest


def _write_frames(folder: Path, night: Night) -> None:
    simulated = np.unique(
        np.linspace(0, night.n_frame - 1, min(night.n_frame, N_DISTINCT)).round().astype(int)
    )
    scratch = folder / "simulated"
    truth = frames.write(night, scratch, lights=[int(index) for index in simulated])
    for path in sorted((scratch / "raw").rglob("*.fits")):
        if path.parent.name != night.target:
            _put(folder / "raw" / path.parent.name / path.name, path.read_bytes())
    pool = [(scratch / "raw" / night.target / frames.light_name(night, index)) for index in simulated]
    contents = [path.read_bytes() for path in pool]
    for index in range(night.n_frame):
        nearest = int(np.abs(simulated - index).argmin())
        content = contents[nearest]
        if simulated[nearest] != index:
            start = sky.start_of(night, index * night.cadence)
            content = _with_text(content, "DATE-OBS", start.isoformat(timespec="milliseconds"))
            content = _with_number(content, "OBJCTALT", truth.altitude[index])
            content = _with_number(content, "AIRMASS", truth.airmass[index])
            content = _noisier(content, index)
        _put(folder / "raw" / night.target / frames.light_name(night, index), content)
    shutil.rmtree(scratch)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _noisier(content: bytes, seed: int) -> bytes:
    """Return a frame with up to 3 ADU added to or taken from each pixel."""
    n_pixel = NIGHT.size[0] * NIGHT.size[1]
    begin = _data_begin(content)
    pixels = np.frombuffer(content, ">i2", n_pixel, begin)
    rng = np.random.Generator(np.random.PCG64(seed))
    changed = np.clip(pixels + rng.integers(-3, 4, n_pixel), -32768, 32767).astype(">i2")
    return content[:begin] + changed.tobytes() + content[begin + 2 * n_pixel :]


def _data_begin(content: bytes) -> int:
    end = next(at for at in range(0, len(content), 80) if content[at : at + 8] == b"END     ")
    return (end // 2880 + 1) * 2880


def _with_text(content: bytes, keyword: str, text: str) -> bytes:
    return _with_value(content, keyword, f"'{text:<8}'".ljust(20))


def _with_number(content: bytes, keyword: str, number: float) -> bytes:
    return _with_value(content, keyword, f"{number:>20.4f}")


def _with_value(content: bytes, keyword: str, value: str) -> bytes:
    """Return a frame whose card *keyword* has another *value*, with the comment it had."""
    at = content.index(f"{keyword:<8}= ".encode("ascii"))
    _, slash, comment = content[at + 10 : at + 80].partition(b" /")
    card = f"{keyword:<8}= {value}".encode("ascii") + slash + comment.rstrip()
    return content[:at] + card[:80].ljust(80) + content[at + 80 :]


if __name__ == "__main__":
    if len(sys.argv) > 3:
        many(Path(sys.argv[1]), int(sys.argv[3]), int(sys.argv[2]))
    else:
        one(Path(sys.argv[1]), int(sys.argv[2]))
