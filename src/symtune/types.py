"""The types that every part of symtune uses, and the hierarchy of its errors. Imports none of our modules.

Errors (each prints as ONE line: what, where, got and wanted, how to fix it; the command line exits with 2):

    SymtuneError
    ├── InputError        a file, value, name or argument that a user can fix
    │   └── UnknownName   an unknown name, with "Did you mean …?"
    ├── MissingExtra      an optional dependency that is not installed
    ├── LeakError         data of one split found where it must not be
    └── OutputError       an output that cannot be written
    Rejected        a program that has no answer on its context; carries a `reason` that is counted
"""

from __future__ import annotations

import difflib
import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal, NamedTuple

import msgspec

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Form = Literal["none", "compact", "full"]
FORMS: tuple[Form, ...] = ("compact", "full")  # of worked solutions; "none" is only the answer

ColumnType = Literal["number", "date", "text"]
Value = int | float | str | None  # what a cell means to an executor; a date is its ISO text
Fields = Mapping[str, Any]  # everything that the prompt shows and that the executor sees
Measure = Callable[[str], int]  # text -> tokens


class SymtuneError(Exception):
    """A user error. `str(error)` is one line for people."""


class InputError(SymtuneError):
    """A file, value, name or argument is not what was wanted."""


class UnknownName(InputError):  # noqa: N818 - reads as the field says it
    """A name is unknown."""

    def __init__(self, kind: str, got: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}"
        super().__init__(f"unknown {kind} {got!r}. {hint}")


class MissingExtra(SymtuneError):  # noqa: N818
    """An optional dependency is needed but not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'symtune[{extra}]'")


class LeakError(SymtuneError):
    """Data of one split was found where it must not be."""


class OutputError(SymtuneError):
    """An output cannot be written."""


class Rejected(Exception):  # noqa: N818 - reads as the field says it
    """A program has no answer on its context. `reason` is a short name that manifests count."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency, or raise MissingExtra that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingExtra(module.split(".")[0], extra, purpose) from None


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was written. `rows[r][c]` is the text of a cell; `types[c]` says how to read it.

    The names in `header` are unique: loading makes them so, and they are shown that way. `name` is the table's name in
    SQL. A view (rows and columns chosen from a table) is a Table too: its `source` is the id of the table it was cut
    from.
    """

    id: str
    header: tuple[str, ...]
    types: tuple[ColumnType, ...]
    rows: tuple[tuple[str, ...], ...]
    name: str = "w"
    source: str = ""
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `Table.from_json` reads back to an equal table."""
        return {
            "id": self.id,
            "name": self.name,
            "source": self.source,
            "title": self.title,
            "header": list(self.header),
            "types": list(self.types),
            "rows": [list(row) for row in self.rows],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Table:
        """The table that `to_json` wrote. Raises InputError on anything else."""
        try:
            table = cls(
                id=str(value["id"]),
                header=tuple(map(str, value["header"])),
                types=tuple(value["types"]),
                rows=tuple(tuple(map(str, row)) for row in value["rows"]),
                name=str(value.get("name", "w")),
                source=str(value.get("source", "")),
                title=str(value.get("title", "")),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"not a stored table: {type(error).__name__} {error}") from None
        width = len(table.header)
        if not set(table.types) <= {"number", "date", "text"}:
            raise InputError(f"stored table {table.id!r}: types are number, date and text, got {table.types}")
        if len(table.types) != width or any(len(row) != width for row in table.rows):
            raise InputError(f"stored table {table.id!r}: rows, types and header differ in width")
        return table


class Denotation(msgspec.Struct, frozen=True, gc=False):
    """What a program yields, as it is shown: `rows[r][c]` is a text (a cell as written, or a number by the number rule
    of denotation.py). `ordered` says whether the order of the rows matters. `kind` is the answer type: number, date or
    text for one column, "row" for several, in "list[…]" if there are several rows, for example "number", "list[text]",
    "row", "list[row]".
    """

    rows: tuple[tuple[str, ...], ...]
    ordered: bool = False
    kind: str = "text"


class Traits(msgspec.Struct, frozen=True, gc=False):
    """What is known about an example besides its fields and its answer. None of it affects the answer.

    query_type: the kind of program, by which results are broken down. operators: what the program uses. chance: the
    expected score of guessing, None if unknown. shortcut: what would answer it without reading. classes: the classes
    of answers that it belongs to and whose shares are bounded. origin: what the program was made from (the id of an SQL
    template), "" if it was drawn freely. idle: the kinds of the program's parts that can be dropped without changing
    the answer, None if that was not examined. solution: the form (of `FORMS`) of the worked solution that is its
    completion, "" if that is only the answer.
    """

    query_type: str = ""
    operators: tuple[str, ...] = ()
    chance: float | None = None
    difficulty: float = 0.0
    shortcut: str = ""
    classes: tuple[str, ...] = ()
    origin: str = ""
    idle: tuple[str, ...] | None = None
    solution: str = ""


class Needless(NamedTuple):
    """What a program could do without: its parts by kind, and of them those that can be dropped without changing the
    answer; and the places where something may be swapped for its neighbour, and of them those where the answer stays.
    untried: changes of which nobody computed the answer, since that is too much work.
    """

    parts: Counter[str]
    idle: Counter[str]
    swaps: Counter[str]
    same: Counter[str]
    untried: int = 0


class Step(msgspec.Struct, frozen=True, gc=False):
    """A line of a worked solution, and what is wrong with it: "" if it holds."""

    text: str
    fault: str = ""


class Steps(msgspec.Struct, frozen=True, gc=False):
    """A verifier's judgement of the steps of a worked solution. `left_out`: the number of missing steps that were
    required, and in words the first of them; `spared`: the number of missing steps that only the form `full` has.
    """

    steps: tuple[Step, ...]
    left_out: int = 0
    first_left_out: str = ""
    spared: int = 0

    @property
    def share(self) -> float:
        """The share of steps that hold, of all steps written or left out."""
        total = len(self.steps) + self.left_out
        return sum(not step.fault for step in self.steps) / total if total else 1.0

    @property
    def first_wrong(self) -> tuple[int, str, str] | None:
        """The first step that does not hold: its number, from 1, its text, and what is wrong. If steps are only left
        out, the position after the last step. None if all hold.
        """
        for number, step in enumerate(self.steps, start=1):
            if step.fault:
                return number, step.text, step.fault
        return (len(self.steps) + 1, "", self.first_left_out) if self.left_out else None

    def fault(self, form: str) -> str:
        """Why these are not the steps of a solution of this form, in one line; "" if they are."""
        if self.first_wrong is not None:
            number, text, why = self.first_wrong
            return f"step {number}{f' {text!r}' if text else ''}: {why}"
        return f"{self.spared} steps of the form full are missing" if form == "full" and self.spared else ""


class Example(msgspec.Struct, frozen=True, gc=False):
    """One verified item of a symbolic task, not yet rendered: it can be executed and prompted again at any time.

    answer_type: the `kind` of its denotation; ordered: whether the order of the answer's rows matters.
    """

    id: str
    task: str
    fields: Fields
    answer: str
    answer_type: str = "text"
    ordered: bool = False
    traits: Traits = Traits()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that it shows, if any."""
        found: tuple[Table, ...] = self.fields.get("tables", ())
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one prediction: `score` in [0, 1] and a short reason."""

    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote for one prompt."""

    text: str
    finish: Literal["stop", "length", "error"] = "stop"
    tokens_in: int = 0
    tokens_out: int = 0


# All that evaluation needs from a model: prompts in, (index, completion) out, in any order, as they become available.
Generate = Callable[[Sequence[str]], Iterator[tuple[int, Completion]]]


@dataclass(frozen=True, slots=True)
class Result:
    """One score of one model on one benchmark split, always with its n and its 95 % interval. Score and interval are
    None if the release lacks parts, because there is then no score for the whole benchmark.
    """

    benchmark: str
    split: str
    metric: str
    score: float | None
    n: int
    interval: tuple[float, float] | None
    group: str = ""  # "" for the whole benchmark; otherwise, for example, a query type
    notes: Mapping[str, Any] = field(default_factory=dict)

    def noting(self, notes: Mapping[str, Any]) -> Result:
        """The result with more notes, after those that it has."""
        return replace(self, notes={**self.notes, **notes})
