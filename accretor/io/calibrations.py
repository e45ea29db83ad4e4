"""Which bias, dark and flat frames fit the frames of an observation."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from accretor.core import readout
from accretor.core.frame import Exposure
from accretor.core.settings import PreprocessSettings
from accretor.io import matching
from accretor.io.inventory import RawFile

GAIN_TOLERANCE = 0.02
"""Relative difference of the gains up to which a calibration frame is of the same read-out."""
ENOUGH = 5
"""Single frames from which outliers are told apart; a master that is given goes before fewer."""


@dataclass(frozen=True)
class CalibrationPlan:
    """The calibration frames that fit an observation."""

    bias: list[RawFile]
    dark: list[RawFile]
    flat: list[RawFile]
    left_out: list[tuple[RawFile, str]]
    """Calibration frames that do not fit, each with the reason."""
    dark_is_scaled: bool = False
    """The darks have another exposure: bias-subtracted they are to be scaled."""

    def none_of(self, kind: str, plural: str) -> str:
        """Return that there are no frames of a kind, or that there are some and none fits, in words."""
        is_there = any(file.exposure and file.exposure.kind == kind for file, _ in self.left_out)
        return f"no fitting {plural}" if is_there else f"no {plural}"


def choose(
    files: Sequence[RawFile], exposures: Sequence[Exposure], settings: PreprocessSettings
) -> CalibrationPlan:
    """Choose the calibration frames for the frames of one observation.

    All must be of the same telescope, size, part, binning, gain and read-out mode, and not too old. What a
    program did to the light frames before (BANZAI, MaxIm DL, AstroImageJ) is not done again. Darks must
    agree in exposure and in the detector's temperature; if none has the exposure but there are biases,
    those of the nearest exposure are taken, to be scaled. Flats must be of the same filter. Of several
    nights the nearest is taken, for each kind on its own.

    Masters that the user gives are matched in the same way, and the nearest, of the most frames, is the one
    that competes: single frames go before it if there are `ENOUGH`, or as many as are in it, of a night as
    near; a dark of the exposure goes before one to be scaled, whichever it is.

    Parameters
    ----------
    files : sequence of RawFile
        All files of the workspace.
    exposures : sequence of Exposure
        Light frames of the observation.
    settings : PreprocessSettings
        Tolerances of exposure and temperature.

    Raises
    ------
    ValueError
        If there is no light frame.
    """
    if not exposures:
        raise ValueError("an observation has at least one frame")
    left_out: list[tuple[RawFile, str]] = []
    light = exposures[0]
    fitting: dict[str, list[RawFile]] = {"bias": [], "dark": [], "flat": []}
    given: dict[str, list[RawFile]] = {"bias": [], "dark": [], "flat": []}
    for file in files:
        if file.exposure is None or file.exposure.kind == "light":
            continue
        # A program that calibrates changes the gain, too; that alone would not tell why.
        reason = (
            _other_camera(file.exposure, light)
            or _done_before(file.exposure, light)
            or _misfit(file.exposure, light)
        )
        if reason:
            left_out.append((file, reason))
        else:
            of = fitting if file.exposure.n_combined == 1 else given
            of[file.exposure.kind].append(file)

    def chosen(singles: list[RawFile], masters: list[RawFile]) -> list[RawFile]:
        nearest = _nearest_night(singles, light, settings.calibration_days, left_out)
        return _preferred(nearest, _in_time(masters, light, settings, left_out), light, left_out)

    bias = chosen(fitting["bias"], given["bias"])
    masters = _with_their_bias_off(given["dark"], light, has_bias=bool(bias), left_out=left_out)
    single, is_scaled = _darks(fitting["dark"], exposures, settings, has_bias=bool(bias), left_out=left_out)
    master, is_given_scaled = _darks(masters, exposures, settings, has_bias=bool(bias), left_out=left_out)
    if single and master and is_scaled != is_given_scaled:
        unfit, single, master = (single, [], master) if is_scaled else (master, single, [])
        left_out.extend(
            (file, f"dark of {_header_of(file).exposure:g} s, and there is one of the frames' exposure")
            for file in unfit
        )
    return CalibrationPlan(
        bias=bias,
        dark=chosen(single, master),
        flat=chosen(fitting["flat"], given["flat"]),
        left_out=sorted(left_out, key=lambda pair: pair[0].path),
        dark_is_scaled=is_scaled if single else is_given_scaled,
    )


def _in_time(
    masters: Sequence[RawFile],
    light: Exposure,
    settings: PreprocessSettings,
    left_out: list[tuple[RawFile, str]],
) -> list[RawFile]:
    """Return the masters that are not too old; each is its own night."""
    return [
        file for one in masters for file in _nearest_night([one], light, settings.calibration_days, left_out)
    ]


def _preferred(
    singles: list[RawFile], masters: list[RawFile], light: Exposure, left_out: list[tuple[RawFile, str]]
) -> list[RawFile]:
    """Return the single frames, or the best of the masters that the user gave.

    Nobody knows how a master was made; but fewer than five frames are combined without a test of outliers.
    """
    if not masters:
        return singles

    def away(file: RawFile) -> int:
        return _days_between(_night(_header_of(file), light), matching.night(light))

    best = min(masters, key=lambda file: (away(file), -_header_of(file).n_combined, file.path))
    exposure = _header_of(best)
    left_out.extend(
        (file, f"another master {exposure.kind} is nearer, or of more frames: {best.path}")
        for file in masters
        if file is not best
    )
    n_single = len(singles)
    is_enough = n_single >= ENOUGH or 0 < exposure.n_combined <= n_single
    if singles and is_enough and away(singles[0]) <= away(best):
        left_out.append((best, f"{n_single} single frames are there, and go before a master that is given"))
        return singles
    why = f"only {n_single} single frames" if not is_enough else f"single frames {away(singles[0])} days off"
    left_out.extend((file, f"{why}: the master {best.path} goes before them") for file in singles)
    return [best]


def _with_their_bias_off(
    masters: Sequence[RawFile], light: Exposure, *, has_bias: bool, left_out: list[tuple[RawFile, str]]
) -> list[RawFile]:
    """Return the master darks that can be used: one that lacks its bias needs frames that lack it too."""
    is_levelled = has_bias or "B" in light.calibrated or bool(light.overscan) or "levelled" in light.part
    found = []
    for file in masters:
        is_off = "B" in _header_of(file).calibrated
        if is_off and not is_levelled:
            left_out.append((file, "master dark without its bias, and there is no bias for the frames"))
        elif not is_off and "B" in light.calibrated:
            left_out.append((file, "no card says that this master dark is without bias, as the frames are"))
        else:
            found.append(file)
    return found


def _other_camera(calibration: Exposure, light: Exposure) -> str:
    if calibration.instrument != light.instrument:
        return f"{calibration.kind} of {calibration.instrument}, frames of {light.instrument}"
    if calibration.camera != light.camera and calibration.camera and light.camera:
        return (
            f"{calibration.kind} of the camera {calibration.camera!r}, frames of {light.camera!r}; "
            "if they are one, give camera in [[instrument]]"
        )
    return ""


def _misfit(calibration: Exposure, light: Exposure) -> str:
    if _shape(calibration) != _shape(light) and not _is_trimmed(calibration, light):
        return f"{calibration.kind} of {_shown(calibration)}, frames of {_shown(light)}"
    is_response = calibration.kind == "flat" and calibration.n_combined != 1  # in no unit
    if abs(calibration.gain - light.gain) > GAIN_TOLERANCE * light.gain and not is_response:  # NaN is not
        return f"{calibration.kind} with gain {calibration.gain:.3g}, frames with gain {light.gain:.3g}"
    if calibration.mode != light.mode and calibration.mode and light.mode:
        return f"{calibration.kind} read out as {calibration.mode!r}, frames as {light.mode!r}"
    if calibration.kind == "flat" and calibration.filter != light.filter:
        return f"flat in {calibration.filter or 'no filter'}, frames in {light.filter}"
    if calibration.kind == "dark" and not calibration.exposure > 0:
        return "dark without exposure time"
    return ""


def _done_before(calibration: Exposure, light: Exposure) -> str:
    """Return why a frame must not be used for light frames that were calibrated before; "" if it may."""
    done, kind = light.calibrated, calibration.kind
    if kind == "bias" and ("B" in done or "D" in done):
        return f"the frames are calibrated before ({done}): no bias is taken off twice"
    if kind == "dark" and "D" in done:
        return f"the frames are calibrated before ({done}): no dark is taken off twice"
    if kind == "flat" and "F" in done:
        return f"the frames are calibrated before ({done}): no flat is divided by twice"
    if calibration.n_combined != 1:
        return ""
    if kind != "bias" and ("B" in done) != ("B" in calibration.calibrated or "D" in calibration.calibrated):
        with_bias = {True: "without its bias", False: "with its bias"}
        return (
            f"{kind} {with_bias['B' in calibration.calibrated or 'D' in calibration.calibrated]}, "
            f"frames {with_bias['B' in done]}"
        )
    return ""


def _darks(
    darks: Sequence[RawFile],
    exposures: Sequence[Exposure],
    settings: PreprocessSettings,
    *,
    has_bias: bool,
    left_out: list[tuple[RawFile, str]],
) -> tuple[list[RawFile], bool]:
    """Return the darks that fit, and whether they must be scaled."""
    wanted = _median(exposure.exposure for exposure in exposures)
    temperature = _median(exposure.temperature for exposure in exposures)
    cold = []
    for file in darks:
        warmer = abs(_header_of(file).temperature - temperature)
        if warmer > settings.temperature_tolerance:  # NaN is not
            left_out.append(
                (file, f"dark is {warmer:.1f} K off, {settings.temperature_tolerance:g} K allowed")
            )
        else:
            cold.append(file)
    seconds = {_header_of(file).exposure for file in cold}
    fits = {second for second in seconds if abs(second - wanted) <= settings.exposure_tolerance * wanted}
    is_scaled = not fits and has_bias and bool(seconds) and math.isfinite(wanted)
    if is_scaled:
        fits = {min(seconds, key=lambda second: (abs(math.log(second / max(wanted, 1e-3))), second))}
    for file in cold:
        if _header_of(file).exposure not in fits:
            hint = "" if is_scaled or fits or has_bias else "; without bias it cannot be scaled"
            left_out.append((file, f"dark of {_header_of(file).exposure:g} s, frames of {wanted:g} s{hint}"))
    return [file for file in cold if _header_of(file).exposure in fits], is_scaled


def _nearest_night(
    files: Sequence[RawFile], light: Exposure, most: float, left_out: list[tuple[RawFile, str]]
) -> list[RawFile]:
    """Return the files of the night nearest to *light*, if it is no more than *most* days before or after.

    A frame without time counts to the night of *light*.
    """
    if not files:
        return []
    nights = {file.path: _night(_header_of(file), light) for file in files}
    best = min(nights.values(), key=lambda night: (_days_between(night, matching.night(light)), night))
    left_out.extend(
        (file, f"{_header_of(file).kind} of {nights[file.path]}, those of {best} are nearer")
        for file in files
        if nights[file.path] != best
    )
    nearest = [file for file in files if nights[file.path] == best]
    if (days := _days_between(best, matching.night(light))) <= most:
        return nearest
    left_out.extend(
        (file, f"{_header_of(file).kind} of {days} days before or after the frames, {most:g} allowed")
        for file in nearest
    )
    return []


def _night(calibration: Exposure, light: Exposure) -> str:
    """Return the night of a calibration frame; its header may lack the site, and even the time."""
    if not calibration.mid:
        return matching.night(light)
    return matching.night(dataclasses.replace(calibration, longitude=light.longitude))


def _days_between(night: str, other: str) -> int:
    one, two = (date.fromisoformat(text) for text in (night, other))
    return abs((one - two).days)


def _header_of(file: RawFile) -> Exposure:
    assert file.exposure is not None
    return file.exposure


def _shape(exposure: Exposure) -> tuple[int, int, str, str]:
    return exposure.width, exposure.height, exposure.binning, exposure.part


def _is_trimmed(calibration: Exposure, light: Exposure) -> bool:
    """Tell whether a master is of the trimmed frames."""
    if calibration.n_combined == 1 or not light.trim:
        return False
    try:
        trim = readout.parse(light.trim)
    except ValueError:  # said where it is used
        return False
    size = dataclasses.replace(light, width=trim.width, height=trim.height)
    return _shape(calibration) == _shape(size)


def _shown(exposure: Exposure) -> str:
    part = f" ({exposure.part})" if exposure.part else ""
    return f"{exposure.width} x {exposure.height} pixels{part} binned {exposure.binning}"


def _median(values: Iterable[float]) -> float:
    finite = sorted(value for value in values if math.isfinite(value))
    return finite[len(finite) // 2] if finite else math.nan
