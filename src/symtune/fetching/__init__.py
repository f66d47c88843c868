"""Fetching official releases of benchmarks from where they are published.

    fetch("gsm8k", Path("data/gsm8k"))      # what `symtune evaluate --benchmark gsm8k --data data/gsm8k` reads

sources     the table: address, layout and licence of each release
transfer    one address -> one file
archives    the files of a zip or tar that a release consists of

A release is written completely or not at all, and counted: a split whose official size is known must have that size.
Without a network, one line says what to put where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from symtune import benchmarks
from symtune.fetching.archives import unpack
from symtune.fetching.sources import SOURCES, Source
from symtune.fetching.transfer import download
from symtune.output import new_folder, sha256, write_manifest
from symtune.types import InputError, UnknownName

__all__ = ["SOURCES", "Source", "fetch"]

ARCHIVE = ".archive"
VERB = "data fetch"


def fetch(
    name: str,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    sources: Mapping[str, Source] = SOURCES,
) -> dict[str, int]:
    """Fetch the release of a benchmark into the folder `out`; returns how many questions each split has. `progress` is
    called with (files so far, files in all). Raises UnknownName, OutputError, and InputError if something cannot be
    fetched or lacks questions.
    """
    if name not in sources:
        raise UnknownName("release", name, sources)
    source, tell = sources[name], progress or (lambda done, total: None)
    try:
        with new_folder(out, overwrite=overwrite) as folder:
            for done, (path, address) in enumerate(source.files.items()):
                tell(done, len(source.files))
                download(address, folder / path)
            if source.archive:
                tell(0, 1)
                download(source.archive, folder / ARCHIVE)
                unpack(folder / ARCHIVE, folder, inside=source.inside, keep=source.keep)
                (folder / ARCHIVE).unlink()
            questions = _counted(name, folder)
            written = sorted(path for path in folder.rglob("*") if path.is_file())
            body: dict[str, Any] = {
                "addresses": source.addresses,
                "questions": questions,
                "sha256": {path.relative_to(folder).as_posix(): sha256(path) for path in written},
            }
            write_manifest(folder, VERB, {"benchmark": name}, body, {})
    except InputError as error:
        said = str(error).replace(f"{folder}/", "")  # the temporary folder is gone
        raise InputError(f"{name}: {said}; put the release into {out} yourself: {source.layout}") from None
    return questions


def _counted(name: str, folder: Path) -> dict[str, int]:
    """How many questions each split with a known official size has. Raises InputError if one differs from it."""
    benchmark = benchmarks.find(name)
    found = {}
    for split, published in benchmark.published.items():
        found[split] = len(benchmark.load(folder, split))
        if found[split] != published:
            raise InputError(f"split {split} has {found[split]:,} questions, the official one has {published:,}")
    return found
