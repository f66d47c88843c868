"""The contract of a symbolic task: an endless source of examples whose every answer is proven.

Everything specific to a task is defined on the task: its options, what it draws, executes and proves, its prompts, how
it scores, and the words in which cards and messages describe it. A complete task:

    class Reverse(SymbolicTask):
        name, version, needs_tables = "reverse", 1, False
        templates = (PromptTemplate("reverse/plain", "Write backwards: {{ text }}"),)

        def sample(self, rng, setting):          # what the prompt shows AND what the executor sees
            return {"text": rng.choice("abc") * 3}

        def execute(self, fields):               # the answer, or Rejected with a reason
            return Denotation(((fields["text"][::-1],),))

    TASK = Reverse()

A task that can show its work has `WorkedOptions`, or a class derived from it, as its options, and defines `solution`
and `verify_solution`; docs/solutions.md states their contract.

A task that shows tables (`needs_tables`) draws from `setting.views` and returns them as the field `tables`, a tuple of
`Table`; its templates then have the placeholder `table` for their text.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from symtune.config import Strict
from symtune.denotation import CELL_DELIMITER, ROW_DELIMITER, is_written, parse, render, same_answer
from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize_all
from symtune.quotas import Quotas, aimed
from symtune.seeds import digest, rng
from symtune.tables import DEFAULT_SHARES, Shares, Views, cut_for_question, split_of
from symtune.tokens import estimate
from symtune.types import (
    Denotation,
    Example,
    Fields,
    Form,
    InputError,
    Measure,
    Needless,
    Rejected,
    Split,
    Steps,
    Table,
    Traits,
    UnknownName,
)
from symtune.worked import Process, check_solution, parted

DRAWS = 50  # draws for each example of a block, since some belong to other splits
TABLES = "tables"  # the field that holds the tables that an example shows
# Names in a stored example's `info` that are not fields.
TRAITS = ("ordered", "query_type", "operators", "chance", "solution")

EVERY = "all"  # the key of the total, where draws are counted by construct

Fits = Callable[[str], bool]  # whether a prompt is short enough


class Options(Strict):
    """The options of a task. A task with options derives a class with typed fields, each with a default, and with its
    help as its description.
    """


class WorkedOptions(Options):
    """The options of a task that can show its work."""

    solution: Form = Field(
        default="none",
        description="What a completion is: only the answer (`none`), or a worked solution that ends in it, with the "
        "steps that change something (`compact`) or with all steps (`full`).",
    )


@dataclass(frozen=True)
class Setting:
    """Everything that a draw may depend on besides its generator.

    budget: tokens of prompt and completion together, counted by `measure`; `exact`: `measure` is a tokenizer's count
    and not the estimate, so every whole prompt is counted with it. programs: examples per block. templates: ids or
    keys of prompt templates, () for all; held_out_templates: the share of them that is kept out of train, and that
    alone is used in the other splits. verify: an additional engine that must confirm every answer. views: the tables
    and how they are shown, None for a task without tables. shares: those of the splits. prepared: what
    `SymbolicTask.prepare` returned.
    """

    split: Split = "train"
    measure: Measure = estimate
    budget: int = 1024
    exact: bool = False
    programs: int = 16
    templates: tuple[str, ...] = ()
    held_out_templates: float = 0.0
    verify: str = ""
    shares: Shares = DEFAULT_SHARES
    views: Views | None = None
    options: Options = field(default_factory=Options)
    prepared: Any = None

    @property
    def solution(self) -> Form:
        """The form of worked solution that completions are to have."""
        return self.options.solution if isinstance(self.options, WorkedOptions) else "none"


@dataclass
class Tally:
    """What happened to draws that gave no example: rejects by reason, and draws that belong to another split.
    `unsolved`: the constructs of draws that were rejected for lack of a worked solution or of room for one.
    """

    rejects: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    unsolved: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.rejects.update(other.rejects)
        self.elsewhere += other.elsewhere
        self.unsolved.update(other.unsolved)

    def reject(self, reason: str, traits: Traits, form: Form) -> None:
        """Count a draw that would be an example, had its completion not been rejected."""
        self.rejects[reason] += 1
        if form != "none":
            self.unsolved.update((EVERY, *traits.operators))


class Drawn(msgspec.Struct, frozen=True, gc=False):
    """An example of a block, its prompt, and how the prompt was made: the id of a template, and a linearization or "".
    `worked`: the worked solution that is its completion; "" if that is only the answer.
    """

    example: Example
    prompt: str
    template: str
    linearization: str = ""
    worked: str = ""

    @property
    def completion(self) -> str:
        """What a model must write."""
        return self.worked or self.example.answer


class Words(msgspec.Struct, frozen=True):
    """How cards and messages describe a task's examples. `chance` is followed by a share; `remedies`: for each reason,
    what to change if it rejects most draws.
    """

    query_types: str = "Kinds of example"
    operators: str = "Constructs (share of examples that use them)"
    chance: str = "Guessing scores"
    remedies: Mapping[str, str] = msgspec.field(default_factory=dict)


class SymbolicTask(ABC):
    """An endless task. `version` is bumped whenever its stream changes.

    imitates: benchmarks with similar questions, which are in-domain for a model that was trained on the task. engines:
    additional engines that can check its answers, for `verify` and `audit --engine`. doubts: reasons of rejects that
    should never occur -> the engine that did not confirm the answer.
    """

    name: str
    version: int
    needs_tables: bool = False
    templates: tuple[PromptTemplate, ...] = ()
    options: type[Options] = Options
    engines: tuple[str, ...] = ()
    doubts: ClassVar[Mapping[str, str]] = {}
    words: Words = Words()
    imitates: tuple[str, ...] = ()

    # ------------------------------------------------------------------------------------------ drawing and proving

    @abstractmethod
    def sample(self, rng: Random, setting: Setting) -> Fields:
        """Draw the fields of one item. Raises Rejected to give up a draw under a reason."""

    @abstractmethod
    def execute(self, fields: Fields) -> Denotation:
        """The answer for the fields. Raises Rejected if there is none, or more than one."""

    def check(self, fields: Fields, answer: str) -> bool:
        """Whether the answer is proven for the fields. Raises Rejected if the fields have no answer."""
        return is_written(answer, self.execute(fields))

    def disagreements(self, engine: str, batch: Sequence[Fields]) -> dict[int, str]:
        """What an additional engine does not confirm: position in the batch -> its answer. Raises UnknownName."""
        raise UnknownName(f"engine of task {self.name}", engine, self.engines)

    def needless(self, fields: Fields) -> Needless | None:
        """The parts of the program, and which of them can be dropped without changing the answer; None where the
        programs of the task have no parts. Raises Rejected if the fields have no answer.
        """
        return None

    def solution(self, fields: Fields, form: Form, rng: Random) -> str | None:
        """The steps that lead to the answer, one per line, in this form and in a wording drawn from `rng`; None if the
        task cannot show its work. Raises Rejected("no solution") for fields that it cannot put into words.
        """
        return None

    def verify_solution(self, fields: Fields, text: str) -> Steps:
        """Which of the steps in a text hold for the fields, by an execution that shares no code with `solution`. Anyone
        may have written the text. Raises Rejected if the fields have no solution.
        """
        raise Rejected("no solution", f"the task {self.name} has none")

    def worked(self, example: Example, form: Form) -> str:
        """The completion with a worked solution, proven. Raises Rejected if there is none or it does not hold."""
        text = self.solution(example.fields, form, rng("solution", example.id))
        if text is None:
            raise Rejected("no solution", f"the task {self.name} has none")
        return check_solution(text, self.verify_solution(example.fields, text), example.answer, form)

    def variants(self, fields: Fields) -> Iterator[Fields]:
        """Other fields that must have the same answer, such as rows in another order; the self-test executes them."""
        return iter(())

    def prepare(self, setting: Setting) -> Any:
        """What all blocks share and is costly to make, such as files that options name. Raises InputError."""
        return None

    def ready(self, setting: Setting) -> Setting:
        """The setting, with what `prepare` returns. Raises InputError and UnknownName for an unusable setting."""
        self.chosen_templates(setting)
        if setting.solution != "none" and type(self).solution is SymbolicTask.solution:
            raise InputError(f"the task {self.name} writes no worked solutions; leave solution out")
        if setting.verify and setting.verify not in self.engines:
            raise UnknownName(f"engine of task {self.name}", setting.verify, self.engines)
        for name in setting.views.linearizations if setting.views else ():
            if name not in LINEARIZATIONS:
                raise UnknownName("linearization", name, LINEARIZATIONS)
        return replace(setting, prepared=self.prepare(setting))

    def describe(self, fields: Fields, denotation: Denotation) -> Traits:
        """What is known about an example besides its answer: its kind, chance, difficulty, classes of answers."""
        return Traits()

    def bounds(self, setting: Setting) -> Mapping[str, float]:
        """Class of answers (`Traits.classes`) -> the largest share of a data set that it may have."""
        return {}

    def split_key(self, fields: Fields) -> str:
        """What determines the split: items with the same key are in the same split."""
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)

    # ------------------------------------------------------------------------------------------------------- prompts

    def shown(self, fields: Fields) -> Mapping[str, str]:
        """The fields as texts for the prompt template's placeholders; `table` is filled in for a task with tables."""
        return {name: str(value) for name, value in fields.items() if name != TABLES}

    def templates_for(self, fields: Fields) -> tuple[PromptTemplate, ...]:
        """The prompt templates that fit the fields."""
        return self.templates

    def template(self, name: str, fields: Fields) -> PromptTemplate | None:
        """The prompt template for the fields, by id or key; None if there is none with that name."""
        key = name.rpartition("/")[2]
        return next((template for template in self.templates_for(fields) if template.key == key), None)

    def prompt(self, fields: Fields, template: PromptTemplate, linearization: str = "") -> str:
        """The prompt. The same arguments give the same text, at any time."""
        shown = dict(self.shown(fields))
        if TABLES in fields:
            shown["table"] = linearize_all(fields[TABLES], linearization)
        return template.render(shown)

    def shortened(self, fields: Fields, template: PromptTemplate, linearization: str, fits: Fits) -> tuple[str, int]:
        """A prompt that `fits`, if leaving out rows of its tables can achieve that, and the number of rows cut. Rows
        are kept by the words that they share with the rest of the prompt. This is for evaluation, where the answer
        stays that of the whole table.
        """
        tables, cut = list(fields.get(TABLES, ())), 0
        asked = " ".join(self.shown(fields).values())

        def text(place: int = 0, table: Table | None = None) -> str:
            shown = tables if table is None else [*tables[:place], table, *tables[place + 1 :]]
            return self.prompt({**fields, TABLES: tuple(shown)} if tables else fields, template, linearization)

        for place in sorted(range(len(tables)), key=lambda place: (-len(tables[place].rows), place)):
            tables[place], rows = cut_for_question(
                tables[place],
                asked,
                lambda table, place=place: fits(text(place, table)),  # type: ignore[misc]
            )
            cut += rows
        return text(), cut

    def chosen_templates(self, setting: Setting) -> tuple[PromptTemplate, ...]:
        """The prompt templates of the setting, named by id or by the key after the task's name; for (), all of them.

        Raises UnknownName, and InputError if holding out leaves none.
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

    # ------------------------------------------------------------------------------------------------------- scoring

    def score(self, prediction: str, example: Example) -> float:
        """The strict score, which is also a reward: 1 if the whole prediction means the answer, else 0. Pure, finite,
        in [0, 1]; never raises. A text that merely contains the answer scores 0.
        """
        return float(same_answer(prediction, example.answer, example.ordered))

    def process(self, prediction: str, example: Example) -> Process:
        """The worth of a worked completion, which tells apart a right answer by right steps, one by wrong steps, and
        right steps to a wrong answer. Raises Rejected if the example has no solution.
        """
        steps, answer = parted(prediction)
        score = self.score(prediction if answer is None else answer, example)
        return Process(score, self.verify_solution(example.fields, steps))

    def accepts(self, items: Sequence[str], example: Example) -> bool:
        """The lenient judgement: whether the items extracted from a model's prose mean the answer."""
        return same_answer(ROW_DELIMITER.join(items), example.answer, example.ordered)

    def target(self, example: Example) -> tuple[str, ...]:
        """The answer as a list of items, as results show it beside a prediction."""
        return tuple(map(CELL_DELIMITER.join, parse(example.answer)))

    # -------------------------------------------------------------------------------------- storing and showing

    def info(self, example: Example) -> dict[str, Any]:
        """What a data set stores about an example besides its texts: the fields except tables, and TRAITS."""
        traits = example.traits
        found = {name: value for name, value in example.fields.items() if name != TABLES}
        found["ordered"] = example.ordered
        if traits.query_type:
            found["query_type"] = traits.query_type
        if traits.operators:
            found["operators"] = traits.operators
        if traits.chance is not None:
            found["chance"] = traits.chance
        if traits.solution:
            found["solution"] = traits.solution
        return found

    def fields_of(self, info: Mapping[str, Any]) -> Fields:
        """The fields of a stored example. Raises InputError if one is missing."""
        return {name: value for name, value in info.items() if name not in TRAITS}

    def facts(self, setting: Setting) -> dict[str, Any]:
        """What the manifest says about a generation besides its arguments, such as facts about files it read."""
        return {}

    def stated(self, options: Options) -> dict[str, Any]:
        """The options as the manifest states them: no paths of this machine."""
        return options.model_dump(mode="json")

    def program(self, fields: Fields) -> tuple[str, str]:
        """The program as people read it, and the name of its language, for `show`; ("", "") if there is none."""
        return "", ""

    # -------------------------------------------------------------------------------------------------------- blocks

    def block(self, rng: Random, setting: Setting, key: str, tally: Tally) -> Iterator[Drawn]:
        """The verified examples of one block: a pure function of the arguments, except that `tally` counts what became
        of the other draws. Blocks may interleave, in one thread or in several.

        Tasks with a costly context override this to draw many programs over one context.
        """
        made = self._drawn(rng, setting, key, tally)
        if not setting.verify:
            return made
        return self._confirmed(list(made), setting.verify, tally)

    def _drawn(self, rng: Random, setting: Setting, key: str, tally: Tally) -> Iterator[Drawn]:
        templates = self.chosen_templates(setting)
        ways = (setting.views.linearizations if setting.views else ()) or tuple(LINEARIZATIONS)
        quotas = Quotas(rng, setting.programs, aimed(self.bounds(setting)))
        number = 0  # of draws that belong to this split
        for _ in range(setting.programs * DRAWS):
            if number == setting.programs:
                return
            try:
                fields = self.sample(rng, setting)
                # Tables have already been assigned to splits.
                if (
                    not self.needs_tables
                    and split_of(digest(self.split_key(fields)).hex(), setting.shares) != setting.split
                ):
                    tally.elsewhere += 1
                    continue
                number += 1
                example = self._proven(fields, f"{key}/{number - 1}", quotas)
            except Rejected as error:
                tally.rejects[error.reason] += 1
                continue
            template = templates[int(rng.random() * len(templates))]
            how = ways[int(rng.random() * len(ways))] if self.needs_tables else ""
            prompt = self.prompt(fields, template, how)
            try:
                drawn = self._completed(Drawn(example, prompt, template.id, how), setting)
            except Rejected as error:
                tally.reject(error.reason, example.traits, setting.solution)
                continue
            quotas.count(example.traits.classes)
            yield drawn

    def _completed(self, drawn: Drawn, setting: Setting) -> Drawn:
        """The example with its completion, within the budget. Raises Rejected."""
        if setting.solution != "none":
            drawn = with_solution(drawn, self.worked(drawn.example, setting.solution), setting.solution)
        if setting.measure(drawn.prompt) + setting.measure(drawn.completion) > setting.budget:
            raise Rejected("over the token budget")
        return drawn

    def _proven(self, fields: Fields, id: str, quotas: Quotas) -> Example:
        """The example of the fields. Raises Rejected, and InputError for a field whose name is reserved."""
        for name in TRAITS:
            if name in fields:
                raise InputError(f"task {self.name}: a field is named {name!r}, which has another meaning; rename it")
        denotation = self.execute(fields)
        answer = render(denotation)
        if not self.check(fields, answer):
            raise Rejected("check failed")
        traits = self.describe(fields, denotation)
        quotas.check(traits.classes)
        return Example(id, self.name, fields, answer, denotation.kind, denotation.ordered, traits)

    def _confirmed(self, made: list[Drawn], engine: str, tally: Tally) -> Iterator[Drawn]:
        """The examples of a block that an additional engine confirms."""
        wrong = self.disagreements(engine, [drawn.example.fields for drawn in made]) if made else {}
        if wrong:
            tally.rejects[f"{engine} disagrees"] += len(wrong)
        return (drawn for number, drawn in enumerate(made) if number not in wrong)


def with_solution(drawn: Drawn, worked: str, form: Form) -> Drawn:
    """The drawn example with a worked solution of this form as its completion."""
    traits = msgspec.structs.replace(drawn.example.traits, solution=form)
    example = msgspec.structs.replace(drawn.example, traits=traits)
    return msgspec.structs.replace(drawn, example=example, worked=worked)


def held_out(keys: Iterable[str], share: float) -> frozenset[str]:
    """The keys of the prompt templates that are never used in train: a share of all, rounded, but at least one."""
    ranked = sorted(keys, key=digest)
    return frozenset(ranked[: max(1, round(share * len(ranked)))])
