"""Maps of bad pixels that stand beside the image in the files of raw frames, as they are honoured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.io import fits

from accretor.core.dumps import FRAMES, INVENTORY, MASTERS
from accretor.io import dump
from accretor.stages import masters
from accretor.synthetic import demo, frames
from accretor.synthetic.dialects import PROGRAMS
from tests.harness import SMALL, run

NIGHT = dataclasses.replace(
    SMALL, n_frame=12, bad_frame=None, cloud=None, n_bias=0, n_dark=0, n_flat=0, bias=0.0
)
SLUG = f"{NIGHT.target}/20250304/Demo-0m4/ip"
LISTED = [(3, 5), (40, 41), (100, 22)]


def beside(path, mask, *, name, is_packed):
    """Put a map and one of errors beside the image of a frame, as BANZAI or ccdproc does."""
    with fits.open(path) as hdus:
        image = next(hdu for hdu in hdus if hdu.data is not None)
        header, data = image.header.copy(), image.data.astype(np.float32)
    for key in ("BZERO", "BSCALE"):
        header.remove(key, ignore_missing=True)
    path.unlink()
    if is_packed:
        catalogue = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.zeros(3))], name="CAT")
        header["RLEVEL"] = 91
        hdus = [
            fits.PrimaryHDU(),
            fits.CompImageHDU(data, header, name="SCI", quantize_level=64),
            catalogue,
            fits.CompImageHDU(mask, name=name),
            fits.CompImageHDU(np.ones_like(data), name="ERR", quantize_level=64),
        ]
    else:
        hdus = [
            fits.PrimaryHDU(data, header),
            fits.ImageHDU(mask, name=name),
            fits.ImageHDU(np.ones_like(data), name="UNCERT"),
        ]
    fits.HDUList(hdus).writeto(path)


def workspace(folder, program, masks, *, name="BPM", is_packed=True):
    """Write a night each of whose frames has the map that *masks* returns for its index."""
    frames.write(NIGHT, folder, program=PROGRAMS.get(program))
    for index, path in enumerate(sorted((folder / "raw" / NIGHT.target).iterdir())):
        beside(path, masks(index), name=name, is_packed=is_packed)
    own = next(line for line in demo.WORKSPACE.splitlines() if line.startswith("dialect = ")) + "\n"
    text = demo.WORKSPACE.replace(own, PROGRAMS[program].settings if program else own)
    (folder / "workspace.toml").write_text(text + '\n[compute]\nexecutor = "serial"\n', encoding="utf-8")


def empty():
    return np.zeros(NIGHT.size[::-1], dtype=np.uint8)


def listed(index):
    found = empty()
    for row, column in LISTED:
        found[row, column] = 1
    found[60 + index, 70] = 1  # as a cosmic ray: in this exposure alone
    return found


def bad(folder):
    record = dump.read(folder / "work" / SLUG / "masters.ecsv", MASTERS)
    row = next(row for row in record.rows if row["kind"] == "bad")
    return fits.getdata(folder / "work" / SLUG / "masters" / "bad.fits"), row, record.meta["remarks"]


@pytest.mark.parametrize(("program", "name", "is_packed"), [("lco", "BPM", True), ("", "MASK", False)])
def test_pixels_that_are_bad_in_most_masks_are_those_of_the_map(tmp_path, program, name, is_packed):
    workspace(tmp_path, program, listed, name=name, is_packed=is_packed)

    done = run(tmp_path, "preprocess")

    assert done.failed == {}
    image, row, remarks = bad(tmp_path)
    assert [(int(y), int(x)) for y, x in zip(*np.nonzero(image == masters.LISTED), strict=True)] == LISTED
    assert np.count_nonzero(image) == len(LISTED)
    assert len(row["frames"].split(masters.BETWEEN)) == 3
    assert "3 bad pixels by the masks beside 3 frames" in remarks


def test_frames_that_are_added_leave_the_map_and_what_is_measured_as_they_are(tmp_path):
    workspace(tmp_path, "lco", listed)
    late = sorted((tmp_path / "raw" / NIGHT.target).iterdir())[9:]
    for path in late:
        path.rename(tmp_path / path.name)
    run(tmp_path, "photometry")
    before = bad(tmp_path)[1]
    for path in late:
        (tmp_path / path.name).rename(path)

    done = run(tmp_path, "photometry")

    assert bad(tmp_path)[1] == before
    assert done.done[f"photometry:{SLUG}"].startswith("3 measured, 9 kept")


def test_mask_that_covers_most_of_the_image_is_not_believed(tmp_path):
    workspace(tmp_path, "", lambda index: 1 - listed(index), name="MASK", is_packed=False)

    done = run(tmp_path, "preprocess")

    assert done.failed == {}
    rows = dump.read(tmp_path / "work" / SLUG / "masters.ecsv", MASTERS)
    assert [row["kind"] for row in rows.rows] == []
    assert any("cover 100 % of the pixels, and are not believed" in text for text in rows.meta["remarks"])


def test_star_that_banzai_saw_full_is_saturated_whatever_its_value_is_now(tmp_path):
    plain = tmp_path / "plain"
    workspace(plain, "lco", lambda index: empty())
    run(plain, "preprocess")
    path = sorted((plain / "raw" / NIGHT.target).iterdir())[4]
    image = fits.getdata(path, 1)
    row, column = np.unravel_index(np.argmax(image), image.shape)

    def full(index):
        mask = empty()
        if index == 4:
            mask[row, column] = 2
        return mask

    flagged = tmp_path / "flagged"
    workspace(flagged, "lco", full)
    done = run(flagged, "preprocess")

    assert done.failed == {}
    counts = [
        [line["n_saturated"] for line in dump.read(folder / "work" / SLUG / "frames.ecsv", FRAMES).rows]
        for folder in (plain, flagged)
    ]
    assert counts == [[0] * 12, [0] * 4 + [1] + [0] * 7]
    seen = dump.read(flagged / "work" / "inventory.ecsv", INVENTORY).rows
    assert all(line["mask_hdu"] == 3 and line["mask_bits"] == 1 for line in seen)
