"""Splits with an input and an output column -> tokens. What is cut or dropped is counted.

    splits = load_splits(arguments)                       # from a folder, the hub, or files
    encoded = encode(splits["train"], tokenizer, reading)
    encoded.cut                                           # {"inputs cut": 12, …}

An input over the limit is cut, as in the release, and so is an answer. For a table, this may cut away the rows that
contain the answer; such inputs are counted separately.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from symtune.types import InputError

LOADERS = {".json": "json", ".jsonl": "json", ".csv": "csv", ".parquet": "parquet"}
SPLITS = {"train": "train_file", "validation": "validation_file", "test": "test_file"}
# The columns besides the tokens: what was cut from a row (bits), and its lengths.
CUT_INPUT, CUT_ANSWER, LOST_ANSWER = 1, 2, 4
SAID = {
    "inputs cut": CUT_INPUT,
    "inputs cut that lost their answer": LOST_ANSWER,
    "answers cut": CUT_ANSWER,
}
NO_TEXT = "rows without an input or an output, dropped"


@dataclass(frozen=True)
class Reading:
    """How a split is read: its columns, and the longest input and answer, in tokens."""

    input_column: str
    output_column: str
    longest_input: int
    longest_answer: int
    processes: int | None = None
    fresh: bool = False  # tokenize again, whatever is cached


@dataclass(frozen=True)
class Encoded:
    """A split in tokens. `inputs`, `answers`: the lengths of its rows; `cut`: counts of what was cut and dropped."""

    rows: Any  # a datasets.Dataset with input_ids and labels
    inputs: Any
    answers: Any
    cut: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.inputs)

    def digest(self) -> str:
        """The sha256 of all tokens, in order."""
        hashed = hashlib.sha256()
        for batch in self.rows.data.table.select(["input_ids", "labels"]).to_batches():
            for column in batch.columns:
                hashed.update(column.flatten().to_numpy(zero_copy_only=False).astype("<i4").tobytes())
        hashed.update(self.inputs.tobytes() + self.answers.tobytes())
        return hashed.hexdigest()

    def reordered(self, order: Sequence[int]) -> Encoded:
        """The rows, or some of them, in another order."""
        places = np.asarray(order, np.int64)
        return Encoded(self.rows.select(places), self.inputs[places], self.answers[places], self.cut)


def load_splits(arguments: Any, cache_dir: str | None = None, token: bool = False) -> dict[str, Any]:
    """The splits that the arguments name. Raises InputError if they cannot be read."""
    found: dict[str, Any] = {}
    if arguments.dataset_name is not None:
        found |= _load(arguments.dataset_name, cache_dir=cache_dir, token=token or None)
    for split, name in SPLITS.items():
        file = getattr(arguments, name)
        if file is not None:
            suffix = Path(file).suffix.lower()
            if suffix not in LOADERS:
                raise InputError(f"--{name} {file}: wanted a file named {', '.join(LOADERS)}")
            if "://" not in file and not Path(file).is_file():
                raise InputError(f"--{name} {file}: no such file")
            found |= _load(LOADERS[suffix], data_files={split: file}, cache_dir=cache_dir)
    return found


def _load(name: str, **options: Any) -> dict[str, Any]:
    shown = next(iter(options.get("data_files", {}).values()), name)
    try:
        loaded = datasets.load_dataset(name, **options)
    except Exception as error:  # whatever the library and the client of the hub raise
        reason = " ".join(str(error.__cause__ or error).split())[:200] or type(error).__name__
        raise InputError(f"{shown}: cannot be loaded: {reason}") from None
    return dict(loaded)


def split_of(splits: Mapping[str, Any], split: str, flag: str) -> Any:
    """A split. Raises InputError if it is missing or has no rows."""
    if split not in splits:
        raise InputError(f"--{flag} needs a {split} split; there is {', '.join(splits) or 'none'}")
    if not len(splits[split]):
        raise InputError(f"--{flag}: the {split} split has no rows")
    return splits[split]


def encode(rows: Any, tokenizer: Any, reading: Reading, limit: int | None = None) -> Encoded:
    """The first `limit` rows in tokens, leaving out those without texts. Raises InputError for a missing column, and if
    nothing is left.
    """
    for column in (reading.input_column, reading.output_column):
        if column not in rows.column_names:
            raise InputError(f"no column {column!r}; there is {', '.join(rows.column_names)}")
    if limit is not None:
        rows = rows.select(range(min(limit, len(rows))))
    encoded = rows.map(
        _encode,
        fn_kwargs={"tokenizer": tokenizer, "reading": reading},
        batched=True,
        num_proc=min(reading.processes, len(rows)) if reading.processes and reading.processes > 1 else None,
        remove_columns=rows.column_names,
        load_from_cache_file=not reading.fresh,
        desc="tokens",
    )
    bits = np.asarray(encoded.with_format("numpy")["cut"][:], np.int64)
    counts = Counter({name: int(((bits & bit) > 0).sum()) for name, bit in SAID.items()})
    counts[NO_TEXT] = len(rows) - len(encoded)
    if not len(encoded):
        raise InputError(f"{len(rows):,} rows, and none has both an input and an output")
    inputs, answers = (np.asarray(encoded.with_format("numpy")[name][:], np.int64) for name in ("n_input", "n_answer"))
    kept = encoded.select_columns(["input_ids", "labels", "gold"])
    return Encoded(kept, inputs, answers, {name: count for name, count in counts.items() if count})


def _encode(batch: Mapping[str, list[Any]], tokenizer: Any, reading: Reading) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        name: [] for name in ("input_ids", "labels", "gold", "text", "cut", "n_input", "n_answer")
    }
    pairs = [
        (str(text), str(gold))
        for text, gold in zip(batch[reading.input_column], batch[reading.output_column], strict=True)
        if text is not None and gold is not None
    ]
    if not pairs:
        return found
    texts, golds = map(list, zip(*pairs, strict=True))
    inputs = tokenizer(texts)["input_ids"]
    answers = tokenizer(text_target=golds)["input_ids"]
    for text, gold, ids, labels in zip(texts, golds, inputs, answers, strict=True):
        cut = 0
        if len(ids) > reading.longest_input:
            ids = tokenizer(text, max_length=reading.longest_input, truncation=True)["input_ids"]
            kept = _squeezed(tokenizer.decode(ids, skip_special_tokens=True))
            lost = _squeezed(gold) in _squeezed(text) and _squeezed(gold) not in kept
            cut |= CUT_INPUT | (LOST_ANSWER if lost else 0)
        if len(labels) > reading.longest_answer:
            labels = tokenizer(text_target=gold, max_length=reading.longest_answer, truncation=True)["input_ids"]
            cut |= CUT_ANSWER
        for name, value in zip(found, (ids, labels, gold, text, cut, len(ids), len(labels)), strict=True):
            found[name].append(value)
    return found


def _squeezed(text: str) -> str:
    return "".join(text.lower().split())
