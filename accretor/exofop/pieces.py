"""The posts of a plan: what each one is known by, its fields and its bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from accretor.core.errors import UploadError
from accretor.exofop.plan import FilterPlan, PlannedFile, UploadPlan
from accretor.sending.ledger import Item


@dataclass(frozen=True)
class Piece:
    """One post of a plan."""

    item: Item
    sha256: str
    series: FilterPlan
    file: PlannedFile | None
    """None for the form."""

    @property
    def label(self) -> str:
        """Name for messages."""
        return self.file.name if self.file else f"time series {self.item.filter} of {self.item.name}"


def of(plan: UploadPlan) -> list[Piece]:
    """Return the posts of a plan in their order: for each filter its form, then its files."""
    found = []
    for series in plan.filters:
        form = Item(
            plan.server, "summary", series.filter, f"{series.fields['tel']} {series.fields['obsdate']}"
        )
        text = json.dumps(dict(series.fields), sort_keys=True)
        found.append(Piece(form, hashlib.sha256(text.encode("ascii")).hexdigest(), series, None))
        found += [
            Piece(Item(plan.server, "file", series.filter, file.name), file.sha256, series, file)
            for file in series.files
        ]
    return found


def file_form(plan: UploadPlan, piece: Piece) -> dict[str, str]:
    """Return the fields that go with a file."""
    assert piece.file is not None
    fields = piece.series.fields
    return {
        "file_type": "Light_Curve",
        "planet": fields["planet"],
        "file_desc": piece.file.label,
        "file_tag": fields["tag"],
        "groupname": fields["groupname"],
        **({"propflag": "on"} if plan.is_proprietary else {}),
        "tid": fields["id"],
    }


def content(package: Path, piece: Piece) -> bytes:
    """Return the bytes of a file of the folder *package* as they were planned; none for a form.

    Raises
    ------
    UploadError
        If they are others now.
    """
    if piece.file is None:
        return b""
    try:
        found = (package / piece.file.name).read_bytes()
    except FileNotFoundError:
        found = b""
    if hashlib.sha256(found).hexdigest() != piece.sha256:
        raise UploadError(f"{piece.file.name} is not what was planned; run doit upload again for a new plan")
    return found
