"""SQL templates: the shapes in SQL corpora, merged and counted, in one JSON file that `generate` reads.

    built = build(statements)              # sql/corpus/corpora.py reads them
    save(Path("my_templates.json"), built, inputs, license="…")
    templates = load("default")            # or a path

A template's id is the hash of its shape. Its split is determined by the hash of its SQL text, 90 / 5 / 5 as for tables,
so shapes that differ only in the types of their slots are always in the same split.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from symtune.output import new_file, sha256
from symtune.seeds import digest
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.corpus.scopes import Schema
from symtune.sql.corpus.shapes import Shape, shape_tree
from symtune.sql.corpus.slots import SLOT_TYPES, ColumnSlot, ValueSlot
from symtune.sql.language import tree as t
from symtune.sql.language.measures import operators
from symtune.tables import split_of
from symtune.types import InputError, Rejected, Split

DEFAULT = Path(__file__).parent / "wikisql_templates.json"
MADE_BY, VERSION = "sql-templates", 1
MAX_EXAMPLE = 300  # characters kept of the example statement
MAX_FILE = 64_000_000  # bytes of a template file; Spider's has 400 kB


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a corpus. `example` is the text to show if `sql` is only a stand-in; `reject` is the reason if
    its reader could not turn it into SQL.
    """

    sql: str
    schema: Schema | None = None
    example: str = ""
    reject: str = ""


@dataclass(frozen=True, slots=True)
class SqlTemplate:
    """A shape found in a corpus: `count` of its statements have this shape, and `example` is the first of them."""

    id: str
    shape: Shape
    count: int
    operators: tuple[str, ...]
    example: str

    @property
    def split(self) -> Split:
        return split_of(digest(self.shape.sql).hex())


@dataclass
class Built:
    """The templates of a corpus. `rejects`: reason -> number of statements; `rejected`: reason -> the first few of
    them; `details`: reason -> what exactly is wrong with the first, if known."""

    statements: int = 0
    accepted: int = 0
    templates: list[SqlTemplate] = field(default_factory=list)
    rejects: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, list[str]] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SqlTemplates:
    """The templates of a file. `sha256` is that of the file; `trees` are those of the templates, in the same order.
    Equal only to itself."""

    name: str
    sha256: str
    templates: tuple[SqlTemplate, ...]
    trees: tuple[t.Query, ...]

    def of_split(self, split: Split) -> SqlTemplates:
        """The templates whose SQL text hashes into the split. Raises InputError if there are none."""
        kept = [i for i, template in enumerate(self.templates) if template.split == split]
        if not kept:
            raise InputError(f"{self.name}: none of {len(self.templates)} SQL templates falls into split {split!r}")
        return SqlTemplates(
            self.name, self.sha256, tuple(self.templates[i] for i in kept), tuple(self.trees[i] for i in kept)
        )


# -------------------------------------------------------------------------------------------------- building


def build(statements: Iterable[Statement], progress: Callable[[int], None] | None = None) -> Built:
    """The templates of a corpus: equal shapes merged and counted, rejects counted by reason. Raises InputError if no
    statement of the corpus gives a template."""
    built = Built()
    shapes = _Shapes()
    found: dict[str, tuple[_Usable, list[Any]]] = {}
    for statement in statements:
        built.statements += 1
        if progress and built.statements % 500 == 0:
            progress(built.statements)
        usable = _Why(statement.reject, "") if statement.reject else shapes.of(statement)
        if isinstance(usable, _Why):
            _reject(built, usable, statement)
            continue
        built.accepted += 1
        example = " ".join((statement.example or statement.sql).split())[:MAX_EXAMPLE]
        found.setdefault(usable.id, (usable, [0, example]))[1][0] += 1
    built.templates = [
        SqlTemplate(usable.id, usable.shape, count, usable.operators, example)
        for usable, (count, example) in found.values()
    ]
    if not built.accepted:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in built.rejects.most_common(3)) or "the corpus is empty"
        raise InputError(f"none of {built.statements} statements gives a template: {reasons}")
    built.templates.sort(key=lambda template: (-template.count, template.id))
    return built


@dataclass(frozen=True, slots=True)
class _Usable:
    """A shape whose text can be read back, as it will be from a template file."""

    id: str
    shape: Shape
    operators: tuple[str, ...]


class _Why(NamedTuple):
    """Why a statement has no shape."""

    reason: str
    detail: str

    @classmethod
    def of(cls, error: Rejected) -> _Why:
        """The reason and detail of an error, without its traceback."""
        return cls(error.reason, str(error).removeprefix(error.reason).removeprefix(": ")[:MAX_EXAMPLE])


class _Shapes:
    """The shapes of statements, each read once: statements are repeated in a corpus, and shapes even more so."""

    def __init__(self) -> None:
        # By text and id() of the schema. The schema is kept too, so that its id is not reused.
        self._statements: dict[tuple[str, int], tuple[Schema | None, _Usable | _Why]] = {}
        self._shapes: dict[str, _Usable | _Why] = {}

    def of(self, statement: Statement) -> _Usable | _Why:
        """The shape of a statement, or why it has none."""
        key = (statement.sql, id(statement.schema))
        if key not in self._statements:
            self._statements[key] = statement.schema, self._found(statement)
        return self._statements[key][1]

    def _found(self, statement: Statement) -> _Usable | _Why:
        try:
            shape = abstract(statement.sql, statement.schema)
        except Rejected as error:
            return _Why.of(error)
        key = _id(shape)
        if key not in self._shapes:
            try:
                self._shapes[key] = _Usable(key, shape, _operators(shape_tree(shape)))
            except Rejected as error:
                self._shapes[key] = _Why.of(error)
        return self._shapes[key]


def _reject(built: Built, why: _Why, statement: Statement) -> None:
    built.rejects[why.reason] += 1
    if why.reason not in built.rejected and why.detail:
        built.details[why.reason] = why.detail
    shown = built.rejected.setdefault(why.reason, [])
    if len(shown) < 3:
        shown.append(" ".join((statement.example or statement.sql)[:MAX_EXAMPLE].split()))


def _operators(tree: t.Query) -> tuple[str, ...]:
    return tuple(sorted(operators(t.walk(tree))))


def _id(shape: Shape) -> str:
    return digest(json.dumps(_shape_json(shape))).hex()


def _shape_json(shape: Shape) -> dict[str, Any]:
    columns: dict[str, Any] = {name: slot.type for name, slot in shape.columns.items()}
    found: dict[str, Any] = {"sql": shape.sql, "columns": columns}
    found["values"] = {name: [slot.column, slot.use, slot.row] for name, slot in shape.values.items()}
    if shape.tables == 2:
        found["tables"] = {name: slot.table for name, slot in shape.columns.items()}
    return found


# ------------------------------------------------------------------------------------------------------ files


def save(
    path: Path, built: Built, inputs: Sequence[Mapping[str, Any]], *, license: str = "", overwrite: bool = False
) -> None:
    """Write the template file: a JSON object with one template per line. The same corpus gives the same bytes."""
    head = {
        "symtune": MADE_BY,
        "version": VERSION,
        "license": license,
        "inputs": list(inputs),
        "statements": built.statements,
        "accepted": built.accepted,
        "rejects": dict(sorted(built.rejects.items())),
    }
    lines = [
        json.dumps(
            {
                "id": template.id,
                **_shape_json(template.shape),
                "count": template.count,
                "operators": template.operators,
                "example": template.example,
            },
            ensure_ascii=False,
        )
        for template in built.templates
    ]
    text = (
        json.dumps(head, indent=1, ensure_ascii=False)[:-2]
        + ',\n "templates": [\n  '
        + ",\n  ".join(lines)
        + "\n ]\n}\n"
    )
    with new_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, "utf-8", errors="replace")  # file names and --license may hold anything


def path_of(name: str) -> Path:
    """The file that a name stands for: the shipped one for "default"."""
    return DEFAULT if name == "default" else Path(name)


def load(name: str) -> SqlTemplates:
    """The templates of a file, or the shipped ones for "default". Raises InputError if it is not a template file."""
    path = path_of(name)
    try:
        if path.stat().st_size > MAX_FILE:
            raise ValueError(f"more than {MAX_FILE:,} bytes")
        body = json.loads(path.read_text("utf-8"))
        if body["symtune"] != MADE_BY or body["version"] != VERSION:
            raise ValueError("a file of another kind or version")
        entries = list(body["templates"])
    except FileNotFoundError:
        raise InputError(f"SQL templates {name}: no such file; build one with `symtune sql-templates build`") from None
    except OSError as error:
        raise InputError(f"SQL templates {name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"SQL templates {name}: not a file from `symtune sql-templates build` ({type(error).__name__}: {error})"
        ) from None
    found = [_read(entry, f"{name}: template {i}") for i, entry in enumerate(entries)]
    if not found:
        raise InputError(f"SQL templates {name}: no SQL templates in it")
    return SqlTemplates(path.name, sha256(path), tuple(f[0] for f in found), tuple(f[1] for f in found))


def _read(entry: Any, where: str) -> tuple[SqlTemplate, t.Query]:
    """One line of a template file, which may have been written by hand."""
    try:
        sides = entry.get("tables", {})
        columns = {_slot(n, "c"): ColumnSlot(kind, _whole(sides.get(n, 0), 2)) for n, kind in entry["columns"].items()}
        values = {
            _slot(n, "v"): ValueSlot(_text(column), _text(use), _whole(row, 63))
            for n, (column, use, row) in entry["values"].items()
        }
        shape = Shape(_text(entry["sql"]), columns, values, 2 if sides else 1)
        count = max(1, _whole(entry["count"], 10**12))
        example = _text(entry.get("example", ""))[:MAX_EXAMPLE]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: {type(error).__name__}: {error}") from None
    for type_ in (slot.type for slot in columns.values()):
        if type_ not in SLOT_TYPES:
            raise InputError(f"{where}: a column slot of type {type_!r}; wanted one of {', '.join(SLOT_TYPES)}")
    try:
        tree = shape_tree(shape)
    except Rejected as error:
        raise InputError(f"{where}: {error}") from None
    return SqlTemplate(_id(shape), shape, count, _operators(tree), example), tree


def _slot(name: str, letter: str) -> str:
    if name[:1] != letter or not name[1:].isdigit() or len(name) > 4:
        raise ValueError(f"a slot named {name[:20]!r}; wanted {letter}1, {letter}2, …")
    return name


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"wanted a whole number from 0 to {most:,}, got {str(value)[:20]}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"wanted a text, got {type(value).__name__}")
    value.encode()  # a lone surrogate cannot be written
    return value
