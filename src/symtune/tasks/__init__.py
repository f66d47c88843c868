"""Symbolic tasks: endless sources of verified examples. One file a task in this folder, found because it is there.

A task is a module-level instance named `TASK` of a class that derives from `SymbolicTask`:

    class Reverse(SymbolicTask):
        name, version = "reverse", 1
        templates = (PromptTemplate("reverse/plain", "Write backwards: {{ text }}"),)

        def sample(self, rng, setting):          # what the prompt shows AND what the executor sees
            return {"text": rng.choice("abc") * 3}

        def execute(self, fields):               # the one answer, or Rejected with a reason
            return Denotation(((fields["text"][::-1],),))

    TASK = Reverse()

`--task NAME` finds a task of this folder, `--task ./my_task.py` one of your own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from symtune.denotation import render
from symtune.prompts import PromptTemplate
from symtune.seeds import digest
from symtune.sql.corpus.templates import SqlTemplates
from symtune.tables import TableSet, split_of
from symtune.types import (
    Denotation,
    Example,
    Fields,
    InputError,
    Measure,
    Rejected,
    Split,
    Table,
    UnknownName,
)


@dataclass(frozen=True)
class Setting:
    """All that a draw may depend on besides its generator."""

    split: Split
    tables: TableSet
    measure: Measure
    budget: int = 1024  # tokens of prompt and completion together
    exact: bool = False  # `measure` is a tokenizer's count, not the estimate: count every whole prompt with it
    programs: int = 16  # examples a block: programs over one context
    rows: tuple[int, int] = (3, 40)  # of a view
    columns: tuple[int, int] = (2, 8)
    max_cell: int = 200  # characters; columns with longer cells are not shown
    linearizations: tuple[str, ...] = ()  # () is all
    templates: tuple[str, ...] = ()  # ids or keys of prompt templates; () is all
    held_out_templates: float = 0.0  # share of prompt templates kept from train: the only ones of the other splits
    query_types: Mapping[str, float] | None = None  # None is the default mix
    difficulty: tuple[float, float] | None = None
    max_answer_rows: int = 10
    joins: float | None = None  # share of blocks over several tables; None: few, more where there are foreign keys
    sql_templates: SqlTemplates | None = None  # SQL templates to draw programs from
    sql_template_share: float = 0.0  # of programs
    verify: str = ""  # a further engine that checks every answer before it goes out: one of the task's `engines`


class Drawn(msgspec.Struct, frozen=True, gc=False):
    """An example of a block and its prompt. `tables` are what `example.fields` refers to by id."""

    example: Example
    prompt: str
    tables: tuple[Table, ...] = ()


class SymbolicTask(ABC):
    """A task without end. `version` is bumped when its stream changes."""

    name: str
    version: int
    templates: tuple[PromptTemplate, ...] = ()
    engines: tuple[str, ...] = ()  # further engines that can check answers again, for `verify` and `audit --engine`

    @abstractmethod
    def sample(self, rng: Random, setting: Setting) -> Fields:
        """Draw the fields of one item. Raises Rejected to give up a draw under a reason."""

    @abstractmethod
    def execute(self, fields: Fields) -> Denotation:
        """The answer of the fields. Raises Rejected where there is no one answer."""

    def check(self, fields: Fields, answer: str) -> bool:
        """Whether the answer is proven for the fields."""
        return render(self.execute(fields)) == answer

    def disagreements(self, engine: str, batch: Sequence[Fields]) -> dict[int, str]:
        """What a further engine does not confirm: position in the batch -> what it says. Raises UnknownName."""
        raise UnknownName(f"engine of task {self.name}", engine, self.engines)

    def bounds(self, setting: Setting) -> Mapping[str, float]:
        """Class of answers (of a draw's meta["balance"]) -> the largest share that it may have of a data set."""
        return {}

    def split_key(self, fields: Fields) -> str:
        """What splits are made by: items with one key fall into one split."""
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)

    def shown(self, fields: Fields) -> Mapping[str, str]:
        """The fields as texts for the prompt template's placeholders."""
        return {name: str(value) for name, value in fields.items()}

    def chosen_templates(self, setting: Setting) -> tuple[PromptTemplate, ...]:
        """The prompt templates of the setting: by id, or by the key behind the task's name; all of them for ().

        Raises UnknownName, and InputError where holding out leaves none.
        """
        known = {template.key: template for template in self.templates}
        for name in setting.templates:
            if name.rpartition("/")[2] not in known:
                raise UnknownName("prompt template", name, known)
        keys = [name.rpartition("/")[2] for name in setting.templates] or list(known)
        if setting.held_out_templates:
            held = held_out(known, setting.held_out_templates)
            keys = [key for key in keys if (key in held) == (setting.split != "train")]
        if not keys:
            raise InputError(
                f"holding out {setting.held_out_templates:.0%} of {len(known)} prompt templates leaves none for "
                f"{setting.split}"
            )
        return tuple(known[key] for key in keys)

    def block(self, rng: Random, setting: Setting, key: str, rejects: Counter[str]) -> Iterator[Drawn]:
        """The verified examples of one block, a pure function of the arguments. Rejects are counted by reason.

        Tasks with a costly context override this, to draw many programs over one context.
        """
        templates = self.chosen_templates(setting)
        for number in range(setting.programs):
            try:
                fields = self.sample(rng, setting)
                if split_of(digest(self.split_key(fields)).hex()) != setting.split:
                    raise Rejected("another split's")
                denotation = self.execute(fields)
                answer = render(denotation)
                if not self.check(fields, answer):
                    raise Rejected("check failed")
            except Rejected as error:
                rejects[error.reason] += 1
                continue
            template = templates[int(rng.random() * len(templates))]
            prompt = template.render(self.shown(fields))
            if setting.measure(prompt) + setting.measure(answer) > setting.budget:
                rejects["over the token budget"] += 1
                continue
            meta = {
                "answer_type": denotation.kind,
                "table_id": "",
                "template_id": template.id,
                "difficulty": 0.0,
                "info": {**fields, "ordered": denotation.ordered},
            }
            yield Drawn(Example(f"{key}/{number}", self.name, fields, answer, meta), prompt)


def held_out(keys: Iterable[str], share: float) -> frozenset[str]:
    """The keys of the prompt templates that never stand in train: a share of all there are, rounded, at least one."""
    ranked = sorted(keys, key=digest)
    return frozenset(ranked[: max(1, round(share * len(ranked)))])


def names() -> list[str]:
    """The names of the tasks of this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> SymbolicTask:
    """A task of this folder by name, or of a user's file by its path. Raises UnknownName or InputError."""
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise InputError(f"--task {name}: no such file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise InputError(f"--task {name}: not a Python file")
        module: Any = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # the file is the user's: whatever it raises is the user's to mend
            raise InputError(f"--task {name}:{_line_of(error, path)}: {type(error).__name__}: {error}") from None
    elif name in names():
        module = importlib.import_module(f"{__name__}.{name}")
    else:
        raise UnknownName("task", name, names())
    task = getattr(module, "TASK", None)
    if not isinstance(task, SymbolicTask):
        raise InputError(f"--task {name}: defines no TASK that is a SymbolicTask")
    return task


def _line_of(error: BaseException, path: Path) -> int:
    """The last line of the file that an error passed through; where the error is of syntax, the line it names."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return line
