"""How material was assigned to splits, as recorded in the manifests of data sets, training sets and checkpoints.

    check_same_splits({"data/train": "60,20,20", "data/test": "90,5,5"})     # raises LeakError

Splits are made by content, so if two data sets were split by different shares, a table may be in train in one and in
test in the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from symtune.output import MANIFEST
from symtune.tables import DEFAULT_SHARES
from symtune.types import LeakError


def splits_text(shares: str | None, *, rows: bool) -> str:
    """What a manifest says under `splits`: the shares, and whether rows or tables were split."""
    return f"{shares or DEFAULT_SHARES}{' of rows' if rows else ''}"


def splits_of(path: Path) -> str:
    """What the manifest in a folder says about splits; "" if there is no manifest of symtune."""
    try:
        found = json.loads((path / MANIFEST).read_text("utf-8")).get("splits", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def check_same_splits(found: Mapping[str, str]) -> str:
    """The way in which all of these (place -> what its manifest says, "" if unknown) were split. Raises LeakError if
    two of them differ.
    """
    known = {place: said for place, said in found.items() if said}
    if len(set(known.values())) > 1:
        (one, ours), (other, theirs) = (
            next(iter(known.items())),
            next(item for item in known.items() if item[1] != next(iter(known.values()))),
        )
        raise LeakError(
            f"{one} was split {ours}, and {other} {theirs}: one may train on what the other holds out; generate both "
            "with the same --split-shares and --split-rows"
        )
    return next(iter(known.values()), "")
