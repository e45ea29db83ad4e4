from __future__ import annotations

import subprocess
import sys

import pytest

from accretor.exofop import naming
from accretor.io.layout import ObservationPaths
from accretor.plots import DIAGNOSTICS, FIGURES, OF_TARGET, OF_VISIT, OPTIONAL
from accretor.stages import figures

TAILS = {"lightcurve.png", "compstar-lightcurves.png", "field.png", "field-zoom.png", "seeing-profile.png"}


def test_every_figure_that_sg1_asks_for_is_made():
    assert {figure.tail for figure in FIGURES} == TAILS
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


EVERY = (*FIGURES, *DIAGNOSTICS, *OF_VISIT, *OF_TARGET, *OPTIONAL)


def test_no_two_figures_share_a_name_or_a_file():
    assert len({figure.name for figure in EVERY}) == len({figure.tail for figure in EVERY}) == len(EVERY)


def test_only_figures_that_exofop_knows_are_packed():
    known = {tail.name for tail in naming.TAILS}

    assert {figure.tail for figure in EVERY if figure.is_packaged} <= known


@pytest.mark.parametrize("figure", EVERY, ids=lambda figure: figure.name)
def test_every_figure_has_a_function_and_dumps_that_exist(figure):
    assert callable(figure.load())
    assert all(hasattr(ObservationPaths, dump) for dump in figure.dumps)


def test_every_figure_of_an_observation_has_what_gives_its_arguments():
    assert {figure.name for figure in (*FIGURES, *DIAGNOSTICS)} == figures._PREPARE.keys()


def test_the_list_of_figures_is_had_without_matplotlib_or_numpy():
    code = "import sys, accretor.plots; sys.exit(bool({'matplotlib', 'numpy', 'scipy'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_drawing_does_not_import_pyplot():
    code = (
        "import sys; from accretor.plots import DIAGNOSTICS, FIGURES, OF_TARGET, OF_VISIT;"
        "[figure.load() for figure in (*FIGURES, *DIAGNOSTICS, *OF_VISIT, *OF_TARGET)];"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
