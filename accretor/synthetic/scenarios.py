"""Nights in which something happens: what a reduction must survive, as data.

Each is a change of one quiet night; `of` gives it another field and other noise by a seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from accretor.synthetic import demo
from accretor.synthetic.night import Cloud, Companion, Hit, Night, Transit, Variable

QUIET: Night = dataclasses.replace(
    demo.DEMO,
    size=(224, 200),
    n_star=32,
    pointing_offset=(12.0, -9.0),
    cloud=None,
    bad_frame=None,
)
"""56 frames of three minutes, with all calibration frames, around a transit of 2.2 hours."""

SMALL: Night = dataclasses.replace(
    QUIET, n_frame=40, cadence=336.0, size=(160, 160), n_star=18, drift=(6.0, 4.0), isolation=14.0
)
"""The same in 40 frames of 160 x 160 pixels: a second of work for all stages."""

METRE: Night = dataclasses.replace(
    QUIET,
    diameter=1.0,
    # V = 10: 8.8e9 photons/s/m2 of V = 0, 0.785 m2, a third of them detected, for 60 s.
    flux=1.4e7,
    exposure=60.0,
    cadence=80.0,
    n_frame=150,
    transit=Transit(rp_rs=0.0447, a_rs=12.9),
    fwhm=14.0,
    beta=4.0,
    size=(420, 400),
    n_star=20,
    isolation=75.0,
    magnitudes=(-0.1, 2.5),
    sky=20.0,
    drift=(4.0, 3.0),
    seeing_scatter=0.02,
)
"""A 1 m telescope on a star of V = 10, out of focus lest it saturate, and a planet that takes 2 ppt."""


@dataclass(frozen=True)
class Scenario:
    """A night, and what is to be expected of its reduction."""

    night: Night
    is_calibrated: bool = True
    """Everything that disturbs it is taken out by the reduction: errors must be true."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Lines added to sections of ``workspace.toml``, by section."""
    flags: tuple[str, ...] = ()
    """Codes of the flags that the reduction must raise."""


def of(name: str, seed: int) -> Scenario:
    """Return the scenario *name* with the field and the noise of *seed*.

    Raises
    ------
    KeyError
        If there is no such scenario.
    """
    scenario = SCENARIOS[name]
    return dataclasses.replace(scenario, night=dataclasses.replace(scenario.night, seed=seed))


def workspace(scenario: Scenario) -> str:
    """Return the ``workspace.toml`` of a scenario."""
    night = scenario.night
    text = demo.WORKSPACE.replace("telescope_diameter = 0.4", f"telescope_diameter = {night.diameter}")
    depth = max(1000 * night.transit.rp_rs**2, 1.0)
    text = text.replace("depth = 11.0 ", f"depth = {depth:.4g} ")
    instrument = scenario.settings.get("instrument", "")
    text = text.replace('dialect = "generic" ', f'{instrument}\ndialect = "generic" ')
    others = [
        f"\n[{section}]\n{lines}\n" for section, lines in scenario.settings.items() if section != "instrument"
    ]
    return text + "".join(others)


def _night(**changes: object) -> Night:
    return dataclasses.replace(QUIET, **changes)  # type: ignore[arg-type]


def _linearised(night: Night, n_term: int = 4) -> str:
    """Return the polynomial that undoes the non-linearity of *night*, as a setting."""
    # s = x (1 - a x) has x = s + a s^2 + 2 a^2 s^3 + 5 a^3 s^4 ... (Catalan's numbers).
    a = night.nonlinearity / night.saturation
    terms = [0.0, *(number * a**power for power, number in enumerate((1, 1, 2, 5, 14)[:n_term]))]
    return f"nonlinearity = [{', '.join(f'{term:.8g}' for term in terms)}]"


_CURVED = _night(nonlinearity=0.05)

SCENARIOS: Mapping[str, Scenario] = {
    "quiet": Scenario(QUIET),
    "sparse field": Scenario(_night(size=(420, 360), n_star=24, isolation=76.0)),
    "clouds": Scenario(_night(cloud=Cloud(depth=0.5, hour=2.15, sigma=12.0))),
    "meridian flip": Scenario(_night(flip=30)),
    "drift, with flats": Scenario(_night(drift=(40.0, 12.0))),
    "drift, no flats": Scenario(
        _night(drift=(40.0, 12.0), n_flat=0), is_calibrated=False, flags=("no-flats-drift",)
    ),
    "no flats": Scenario(_night(n_flat=0, drift=(2.0, 1.0)), is_calibrated=False, flags=("no-flats",)),
    "hot pixels, with darks": Scenario(_night(dark_current=0.5, hot_fraction=0.002)),
    "hot pixels, no darks": Scenario(
        _night(dark_current=0.5, hot_fraction=0.002, n_dark=0),
        is_calibrated=False,
        flags=("no-darks-hot",),
    ),
    "satellites": Scenario(_night(satellites=(7, 23, 41))),
    "cosmic rays": Scenario(
        _night(
            cosmic_rays=12.0,
            hits=(Hit(11, 0), Hit(26, 0, (-1.6, 0.4)), Hit(44, 0, (0.2, -2.3), 12_000.0)),
        )
    ),
    "defocus": Scenario(
        _night(defocus=11.0, flux=2.4e6, size=(300, 280), n_star=24, isolation=42.0, fwhm=3.0)
    ),
    "saturated target": Scenario(
        _night(flux=1.0e6, fwhm=3.0, seeing_scatter=0.08, magnitudes=(-0.2, 3.2)),
        is_calibrated=False,
        flags=("target-saturated",),
    ),
    "undersampled": Scenario(_night(fwhm=1.7, flux=120_000.0), flags=("undersampled",), is_calibrated=False),
    "non-linear": Scenario(_CURVED, is_calibrated=False),
    "non-linear, corrected": Scenario(_CURVED, settings={"instrument": _linearised(_CURVED)}),
    "second-order extinction": Scenario(_night(colour_extinction=-0.03)),
    "variable comparison star": Scenario(_night(variable=Variable())),
    "eclipsing neighbour": Scenario(
        _night(
            companions=(Companion((9.0, 6.0), 3.0, eclipse=0.3),),
            transit=Transit(rp_rs=0.0),
        ),
        is_calibrated=False,
    ),
    "blend": Scenario(
        _night(companions=(Companion((7.4, -5.1), 2.0),)), is_calibrated=False, flags=("blend",)
    ),
    "twilight": Scenario(_night(twilight=25.0, sky_gradient=0.1)),
    "filters in turn": Scenario(_night(filters=("gp", "rp"), exposure=90.0, cadence=120.0, n_frame=112)),
    "overscan": Scenario(
        _night(overscan=24, bias_drift=40.0),
        settings={
            "instrument": 'overscan = "[225:248,1:200]"\ntrim = "[1:224,1:200]"',
        },
    ),
    "1 m, V = 10": Scenario(METRE),
}
"""By name; the calibrated ones must reach the predicted noise."""
