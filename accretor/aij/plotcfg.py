"""The plot configuration that opens beside a measurement table in AstroImageJ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from accretor.aij import javaproperties

N_CURVE = 12
N_DETREND = 3
FIT_CURVE = 2
"""Row that shows the transit fit."""

# Codes of AstroImageJ's menus.
_NORM_OUTSIDE, _NORM_ALL = 3, 7
_FIT_OFF, _FIT_OUTSIDE, _FIT_ALL, _FIT_TRANSIT = 0, 4, 8, 9
_BLACK, _LIGHT_GRAY, _LIGHT_BLUE, _BLUE, _PINK, _RED, _ORANGE, _YELLOW, _BROWN, _TEAL = (
    0,
    3,
    6,
    7,
    9,
    10,
    11,
    12,
    13,
    15,
)
_DOT, _CIRCLE = 3, 1
_COMPARISON_COLORS = (4, 8, _ORANGE)

Value: TypeAlias = bool | int | float | str

_PAGE_RELATIVE = (
    ("Width_T1", 0.15, _LIGHT_GRAY),
    ("Sky/Pixel_T1", 0.15, _YELLOW),
    ("AIRMASS", -0.15, _TEAL),
    ("tot_C_cnts", 0.15, _BROWN),
    ("X(FITS)_T1", 0.15, _PINK),
    ("Y(FITS)_T1", 0.15, _LIGHT_BLUE),
)
"""The strip at the bottom that SG1 asks for: column, part of the page's height, colour."""

_PAGE: dict[str, Value] = {
    "autoScaleX": True,
    "autoScaleY": False,
    "divideNotSubtract": True,
    "invertYAxis": False,
    "legendLeft": False,
    "legendPosX": 0.5,
    "legendPosY": 0.04,
    "legendRight": True,
    "maxCurves": N_CURVE,
    "maxDetrendVars": N_DETREND,
    "negateMag": True,
    "plotSizeX": 1000,
    "plotSizeY": 900,
    "showLBinInfo": True,
    "showLRelScaleInfo": False,
    "showLRelShiftInfo": False,
    "showLScaleInfo": True,
    "showLShiftInfo": True,
    "showLSymbolInfo": False,
    "showLdetrendInfo": True,
    "showLnormInfo": True,
    "showOutBinRms": True,
    "showSigmaForAllCurves": True,
    "showXAxisAsDaysSinceTc": False,
    "showXAxisAsHoursSinceTc": False,
    "showXAxisAsPhase": False,
    "showXAxisNormal": True,
    "showXScaleInfo": True,
    "showYBinInfo": True,
    "showYScaleInfo": True,
    "showYShiftInfo": True,
    "showYSymbolInfo": False,
    "subtitlePosX": 0.5,
    "subtitlePosY": 37.0,
    "titlePosX": 0.5,
    "titlePosY": 12.0,
    "useDMarker1": False,
    "useDMarker4": False,
    "useFirstX": False,
    "useNelderMeadChi2ForDetrend": True,
    "usePixelScale": False,
    "useXColumnName": True,
    "useXCustomName": False,
    "useYColumnName": False,
    "useYCustomName": True,
    "vMarker1BotText": "Ingress",
    "vMarker1TopText": "Predicted",
    "vMarker2BotText": "Egress",
    "vMarker2TopText": "Predicted",
    "xGrid": False,
    "xLegend": "",
    "xNumbers": True,
    "xTics": True,
    "xlabeldefault": "BJD_TDB",
    "yGrid": False,
    "yLegend": "Relative Flux",
    "yNumbers": True,
    "yTics": True,
}
"""Keys of the page that are the same for every light curve."""


@dataclass(frozen=True)
class TransitStart:
    """Where AstroImageJ's own fit of the transit starts, and what it holds fixed."""

    period: float
    """Day."""
    tc: float
    """Mid-transit, BJD_TDB day."""
    depth: float
    """Square of the radius ratio, as a fraction."""
    a_rs: float
    """Semi-major axis in stellar radii."""
    inclination: float
    """Degree."""
    u1: float
    """Linear coefficient of the quadratic limb darkening."""
    u2: float
    """Quadratic coefficient."""
    teff: float = 5770.0
    """Effective temperature of the host, K."""


@dataclass(frozen=True)
class PlotConfig:
    """What differs from one light curve to the next."""

    title: str
    """For example ``TIC 12345678.01     UT2025.03.04``."""
    subtitle: str
    """For example ``Hilltop-0m5 (ip filter, 60 exp, fap 8-16-28)``."""
    first_time: float
    """BJD_TDB of the first row; the markers count from its integer part."""
    last_time: float
    """BJD_TDB of the last row."""
    ingress: float = math.nan
    """Predicted first contact, BJD_TDB; NaN if there is no prediction."""
    egress: float = math.nan
    """Predicted fourth contact, BJD_TDB."""
    left: float = math.nan
    """Left edge of the transit for normalising and fitting; default: the predicted ingress."""
    right: float = math.nan
    """Right edge; default: the predicted egress."""
    flip: float = math.nan
    """Meridian flip, BJD_TDB; NaN if there was none."""
    transit: TransitStart | None = None
    """None: no fit is shown."""
    detrend: tuple[str, ...] = ()
    """Columns that the light curve is detrended with, three at most."""
    bin_size: int = 1
    """Points averaged in the detrended curves."""
    depth: float = 10.0
    """Expected depth, ppt; it sets the distance of the curves."""
    scatter: float = 2.0
    """Scatter of the unbinned points, ppt; it sets the height of the page."""
    comparison: tuple[str, ...] = ()
    """Comparison stars to show, three at most, such as ``("C2", "C3")``."""


@dataclass(frozen=True)
class _Curve:
    """One row of the plot."""

    column: str = ""
    is_shown: bool = False
    norm: int = _NORM_ALL
    fit: int = _FIT_OFF
    detrend: tuple[str, ...] = ()
    bin_size: int = 1
    shift: float = 0.0
    page_scale: float | None = None
    """Part of the page's height; None: drawn in true scale."""
    color: int = _BLUE
    marker: int = _DOT


def write(config: PlotConfig, comment: str = "") -> bytes:
    """Return the text of the ``.plotcfg`` file.

    AstroImageJ merges the file into what the reader has on screen, so that every
    key of all twelve rows is there. Row 0 is the raw curve of T1, row 1 the same
    detrended, row 2 with the transit fit, rows 3 to 8 the strip of auxiliary
    columns, and rows 9 to 11 comparison stars. *comment* stands below the first line.

    Returns
    -------
    bytes
        Java properties, ISO-8859-1, keys in alphabetical order, without a date.

    Raises
    ------
    ValueError
        If there are more than three detrending columns or comparison stars.
    """
    keys = {f".plot.{key}": value for key, value in properties(config).items()}
    return javaproperties.write(keys, "AstroImageJ Plot Configuration", comment)


def properties(config: PlotConfig) -> dict[str, str]:
    """Return the value of every key, without the prefix ``.plot.``."""
    if len(config.detrend) > N_DETREND or len(config.comparison) > len(_COMPARISON_COLORS):
        raise ValueError(
            "AstroImageJ's plot has room for three detrending columns and three comparison stars"
        )
    step = _step(config)
    values = _PAGE | _page_keys(config, step)
    for row, curve in enumerate(_curves(config, step)):
        values |= _curve_keys(row, curve, step)
    values |= _fit_keys(config)
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()
    }


def parse(content: bytes) -> dict[str, str]:
    """Read a ``.plotcfg`` file: the value of every key, without the prefix ``.plot.``."""
    keys = javaproperties.parse(content)
    return {key.removeprefix(".plot."): value for key, value in keys.items() if key.startswith(".plot.")}


def _step(config: PlotConfig) -> float:
    """Return the distance of the curves as a fraction of the flux: they must not touch."""
    ppt = max(1.75 * abs(config.depth), 6 * config.scatter / math.sqrt(max(config.bin_size, 1)), 1.0)
    return round(ppt / 1000, 4)


def _curves(config: PlotConfig, step: float) -> list[_Curve]:
    has_window = math.isfinite(_left(config)) and math.isfinite(_right(config))
    norm = _NORM_OUTSIDE if has_window else _NORM_ALL
    trend = _FIT_OFF if not config.detrend else _FIT_OUTSIDE if has_window else _FIT_ALL
    target = "rel_flux_T1"
    curves = [
        _Curve(target, is_shown=True, norm=norm),
        _Curve(
            target,
            is_shown=True,
            norm=norm,
            fit=trend,
            detrend=config.detrend,
            bin_size=config.bin_size,
            shift=-step,
            color=_BLACK,
            marker=_CIRCLE,
        ),
        _Curve(
            target,
            is_shown=config.transit is not None,
            norm=norm,
            fit=_FIT_OFF if config.transit is None else _FIT_TRANSIT,
            detrend=config.detrend,
            bin_size=config.bin_size,
            shift=-2 * step,
            color=_RED,
            marker=_CIRCLE,
        ),
    ]
    curves += [
        _Curve(column, is_shown=True, page_scale=scale, color=color)
        for column, scale, color in _PAGE_RELATIVE
    ]
    lowest = 4 if config.transit is not None else 2
    curves += [
        _Curve(
            f"rel_flux_{star}",
            is_shown=True,
            norm=_NORM_ALL,
            fit=_FIT_ALL,
            detrend=("AIRMASS",),
            bin_size=config.bin_size,
            shift=-(lowest + place) * step,
            color=color,
            marker=_CIRCLE,
        )
        for place, (star, color) in enumerate(zip(config.comparison, _COMPARISON_COLORS, strict=False))
    ]
    return curves + [_Curve()] * (N_CURVE - len(curves))


def _curve_keys(row: int, curve: _Curve, step: float) -> dict[str, Value]:
    is_fit = row == FIT_CURVE and curve.is_shown
    keys: dict[str, Value] = {
        f"autoResidualShift{row}": False,
        f"autoScaleFactor{row}": 0.15 if curve.page_scale is None else curve.page_scale,
        f"autoShiftFactor{row}": -0.42,
        f"autoUpdateFit{row}": is_fit,
        f"autoUpdatePriors{row}": is_fit,
        f"bpLock[{row}]": False,
        f"customScaleFactor{row}": 1.0,
        f"customShiftFactor{row}": round(curve.shift, 4),
        f"detrendFitIndex{row}": curve.fit,
        f"detrendVarDisplayed{row}": 0,
        f"displayBinMinutes[{row}]": 5,
        f"displayBin[{row}]": "DISABLED",
        f"force{row}": curve.page_scale is not None,
        f"forceCircularOrbit{row}": True,
        f"fromMag{row}": False,
        f"inputAverageOverSize{row}": curve.bin_size,
        f"legend{row}": "",
        f"lines{row}": False,
        f"mmag{row}": False,
        f"normIndex{row}": curve.norm,
        f"plotY{row}": curve.is_shown,
        f"residualShift{row}": round(-3 * step, 4),
        f"showErrors{row}": False,
        f"showLResidual{row}": is_fit,
        f"showLTranParams{row}": is_fit,
        f"showModel{row}": is_fit,
        f"showResidual{row}": is_fit,
        f"showResidualError{row}": False,
        f"smooth{row}": False,
        f"useColumnName{row}": True,
        f"useLegend{row}": False,
        f"useTransitFit{row}": is_fit,
        f"xlabel{row}": "default",
        f"ylabel{row}": curve.column,
    }
    keys |= {f"{part}{row}": curve.marker for part in ("markerIndex", "residualSymbolIndex")}
    keys |= {
        f"{part}{row}": curve.color
        for part in ("colorIndex", "modelColorIndex", "residualColorIndex", "residualModelColorIndex")
    }
    for slot in range(N_DETREND):
        column = curve.detrend[slot] if slot < len(curve.detrend) else ""
        keys |= {
            f"detrendFactor[{row}][{slot}]": 0.0,
            f"detrendlabel[{row}][{slot}]": column,
            f"detrendlabelhold[{row}][{slot}]": column,
        }
    return keys


def _fit_keys(config: PlotConfig) -> dict[str, Value]:
    row = FIT_CURVE
    start = config.transit
    if start is None:
        middle = (config.first_time + config.last_time) / 2
        start = TransitStart(3.0, middle, 0.01, 10.0, 88.0, 0.3, 0.3)
    # Order of AstroImageJ: baseline, (Rp/R*)^2, a/R*, Tc, inclination, u1, u2.
    center = (1.0, start.depth, start.a_rs, start.tc, start.inclination, start.u1, start.u2)
    width = (0.2, max(start.depth, 0.01), max(0.7 * start.a_rs, 1.0), 0.015, 15.0, 1.0, 1.0)
    keys: dict[str, Value] = {
        f"bp{row}": 0.0,
        f"eccentricity{row}": 0.0,
        f"maxFitSteps{row}": 20000,
        f"omega{row}": 0.0,
        f"orbitalPeriod{row}": start.period,
        f"teff{row}": start.teff,
        f"tolerance{row}": 1e-10,
    }
    for place in range(len(center)):
        keys |= {
            f"lockToCenter[{row}][{place}]": place >= len(center) - 2,
            f"priorCenter[{row}][{place}]": center[place],
            f"priorWidth[{row}][{place}]": width[place],
            f"useCustomFitStep[{row}][{place}]": False,
            f"usePriorWidth[{row}][{place}]": False,
        }
    # Our start values are a finished fit's: only the level is AstroImageJ's to find anew.
    return keys | {f"autoUpdatePrior[{row}][{place}]": place == 0 for place in range(5)}


def _page_keys(config: PlotConfig, step: float) -> dict[str, Value]:
    n_level = (4 if config.transit is not None else 2) + len(config.comparison)
    top = 1 + max(4 * config.scatter / 1000, step / 2)
    bottom = 1 - n_level * step - step / 2
    span = config.last_time - config.first_time
    day = math.floor(config.first_time)
    ingress, egress = (_mark(time, day) for time in (config.ingress, config.egress))
    left, right = (_mark(time, day) for time in (_left(config), _right(config)))
    return {
        "title": config.title,
        "useTitle": bool(config.title),
        "subtitle": config.subtitle,
        "useSubtitle": bool(config.subtitle),
        "vMarker1Value": ingress,
        "vMarker2Value": egress,
        "showVMarker1": math.isfinite(config.ingress),
        "showVMarker2": math.isfinite(config.egress),
        "dMarker1Value": _mark(config.first_time, day),
        "dMarker2Value": left,
        "dMarker3Value": right,
        "dMarker4Value": _mark(config.last_time, day),
        "showDMarkers": math.isfinite(_left(config)) and math.isfinite(_right(config)),
        "mfMarker1Value": _mark(config.flip, day),
        "showMFMarkers": math.isfinite(config.flip),
        "xMin": round(config.first_time - day - 0.05 * span, 6),
        "xMax": round(config.last_time - day + 0.05 * span, 6),
        "xWidth": round(1.1 * span, 6),
        "yMax": round(top, 4),
        # The lowest fifth of the page belongs to the strip of auxiliary columns.
        "yMin": round(top - (top - bottom) / 0.8, 4),
    }


def _left(config: PlotConfig) -> float:
    return config.left if math.isfinite(config.left) else config.ingress


def _right(config: PlotConfig) -> float:
    return config.right if math.isfinite(config.right) else config.egress


def _mark(time: float, day: int) -> float:
    """Return *time* as AstroImageJ counts its markers: days after the first row's whole day."""
    return round(time - day, 6) if math.isfinite(time) else 0.0
