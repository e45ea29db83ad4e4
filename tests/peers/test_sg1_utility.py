"""SG1's own upload tool takes our packages, and would send what ours does.

It is one file that its users download; say where it is: ``SG1_UTILITY=/path/to/sg1_utility.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accretor.stages import upload
from accretor.stages.workspace import open_workspace

pytestmark = pytest.mark.peers

TOOL = Path(os.environ.get("SG1_UTILITY", "absent"))
TIC, PLANET, USER, NUMBER = 999999999, "02", "a_observer", "999999999.02"
WHERE = "products/TIC-999999999.02/20250304"
DRIVER = """
import importlib.util, json, os, sys, types
import requests
sys.modules.setdefault("tkinter", types.ModuleType("tkinter"))  # for its bell only
sent = []
def post(self, url, data=None, files=None, **_):  # nothing leaves the machine: what it sends is written down
    name = os.path.basename(files["file_name"].name) if files else ""
    sent.append([url.rpartition("/")[2], data, name])
    answer = requests.Response()
    answer.status_code = 200
    return answer
requests.Session.post = post
spec = importlib.util.spec_from_file_location("sg1_utility", sys.argv[1])
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
form = json.loads(sys.argv[3])
tool.upload("a_observer", "x", sys.argv[4], "0", sys.argv[2], **form)
print(json.dumps(sent))
"""


def sent_by_the_tool(package, plan, tmp_path):
    """What the tool sends of a package when it is told the values of our form, and what it says."""
    (tmp_path / "driver.py").write_text(DRIVER)
    first = plan.filters[0].fields
    given = {
        "coverage": first["transcov"],
        "telsize": first["telsize"],
        "camera": first["camera"],
        "psf": first["psf"],
        "deltamag": first["deltamag"] or "0",
        "notes": first["notes"] or None,
    }
    answers = ""
    if len(plan.filters) > 1:
        answers = "".join(f"{one.fields['psf']}\n{one.fields['deltamag']}\n" for one in plan.filters)
    done = subprocess.run(
        [sys.executable, "driver.py", TOOL.resolve(), package.resolve(), json.dumps(given), NUMBER],
        input=answers + "\n", capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


@pytest.mark.skipif(not TOOL.is_file(), reason="SG1_UTILITY does not say where sg1_utility.py is")
@pytest.mark.parametrize("telescope", ["Demo-0m4", "Other-0m5"])
def test_the_tool_takes_the_package_whole_and_sends_what_we_would(packed, telescope, tmp_path):
    package = packed / WHERE / telescope / "package"
    workspace = open_workspace(packed)
    plans = tuple(plan for plan in workspace.observations if plan.observation.telescope == telescope)
    ours = upload.make_plan(plans, workspace.layout, workspace.settings)

    sent, said = sent_by_the_tool(package, ours, tmp_path)

    assert "Rejected files" not in said
    assert "Missing required" not in said
    assert said.count("Optional files not detected") == len(plans)
    kinds = [kind for kind, _, _ in sent]
    assert kinds[0] == "password_check.php"
    assert kinds.count("insert_tseries.php") == len(plans)
    assert {name for kind, _, name in sent if kind == "insert_file.php"} == {
        p.name for p in package.iterdir()
    }
    forms = [data for kind, data, _ in sent if kind == "insert_tseries.php"]
    files = [(name, data["file_desc"]) for kind, data, name in sent if kind == "insert_file.php"]
    assert [(file.name, file.label) for one in ours.filters for file in one.files] == files
    for form, one in zip(forms, ours.filters, strict=True):
        assert list(form) == list(one.fields)
        # Tags of two telescopes in one night are the same in the tool; ours differ, and say which.
        different = {key for key in form if form[key] != one.fields[key]}
        assert different <= {"tag", "pixscale"}, {key: (form[key], one.fields[key]) for key in different}
        assert one.fields["tag"].startswith(form["tag"])
