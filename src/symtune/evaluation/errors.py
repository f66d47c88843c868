"""The worst errors of an evaluation, with their tables, for people to look at: `errors.jsonl` in its folder.

The worst errors are wrong answers to the easiest questions: those that guessing would most often get right, then those
with the shortest prompts. They are taken in turn from the kinds of question (the first group of each), so that no kind
crowds out the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from symtune.benchmark import Benchmark
from symtune.outcomes import Outcome
from symtune.types import Table

FILE = "errors.jsonl"
MOST = 24
ROWS, COLUMNS, CELL, TEXT = 30, 30, 300, 8_000  # what is kept: rows, columns, characters of a cell and of a text


def worst(outcomes: Sequence[Outcome], most: int = MOST) -> list[Outcome]:
    """The worst of the outcomes that are not right, at most `most`, worst first."""
    kinds: dict[str, list[Outcome]] = {}
    wrong = [outcome for outcome in outcomes if outcome.score < 1]
    for outcome in sorted(wrong, key=lambda one: (-(one.question.chance or 0.0), len(one.prompt.text))):
        kinds.setdefault(next(iter(outcome.question.groups), ""), []).append(outcome)
    turns = max(map(len, kinds.values()), default=0)
    return [of[turn] for turn in range(turns) for _, of in sorted(kinds.items()) if turn < len(of)][:most]


def error_line(benchmark: Benchmark[Any], outcome: Outcome) -> str:
    """The line for errors.jsonl."""
    question = outcome.question
    text, tables = benchmark.shown(question)
    line = {
        "id": question.id,
        "groups": list(question.groups),
        "chance": question.chance,
        "question": text[:TEXT],
        "tables": [_cut(table) for table in tables],
        "prompt": outcome.prompt.text[:TEXT],
        "target": list(question.target),
        "text": outcome.completion.text[:TEXT],
        "prediction": list(outcome.prediction),
        "score": outcome.score,
        "verdict": outcome.verdict,
    }
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def _cut(table: Table) -> dict[str, Any]:
    """The table, cut to a readable size, and how many rows and columns it has in all."""
    cut = Table(
        id=table.id,
        header=tuple(name[:CELL] for name in table.header[:COLUMNS]),
        types=table.types[:COLUMNS],
        rows=tuple(tuple(cell[:CELL] for cell in row[:COLUMNS]) for row in table.rows[:ROWS]),
        name=table.name,
        source=table.source,
        title=table.title[:CELL],
    )
    return {**cut.to_json(), "of_rows": len(table.rows), "of_columns": len(table.header)}
