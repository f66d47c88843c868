"""A training set folder -> records -> rows of tokens. Every record that is not trained on is counted."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symtune.files import open_parquet, parquet_columns, read_parquet
from symtune.models.local.prompting import LoadedModel, completion_ids, prompt_ids
from symtune.packing import Row
from symtune.seeds import rng
from symtune.types import InputError, LeakError

_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")
_OPTIONAL = ("id", "source", "task", "answer_type", "query_type", "info")


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One record. `kind` (source, answer type, query type) says which completions have the same form."""

    id: str
    source: str
    kind: str
    prompt: str
    completion: str


def shards(data: Path) -> list[Path]:
    """The parquet files to train on. Raises InputError if there are none, LeakError for held-out splits."""
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; expected the output of `symtune mix` or `symtune generate`")
    found = sorted((data / "data").glob("*.parquet"))
    if not found:
        raise InputError(f"{data}: no data/*.parquet here; expected the output of `symtune mix`")
    train = [file for file in found if file.name.startswith("train-")]
    if not train:
        splits = ", ".join(sorted({file.name.split("-")[0] for file in found}))
        raise LeakError(f"{data}: holds the split {splits}, which is not for training; use a train split")
    return train


def check_rows(files: Sequence[Path]) -> int:
    """How many rows the files hold; raises InputError for an unreadable file, missing columns or no rows."""
    total = 0
    for file in files:
        with open_parquet(file) as shard:
            names, rows = shard.schema_arrow.names, shard.metadata.num_rows
        missing = [name for name in ("prompt", "completion") if name not in names]
        if missing:
            raise InputError(f"{file}: no column {missing[0]!r}; got {', '.join(names) or 'none'}")
        total += rows
    if not total:
        raise InputError(f"{files[0].parent.parent}: the training set has no rows")
    return total


def read(files: Sequence[Path]) -> Iterator[TrainingRecord]:
    """The records of the files, in order."""
    for file in files:
        there = parquet_columns(file)
        columns = [name for name in (*_OPTIONAL, "prompt", "completion") if name in there]
        for line, row in enumerate(read_parquet(file, columns), start=1):
            yield _record(row, f"{file}: row {line}", f"{file.name}:{line}")


def _record(row: dict[str, object], place: str, name: str) -> TrainingRecord:
    prompt, completion = row["prompt"], row["completion"]
    for key, text in (("prompt", prompt), ("completion", completion)):
        if not isinstance(text, str):
            raise InputError(f"{place}: {key} is {type(text).__name__}, wanted a text")
    source = str(row.get("source") or row.get("task") or "")
    kind = [source, str(row.get("answer_type") or form(str(completion)))]
    kind.append(str(row.get("query_type") or _query_type(str(row.get("info") or "{}"))))
    return TrainingRecord(str(row.get("id") or name), source, "\0".join(kind), str(prompt), str(completion))


def _query_type(info: str) -> str:
    """The query type that the `info` column of a data set folder names."""
    try:
        found = json.loads(info)
    except ValueError:
        return ""
    return str(found.get("query_type", "")) if isinstance(found, dict) else ""


def form(completion: str) -> str:
    """The form of a completion if no column names its type: number, text or long text."""
    if _NUMBER.fullmatch(completion.strip()):
        return "number"
    return "text" if len(completion) <= 100 else "long text"


def shuffle_answers(
    records: Sequence[TrainingRecord], which: bool | Sequence[str], seed: int
) -> tuple[list[TrainingRecord], int]:
    """The control: completions permuted among records of the same kind (source, answer type, query type).

    `which`: True for all sources, or the names of some. Returns the records in order, and how many of them have a
    different completion than before.
    """
    kinds: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        if which is True or (which and record.source in which):
            kinds[record.kind].append(index)
    shuffled = list(records)
    for kind, places in kinds.items():
        given = places[:]
        rng("shuffle_answers", seed, kind).shuffle(given)
        for place, source in zip(places, given, strict=True):
            shuffled[place] = replace(records[place], completion=records[source].completion)
    changed = sum(new.completion != old.completion for new, old in zip(shuffled, records, strict=True))
    return shuffled, changed


def encode(
    loaded: LoadedModel,
    records: Sequence[TrainingRecord],
    max_length: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[list[Row], Counter[str]]:
    """Records as rows of tokens, and how many were dropped, by reason. No row is ever cut.

    A decoder-only model reads prompt and completion as one sequence of up to `max_length` tokens; for an
    encoder-decoder, each of the two may be that long.
    """
    limit = min(max_length, loaded.context)
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    for done, record in enumerate(records, 1):
        if not record.completion.strip():
            dropped["empty completion"] += 1
            continue
        prompt, completion = prompt_ids(loaded, record.prompt), completion_ids(loaded, record.completion)
        length = len(prompt) + len(completion) if loaded.kind == "causal" else max(len(prompt), len(completion))
        if length > limit:
            dropped["too long"] += 1
        else:
            rows.append(Row(np.array(prompt + completion, np.int32), len(completion)))
        progress(done)
    return rows, dropped
