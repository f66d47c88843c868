"""Rows of an input and an output -> tokens. What is cut or dropped is counted.

    encoded = encode(split.rows(("input", "output")), tokenizer, reading)      # `symtune.published.rows` reads splits
    encoded.cut                                                                # {"inputs cut": 12, …}

An input over the limit is cut, as in the release, and so is an answer. For a table, this may cut away the rows that
contain the answer; such inputs are counted separately.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np

from symtune.published.rows import not_cached
from symtune.types import InputError

# The columns besides the tokens: what was cut from a row (bits), and its lengths.
CUT_INPUT, CUT_ANSWER, LOST_ANSWER = 1, 2, 4
SAID = {
    "inputs cut": CUT_INPUT,
    "inputs cut that lost their answer": LOST_ANSWER,
    "answers cut": CUT_ANSWER,
}
NO_TEXT = "rows without an input or an output, dropped"
_IDS, _NUMBER = datasets.List(datasets.Value("int32")), datasets.Value("int32")
FEATURES = datasets.Features(
    {
        "input_ids": _IDS,
        "labels": _IDS,
        "gold": datasets.Value("string"),
        "cut": _NUMBER,
        "n_input": _NUMBER,
        "n_answer": _NUMBER,
    }
)


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


def encode(rows: Any, tokenizer: Any, reading: Reading, limit: int | None = None) -> Encoded:
    """The first `limit` rows in tokens, leaving out those without texts. Raises InputError if nothing is left."""
    if limit is not None:
        rows = rows.select(range(min(limit, len(rows))))
    try:
        encoded = rows.map(
            _encode,
            fn_kwargs={"tokenizer": tokenizer, "reading": reading},
            batched=True,
            num_proc=min(reading.processes, len(rows)) if reading.processes and reading.processes > 1 else None,
            remove_columns=rows.column_names,
            features=FEATURES,
            load_from_cache_file=not reading.fresh,
            desc="tokens",
        )
    except OSError as error:
        raise not_cached(error) from None
    bits = np.asarray(encoded.with_format("numpy")["cut"][:], np.int64)
    counts = Counter({name: int(((bits & bit) > 0).sum()) for name, bit in SAID.items()})
    counts[NO_TEXT] = len(rows) - len(encoded)
    if not len(encoded):
        raise InputError(f"{len(rows):,} rows, and none has both an input and an output")
    inputs, answers = (np.asarray(encoded.with_format("numpy")[name][:], np.int64) for name in ("n_input", "n_answer"))
    kept = encoded.select_columns(["input_ids", "labels", "gold"])
    return Encoded(kept, inputs, answers, {name: count for name, count in counts.items() if count})


def _encode(batch: Mapping[str, list[Any]], tokenizer: Any, reading: Reading) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: [] for name in FEATURES}
    pairs = [
        (text, gold)
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
        for name, value in zip(found, (ids, labels, gold, cut, len(ids), len(labels)), strict=True):
            found[name].append(value)
    return found


def _squeezed(text: str) -> str:
    return "".join(text.lower().split())
