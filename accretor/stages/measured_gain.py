"""Gain and read noise of a camera that no header and no setting tells: measured, and said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from accretor.core.errors import Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.stages import masters
from accretor.stages.bench import Bench
from accretor.stages.masters import MasterFiles
from accretor.stages.rows import GOOD, fingerprint
from accretor.stages.workspace import DEFAULT_READ_NOISE

if TYPE_CHECKING:
    from accretor.core.arrays import Image
    from accretor.io.layout import Layout
    from accretor.science.gain import Gain
    from accretor.stages.workspace import ObservationPlan

VERSION = 1
"""Raised when the numbers that come out change."""

SIDE = 768
"""Side of the middle of calibration frames that is looked at, pixel: vignetting is even there."""
MOST_PAIRS = 80
"""Pairs of science frames, each of two that follow one another, from which a gain is estimated."""
MOST_CALIBRATIONS = 20
DIGITS = 3
"""Significant digits that are kept: no more is known, and frames need not be measured again for less."""


def find_out(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    made: MasterFiles,
    bench: Bench,
) -> tuple[Row, list[str]]:
    """Return gain and read noise that nothing tells, and remarks on how they were had.

    Flats and biases go before science frames. A gain from science frames is a choice that every
    measurement depends on: with the policy ``keep`` it stays, whatever frames are added.

    Returns
    -------
    dict
        ``gain`` and ``read_noise`` with ``origin``; ``why`` instead of a gain that cannot be measured;
        empty where the camera is known.
    list of str
    """
    known = plan.declared
    if known.is_whole:
        return {}, []
    result: Row = {}
    remarks: list[str] = []
    if not known.gain > 0:
        result = _gain(plan, layout, settings, found, made, bench)
        if "gain" in result:
            remarks.append(f"gain not known: {words(result)}")
    gain = known.gain if known.gain > 0 else result.get("gain", math.nan)
    if math.isnan(known.read_noise) and gain > 0:
        try:
            from accretor.science import gain as gains

            biases = _calibrations(_singles(plan.calibrations.bias), layout, made)
            result["read_noise"] = _rounded(gains.read_noise(biases, gain))
            remarks.append(
                f"read noise not known: {result['read_noise']:g} electron measured from the biases"
            )
        except Unusable:
            remarks.append(f"read noise not known: {DEFAULT_READ_NOISE:g} electron assumed")
    return result, remarks


def words(found: Row) -> str:
    """Return in words a gain that was measured, as `find_out` returns it."""
    return f"{found['gain']:g} ± {found['error']:g} electron/ADU estimated from {found['origin']}"


def _gain(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    made: MasterFiles,
    bench: Bench,
) -> Row:
    from accretor.science import gain as gains

    flats, biases = _singles(plan.calibrations.flat), _singles(plan.calibrations.bias)
    why = []
    try:
        identity = fingerprint(VERSION, [file.path for file in (*flats, *biases)], made.id)
        measured = gains.of_flats(_calibrations(flats, layout, made), _calibrations(biases, layout, made))
        return _record(measured, f"{len(flats)} flats and {len(biases)} biases", identity)
    except Unusable as verdict:
        why.append(verdict.reason)
    old = masters.recorded_detector(plan.paths)
    is_kept = settings.ensemble.policy == "keep" and not (bench.renew or bench.redo)
    if is_kept and "gain" in old and old.get("made_with") == _science_identity(made):
        return {key: old[key] for key in ("gain", "error", "origin", "made_with")}
    good = [file for file, row in found.items() if row["status"] == GOOD]
    n_pair = len(good) // 2
    step = max(1, -(-n_pair // MOST_PAIRS))
    chosen = [file for pair in range(0, n_pair, step) for file in good[2 * pair : 2 * pair + 2]]
    try:
        images, variance = _frames(chosen, layout, made), math.nan
        if made.readout.overscan is not None or made.bias:
            variance = (
                gains.dark_variance(_calibrations(biases, layout, made)) if len(biases) > 1 else math.nan
            )
        measured = gains.of_frames(images, variance)
        return _record(measured, f"the sky of {len(chosen)} frames", _science_identity(made))
    except Unusable as verdict:
        why.append(verdict.reason)
    return {"why": "; ".join(why)}


def _singles(files: Sequence[RawFile]) -> list[RawFile]:
    """Return the single frames, whose noise is that of the camera."""
    return [file for file in files if file.exposure is not None and file.exposure.n_combined == 1]


def _science_identity(made: MasterFiles) -> str:
    return fingerprint(VERSION, "science", [pair for pair in made.digests if pair[0] == "bias"])


def _record(measured: Gain, origin: str, identity: str) -> Row:
    return {
        "gain": _rounded(measured.gain),
        "error": float(f"{measured.error:.2g}"),
        "origin": origin,
        "made_with": identity,
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _calibrations(files: Sequence[RawFile], layout: Layout, made: MasterFiles) -> Image:
    """Return the middle of calibration frames, without their overscan, (n, height, width) ADU."""
    import numpy as np

    chosen = sorted(files, key=lambda file: file.path)[:MOST_CALIBRATIONS]
    if not chosen:
        return np.empty((0, 1, 1), dtype=np.float32)
    images = [
        (layout.raw / file.path, file.exposure.hdu, file.exposure.part) for file in chosen if file.exposure
    ]
    with io_fits.Stack(images) as stack:
        read, height, width = masters.levelled(stack, made.readout)
        low, left = max((height - SIDE) // 2, 0), max((width - SIDE) // 2, 0)
        return read(low, min(low + SIDE, height))[:, :, left : left + SIDE]


def _frames(files: Sequence[RawFile], layout: Layout, made: MasterFiles) -> Iterator[Image]:
    """Yield science frames without overscan and bias, ADU."""
    from accretor.science import detector
    from accretor.science.detector import Masters

    known = masters.load(made)
    level = Masters(bias=known.bias, readout=made.readout)
    for file in files:
        if (exposure := file.exposure) is not None:
            image = io_fits.read_image(layout.raw / file.path, exposure.hdu, exposure.part)
            yield detector.linear(image, level)
