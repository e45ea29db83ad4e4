"""A night in two filters with names that would attack a page, reduced and reported."""

from __future__ import annotations

import dataclasses
import os

import pytest

from tests.harness import SMALL, make, run

ATTACK = '<img src=x onerror="document.title=1">'
"""Wherever it stands unescaped, it does something."""
SCRIPT = "</td><script>document.title=2</script>"
FRAME = "a&b.fits" if os.name == "nt" else "<img src=x onerror=document.title=3>.fits"
VISIT = "products/TOI-9999.01/20250304/Demo-0m4"


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """Return a workspace with two filters of one night and all its pages; not to be changed."""
    from astropy.io import fits

    from accretor.synthetic import frames

    space = make(tmp_path_factory.mktemp("reported") / "space", SMALL)
    toml = (space / "workspace.toml").read_text(encoding="utf-8")
    changed = toml.replace('observer = "A. Observer"', f"observer = '{ATTACK}'", 1)
    changed = changed.replace('source = "', f'source = "{SCRIPT} ', 1)
    assert ATTACK in changed
    assert SCRIPT in changed
    (space / "workspace.toml").write_text(changed, encoding="utf-8")
    frames.write(
        dataclasses.replace(SMALL, seed=14, filter="gp", n_bias=0, n_dark=0, n_flat=0, bad_frame=None),
        space / "other",
    )
    lights = sorted((space / "raw").rglob("TOI-9999.01-*.fits"))
    # The frame that registration finds poor, so that the pages name it.
    lights[5].rename(lights[5].with_name(FRAME))
    (space / "raw" / "gp").mkdir()
    for path in sorted((space / "other" / "raw").rglob("TOI-9999.01-*.fits")):
        path.rename(space / "raw" / "gp" / path.name)
    with fits.open(lights[7]) as found:
        found[0].header["OBJECT"] = SCRIPT
        found[0].header["DATE-OBS"] = "2025-03-05T03:00:00.000"
        found[0].header["CRVAL1"] = 200.0
        found.writeto(space / "raw" / "stranger.fits")
    done = run(space)
    assert done.status == 0, done.out + done.err
    return space
