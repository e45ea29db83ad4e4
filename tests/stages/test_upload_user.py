"""A plan can be looked at before ExoFOP's user is named; it cannot be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import make, run

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture
def workspace(tmp_path) -> Path:
    folder = make(tmp_path / "workspace")
    config = folder / "workspace.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('username = "a_observer"', ""), encoding="utf-8"
    )
    assert run(folder).status == 0
    return folder


def test_a_plan_without_a_user_is_shown_but_not_sent(workspace):
    shown = run(workspace, "upload:TOI-9999.01")
    assert shown.status == 0
    assert "_USERNAME_tic" in shown.out
    assert "To send it, first fill in workspace.toml: [upload] username" in shown.out
    plan_id = shown.out.split("Upload plan ")[1][:12]
    refused = run(workspace, "upload:TOI-9999.01", f"confirm={plan_id}")
    assert refused.status != 0
    assert "nothing was sent" in refused.out
    assert not list(workspace.glob("uploads/**/*"))


def test_a_simulated_night_is_not_sent_to_exofop(tmp_path):
    folder = make(tmp_path / "workspace")
    assert run(folder).status == 0
    (folder / "truth.json").write_text("{}", encoding="utf-8")
    plan_id = run(folder, "upload:TOI-9999.01").out.split("Upload plan ")[1][:12]
    refused = run(folder, "upload:TOI-9999.01", f"confirm={plan_id}")
    assert refused.status != 0
    assert "this night is simulated" in refused.out
