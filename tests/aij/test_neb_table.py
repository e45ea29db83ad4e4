"""The NEB table: bytes as AstroImageJ's macro lays them out, and what its readers find in them."""

from __future__ import annotations

import math

from accretor.aij import neb_table
from accretor.aij.neb_table import Head, Star
from accretor.science import neb

HEAD = Head(
    table="TIC1-01_20250304_X_ip_measurements.tbl",
    maker="somebody",
    date="2025-03-04",
    pixel_scale=0.5678,
    day=2460739,
    ingress=2460739.75,
    egress=2460740.125,
    depth=11.0,
    search_radius=2.5,
    duration=300.0,
    n_frame=534,
    spacing=33.7079,
    cadence=180.0,
    binning=5,
    radius=8.04,
    shift_sd=(0.25, 2.0),
    shift_range=(3.0, 10.123456),
)
STARS = [
    Star("T2", 47.784, 328.14, -0.4363, 2.1977, 4.644, 2.113, neb.NOT_CLEARED, 5.4),
    Star("T13", 119.6, 5.5, 10.0974, 104.5109, 999.99, 12.2274, neb.CLEARED, 3.6),
    Star("T4", 3.2, math.nan, 9.8, 2500.5, 60000.0, 24.0, neb.FLUX_TOO_LOW, 3.6),
    Star("T5", 60.0, 359.7, 4.5, math.nan, math.nan, math.nan, neb.NOT_CLEARED, math.nan),
]


def test_the_table_of_one_aperture_has_every_byte_in_its_place():
    assert neb_table.write(HEAD, STARS) == (
        b"                       TFOP NEB Search Table for:\r\n"
        b"\r\n"
        b"           TIC1-01_20250304_X_ip_measurements.tbl\r\n"
        b"\r\n"
        b"                 Created by somebody\r\n"
        b"                          on 2025-03-04\r\n"
        b"          ------------------------------------------------\r\n"
        b"                    Pixel Scale (arc-seconds/pixel): 0.57\r\n"
        b"                    Predicted ingress time: 0.75000000\r\n"
        b"                    Predicted egress time:  1.12500000\r\n"
        b"                    Target predicted depth: 11\r\n"
        b"                    Target Star: T1\r\n"
        b"                    Search Radius: 2.5\r\n"
        b"                    Duration of Observation (min.): 300.0\r\n"
        b"                    Number of Images: 534\r\n"
        b"                    Average Exposure Plus Delay Time (sec.): 33.7\r\n"
        b"                    Cadence Requested When Calculating RMS (sec.): 180.0\r\n"
        b"                    Binning Used When Calculating RMS: 5\r\n"
        b"                    Average Aperture Radius: 8.0 (pixels); 4.6 (arc-seconds)\r\n"
        b"                    Dmag correction factor to account for difference with TESS band:-0.5\r\n"
        b"\r\n"
        b"      Separation             Uncorr.\r\n"
        b"Star  from target  PA (deg.)  dmag   RMS(ppt)  NEBdepth(ppt)  NEBdepth/RMS    "
        b"Disposition\r\n"
        b" T2      0'48\"        328     -0.436      2.20            4.6       2.1         "
        b"***Not Cleared***\r\n"
        b"T13      2'00\"          6     10.097    104.51         1000.0      12.2         Cleared\r\n"
        b" T4      0'03\"       NA      9.800   2500.50            N/A       N/A         "
        b"***Not Cleared-flux too low***\r\n"
        b" T5      1'00\"        360      4.500       N/A            N/A       N/A         "
        b"***Not Cleared***\r\n"
        b"\r\n"
        b"Possible dispositions of the star being the source of the target predicted depth:\r\n"
        b"   Likely cleared (NEBdepth/RMS from 3 to 5)\r\n"
        b"   Cleared (NEBdepth/RMS 5 or more)\r\n"
        b"   Cleared-too faint (NEBdepth 1000 ppt or more)\r\n"
        b"   ***Not Cleared-flux too low*** (weighted mean of Source-Sky below 2 "
        b"per pixel of the aperture)\r\n"
        b"   ***Not Cleared*** (all others)\r\n"
        b"\r\n"
        b"Summary count of dispositions:\r\n"
        b"    0 Likely cleared\r\n"
        b"    1 Cleared\r\n"
        b"    0 Cleared-too faint\r\n"
        b"    1 ***Not Cleared-flux too low***\r\n"
        b"    2 ***Not Cleared***\r\n"
        b"\r\n"
        b"Image shift statistics:\r\n"
        b"             stdev.(arc-seconds): 0.1419 in X and 1.1356 in Y\r\n"
        b"             max. deviation (pixels): 3 in X and 10.1235 in Y\n"
    )


def test_programs_that_split_its_lines_at_blanks_find_their_eight_parts():
    text = neb_table.write(HEAD, STARS).decode()
    lines = text.split("\r\n")
    first = lines.index(f"{neb_table.COLUMNS}    Disposition") + 1

    parts = [line.split() for line in lines[first : lines.index("", first)]]

    assert [" ".join(part[7:]) for part in parts] == [star.disposition for star in STARS]
    assert [part[0] for part in parts] == ["T2", "T13", "T4", "T5"]
    assert parts[1][1:7] == ["2'00\"", "6", "10.097", "104.51", "1000.0", "12.2"]


def test_a_table_of_several_apertures_tells_that_of_each_star_instead_of_one_for_all():
    import dataclasses

    text = neb_table.write(dataclasses.replace(HEAD, radius=None), STARS).decode()

    assert "Average Aperture" not in text
    assert f"{neb_table.COLUMNS} Aperture(px)  Disposition" in text
    row = next(line for line in text.splitlines() if line.startswith("T13"))
    assert row.split()[7:] == ["3.6", "Cleared"]


def test_a_separation_that_rounds_to_60_seconds_is_a_minute():
    text = neb_table.write(HEAD, [Star("T2", 59.7, 0.0, 1.0, 1.0, 1.0, 1.0, neb.CLEARED, 1.0)]).decode()

    assert " T2      1'00\"" in text
