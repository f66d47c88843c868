"""Held-out examples: the data set folder of any symbolic tasks (`symtune generate`), used as a benchmark.

The task of each example judges. An answer is right if the task's strict score is 1, or if the task accepts the items
extracted from the prose. In a worked completion, only the last line `Answer: …` is the answer, and the steps are
verified separately. Groups are query types and ranges of difficulty; if a folder holds examples of several tasks, they
are the tasks, and these groups within them. Lines name tasks, never files: a task of the user's own is given to the
benchmark (`--task FILE`).

Every example keeps the prompt with which it was generated, unless another prompt template or linearization is
requested. A prompt too long for the model is shortened by the task, and the example still counts: its answer is that of
the whole table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf, log2
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.benchmark import Benchmark, Format
from symtune.outcomes import Outcome, Prompt, Question, mean, means
from symtune.prompts import LINEARIZATIONS, PromptTemplate
from symtune.releases import in_turn
from symtune.task import Fits, SymbolicTask
from symtune.tasks import Known
from symtune.tokens import estimate
from symtune.types import Example, InputError, Rejected, Result, Table, UnknownName, Verdict
from symtune.worked import Process, parted

COLUMNS = (
    *("id", "task", "prompt", "completion", "answer", "answer_type", "prompt_template", "linearization"),
    *("difficulty", "info"),
)
TOKENS_AT_ONCE = 64  # the limit on answers is a multiple of this
STEP_METRICS = ("steps", "right_steps", "wrong_steps", "process")


@dataclass(frozen=True, kw_only=True)
class HeldOutQuestion(Question):
    """An example with its task; the prompt as it was generated, with its prompt template and linearization. `length`:
    the approximate number of tokens in its completion.
    """

    task: SymbolicTask
    example: Example
    prompt: str
    template: str
    linearization: str
    length: int

    @property
    def is_worked(self) -> bool:
        """Whether its completion is a worked solution."""
        return bool(self.example.traits.solution)


class HeldOut(Benchmark[HeldOutQuestion]):
    """The benchmark, which knows symtune's tasks and those of the user that it was given."""

    name = "held_out"
    metric = "denotation"
    templates = ()
    grouped_by = "query type"
    asks_tasks = True

    def __init__(self, tasks: Known | None = None) -> None:
        self._tasks = tasks or Known()

    def knowing(self, tasks: Known) -> HeldOut:
        """The benchmark, with the user's own tasks."""
        return HeldOut(tasks)

    def split(self, data: Path, split: str | None) -> str:
        """By default, the most held-out split in the folder."""
        return dataset.held_out_split(data, split)

    def load(self, data: Path, split: str, limit: int | None = None) -> list[HeldOutQuestion]:
        """The examples of a split, in order; with a limit, equally many from each task."""
        sizes = Counter(str(row["task"]) for row in dataset.read_rows(data, split, ["task"]))
        if not sizes:
            raise InputError(f"{data}: no examples of split {split} in it")
        tasks = {name: self._tasks[name] for name in sizes}
        wanted = dict(zip(sizes, in_turn(list(sizes.values()), limit), strict=True))
        questions: list[HeldOutQuestion] = []
        for line in dataset.lines(data, split, COLUMNS):
            name = str(line.row["task"])
            if wanted[name]:
                wanted[name] -= 1
                questions.append(_question(tasks[name], line, several=len(tasks) > 1))
            elif not any(wanted.values()):
                break
        return questions

    def domains(self, questions: Sequence[HeldOutQuestion]) -> list[str]:
        """The tasks of the examples, and what they imitate."""
        tasks = {question.task.name: question.task for question in questions}
        return sorted({name for task in tasks.values() for name in (task.name, *task.imitates)})

    def shown(self, question: HeldOutQuestion) -> tuple[str, tuple[Table, ...]]:
        """The program, or, if the task has none to show, the prompt; and the tables."""
        program = question.task.program(question.example.fields)[0]
        return program or ("" if question.example.tables else question.prompt), question.example.tables

    def prompt(self, question: HeldOutQuestion, format: Format, fits: Fits) -> Prompt:
        """The prompt as it was generated, or rendered again if another is requested or a shorter one is needed."""
        if format == Format() and fits(question.prompt):
            return Prompt(question.prompt)
        rendering = _rendering(question, format)
        if rendering is None:  # a prompt of unknown origin cannot be shortened
            return Prompt(question.prompt)
        template, how = rendering
        return Prompt(*question.task.shortened(question.example.fields, template, how, fits))

    def check_format(self, format: Format, questions: Sequence[HeldOutQuestion]) -> None:
        """Raise UnknownName for a prompt template that one of the tasks does not have, and for an unknown
        linearization; InputError for a linearization if no table is shown, and for shots.
        """
        super().check_format(replace(format, template=None, linearization=None), questions)
        how = format.linearization
        if how is not None and how not in LINEARIZATIONS:
            raise UnknownName("linearization", how, LINEARIZATIONS)
        if how is not None and not any(question.example.tables for question in questions):
            raise InputError("none of these examples shows a table; leave --linearization out")
        for task in {question.task.name: question.task for question in questions}.values():
            keys = [template.key for template in task.templates]
            if format.template is not None and format.template.rpartition("/")[2] not in keys:
                raise UnknownName(f"prompt template of task {task.name}", format.template, keys)

    def template_names(self, questions: Sequence[HeldOutQuestion]) -> list[str]:
        """The keys of the prompt templates that every task has."""
        tasks = list({question.task.name: question.task for question in questions}.values())
        shared = [{template.key for template in task.templates} for task in tasks]
        return [template.key for template in tasks[0].templates if all(template.key in keys for keys in shared)]

    def template_name(self, format: Format) -> str:
        """The key, or `stored`."""
        return (format.template or "stored").rpartition("/")[2]

    def format_name(self, format: Format) -> str:
        """`stored` for the prompts as they were generated."""
        if format == Format():
            return "stored"
        return f"{format.template or 'stored'}+{format.linearization or 'stored'}"

    def longest_answer(self, format: Format, questions: Sequence[HeldOutQuestion] = ()) -> int:
        """A quarter more than the longest worked solution needs."""
        longest = max((question.length for question in questions if question.is_worked), default=0)
        return max(self.max_new_tokens, ceil(1.25 * longest / TOKENS_AT_ONCE) * TOKENS_AT_ONCE)

    def score(self, prediction: str, question: HeldOutQuestion) -> Verdict:
        """Whether the prediction means the answer, as its task understands it."""
        said = _said(prediction, question)
        strict = question.task.score(said, question.example)
        if strict >= 1:
            return Verdict(1.0, "right")
        items = self.read(prediction, question)
        if question.task.accepts(items, question.example):
            return Verdict(1.0, "right, in prose")
        return Verdict(strict, "wrong" if items else "no answer")

    def read(self, text: str, question: HeldOutQuestion) -> list[str]:
        """The items of the answer; for a worked completion, those of its last line."""
        return super().read(_said(text, question), question)

    def other_scores(self, prediction: str, question: HeldOutQuestion) -> Mapping[str, float]:
        """`exact_match`: exactly the gold answer. For a worked completion, also the share of `steps` that hold, whether
        a right answer was reached by right steps (`right_steps`) or wrong ones (`wrong_steps`), and the `process`
        reward.
        """
        found = {"exact_match": float(_said(prediction, question).strip() == question.example.answer)}
        process = self._process(prediction, question)
        if process is not None:
            found["steps"] = process.steps.share
            found["right_steps"] = float(process.is_proven)
            found["wrong_steps"] = float(process.is_lucky)
            found["process"] = process.reward
        return found

    def details(self, prediction: str, question: HeldOutQuestion) -> Mapping[str, Any]:
        """The `steps` of a worked completion: how many there are, hold and are left out, and the first wrong one."""
        process = self._process(prediction, question)
        if process is None:
            return {}
        steps, first = process.steps, process.steps.first_wrong
        return {
            "steps": {
                "written": len(steps.steps),
                "hold": sum(not step.fault for step in steps.steps),
                "left_out": steps.left_out,
                "first_wrong": first and {"step": first[0], "text": first[1], "fault": first[2]},
            }
        }

    def notes(self, questions: Sequence[HeldOutQuestion]) -> Mapping[str, Any]:
        """With several tasks, how the groups are formed."""
        return {"grouped_by": "task"} if len({question.task.name for question in questions}) > 1 else {}

    def aggregate(self, split: str, outcomes: Sequence[Outcome]) -> list[Result]:
        """Means; those about steps are over the worked examples only."""
        answers = [replace(one, others={"exact_match": one.others["exact_match"]}) for one in outcomes]
        results = means(self.name, split, self.metric, answers)
        worked = [one.others for one in outcomes if "steps" in one.others]
        steps = [mean(self.name, split, name, [one[name] for one in worked]) for name in STEP_METRICS if worked]
        groups = next((place for place, result in enumerate(results) if result.group), len(results))
        return [*results[:groups], *steps, *results[groups:]]

    def _process(self, prediction: str, question: HeldOutQuestion) -> Process | None:
        """The worth of a worked completion; None if the example has none, or if it cannot be verified."""
        if not question.is_worked:
            return None
        try:
            process = question.task.process(prediction, question.example)
        except Rejected:
            return None
        return process._replace(answer=self.score(prediction, question).score)


def _said(prediction: str, question: HeldOutQuestion) -> str:
    """The part that answers: the last line of a worked completion, else the whole text."""
    answer = parted(prediction)[1] if question.is_worked else None
    return prediction if answer is None else answer


def _question(task: SymbolicTask, line: dataset.Line, *, several: bool) -> HeldOutQuestion:
    for name in ("id", "prompt", "answer"):
        if not isinstance(line.row[name], str):
            raise InputError(f"{line.where}: {name}: got {line.row[name]!r}, wanted a text")
    example = dataset.example_of(task, line)
    kind, hard = example.traits.query_type, _difficulty(line.row["difficulty"])
    if several:
        named = [f"{task.name}: {kind}"] if kind else []
        groups = (task.name, *named, *([f"{task.name}, difficulty: {hard}"] if hard else []))
    else:
        groups = (*([kind] if kind else []), *([f"difficulty: {hard}"] if hard else []))
    return HeldOutQuestion(
        id=example.id,
        target=task.target(example),
        groups=groups,
        chance=example.traits.chance,
        chance_how=f"as the task {task.name} states it",
        task=task,
        example=example,
        prompt=line.row["prompt"],
        template=line.row["prompt_template"] or "",
        linearization=line.row["linearization"] or "",
        length=estimate(str(line.row.get("completion") or "")),
    )


def _difficulty(value: object) -> str:
    """The range of a difficulty, each twice as wide as the one before; "" if the task states none."""
    if not isinstance(value, int | float) or not 0 < value < inf:
        return ""
    if value < 1:
        return "below 1"
    low = 2 ** floor(log2(value))
    return f"{low} to {2 * low}"


def _rendering(question: HeldOutQuestion, format: Format) -> tuple[PromptTemplate, str] | None:
    """The prompt template and the linearization: those of the format if it names them, else the stored ones."""
    task, fields = question.task, question.example.fields
    template = task.template(format.template or question.template, fields)
    if template is None and format.template is not None:  # no such template for these fields: use the first
        template = task.templates_for(fields)[0]
    how = format.linearization or question.linearization
    if template is None or (question.example.tables and how not in LINEARIZATIONS):
        return None
    return template, how


BENCHMARK = HeldOut()
