"""The contract of a benchmark, which is finite and has prompts, an official metric, and its own way of aggregating.

    benchmark = find("wikitablequestions")                                   # symtune.benchmarks
    questions = benchmark.load(Path("WikiTableQuestions"), "validation", limit=100)
    prompt = benchmark.prompt(questions[0], Format(), fits=lambda text: len(text) < 4000)
    benchmark.score("The answer is 5.", questions[0])          ->  Verdict(1.0, "right")

Complete benchmarks: `symtune.benchmarks.gsm8k`, without tables; `symtune.benchmarks.wikitablequestions`, with tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from symtune.outcomes import Outcome, Prompt, Question, TableQuestion, means
from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize
from symtune.reading import read_answer
from symtune.tables import cut_for_question
from symtune.task import Fits
from symtune.tasks import Known
from symtune.types import InputError, Result, Table, UnknownName, Verdict

BETWEEN_SHOTS = "\n\n"

Asked = TypeVar("Asked", bound=Question)  # the questions of a benchmark
AskedOfTable = TypeVar("AskedOfTable", bound=TableQuestion)


@dataclass(frozen=True, slots=True)
class Shot:
    """A question of the benchmark with its answer, shown to a model before it is asked another. `group`: the group of
    questions that it is for, "" for all. `introduction` opens a prompt in which this is the first shot.
    """

    question: Any
    answer: str
    group: str = ""
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How questions are prompted: a prompt template, by id or key, and a linearization (None: the benchmark's default);
    and shots, which precede the question in the same template.
    """

    template: str | None = None
    linearization: str | None = None
    shots: tuple[Shot, ...] = ()


class Benchmark(ABC, Generic[Asked]):
    """A benchmark. `templates` are its prompt templates, the first of which is the default; `metric` names its score.

    max_new_tokens: the longest answer that it needs, unless the user says otherwise. most_shots: how many shots a
    prompt may have, 0 if there are none to show; shots_template: the default template with shots, "" for the first.
    published: how many questions each split of the official release has. selection_split: the split on which a prompt
    is selected, "" if there is only the test split. grouped_by: what its groups are, if their names do not say so.
    asks_tasks: whether its data comes from symbolic tasks, which then score it.
    """

    name: str
    metric: str
    templates: tuple[PromptTemplate, ...]
    max_new_tokens: int = 64
    most_shots: int = 0
    shots_template: str = ""
    published: Mapping[str, int] = MappingProxyType({})
    selection_split: str = "validation"
    grouped_by: str = "group"
    asks_tasks: bool = False

    # ------------------------------------------------------------------------------------------------------ questions

    @abstractmethod
    def split(self, data: Path, split: str | None) -> str:
        """The name of the split asked for, or of the default one. Raises InputError or UnknownName."""

    @abstractmethod
    def load(self, data: Path, split: str, limit: int | None = None) -> list[Asked]:
        """The questions of a split, in the order of the release; only the first `limit`, or `limit` taken from its
        parts in turn. Raises InputError, with file and line, for anything missing or broken.
        """

    def shots(self, data: Path, split: str, number: int) -> tuple[Shot, ...]:
        """The given number of shots, none of which is asked in the split that is measured. Raises InputError."""
        raise InputError(f"benchmark {self.name} has no shots; leave --shots out")

    def knowing(self, tasks: Known) -> Benchmark[Asked]:
        """The benchmark, with the user's own tasks. Raises InputError if it uses no tasks."""
        raise InputError(f"benchmark {self.name} uses no symbolic task; leave --task out")

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> Asked:
        """The question of a stored prediction, as far as scoring needs it, when the data is not available. Raises
        InputError if the line does not hold enough.
        """
        raise InputError(f"benchmark {self.name} scores by its data; give --data")

    def domains(self, questions: Sequence[Asked]) -> list[str]:
        """The names by which training data like these questions is known: that of the benchmark, or those of tasks."""
        return [self.name]

    def shown(self, question: Asked) -> tuple[str, tuple[Table, ...]]:
        """The question as a report shows it, and the tables it is about."""
        return "\n".join(question.fields.values()), ()

    # -------------------------------------------------------------------------------------------------------- prompts

    def ask(self, question: Asked, format: Format) -> str:
        """The whole prompt, without shots."""
        return self.template_of(format).render(question.fields)

    def shots_of(self, question: Asked, format: Format) -> list[Shot]:
        """The shots of the format that precede this question."""
        return [shot for shot in format.shots if shot.group in ("", *question.groups)]

    def prompt(self, question: Asked, format: Format, fits: Fits) -> Prompt:
        """The prompt, preceded by as many of its shots as fit; the last ones are dropped first."""
        asked, shots = self.ask(question, format), self.shots_of(question, format)
        introduction = [shot.introduction for shot in shots[:1] if shot.introduction]
        shown = [_answered(self.ask(shot.question, format), shot.answer) for shot in shots]
        for kept in range(len(shown), -1, -1):
            text = BETWEEN_SHOTS.join([*introduction, *shown[:kept], asked])
            if fits(text):
                return Prompt(text, shots_dropped=len(shown) - kept)
        return Prompt(asked, shots_dropped=len(shown))

    def check_format(self, format: Format, questions: Sequence[Asked]) -> None:
        """Raise UnknownName for a prompt template that does not exist, InputError for anything the questions lack."""
        if format.template is not None:
            self.template(format.template)
        if format.linearization is not None:
            raise InputError(f"benchmark {self.name} shows no tables; leave --linearization out")
        most = max((len(self.shots_of(question, format)) for question in questions), default=0)
        if most > self.most_shots:
            raise InputError(f"benchmark {self.name} shows at most {self.most_shots} shots, got {most}")

    def template(self, name: str | None) -> PromptTemplate:
        """A prompt template by its id ("wikitablequestions/01") or key ("01"); for None, the first one."""
        if name is None:
            return self.templates[0]
        for template in self.templates:
            if name in (template.id, template.key):
                return template
        raise UnknownName("prompt template", name, [one.key for one in self.templates])

    def template_of(self, format: Format) -> PromptTemplate:
        """The prompt template of a format, or the default one."""
        return self.template(format.template or (self.shots_template if format.shots else "") or None)

    def template_names(self, questions: Sequence[Asked]) -> list[str]:
        """The prompt templates with which all of the questions can be asked, in order."""
        return [template.id for template in self.templates]

    def template_name(self, format: Format) -> str:
        """The name of the prompt template of a format."""
        return self.template_of(format).id

    def longest_answer(self, format: Format, questions: Sequence[Asked] = ()) -> int:
        """The longest answer that a format needs, in tokens, unless the user says otherwise."""
        return self.max_new_tokens

    def format_name(self, format: Format) -> str:
        """The format in words, for results."""
        return self.template_of(format).id

    # -------------------------------------------------------------------------------------------------------- scoring

    @abstractmethod
    def score(self, prediction: str, question: Asked) -> Verdict:
        """The verdict on what a model wrote, with a score in [0, 1]. Pure and quick; never raises."""

    def read(self, text: str, question: Asked) -> list[str]:
        """The items of the answer in what a model wrote."""
        return read_answer(text)

    def other_scores(self, prediction: str, question: Asked) -> Mapping[str, float]:
        """Other metrics, by name, that are reported beside the score."""
        return {}

    def details(self, prediction: str, question: Asked) -> Mapping[str, Any]:
        """What else is known about a prediction, by column of predictions.jsonl."""
        return {}

    def columns(self, question: Asked) -> Mapping[str, Any]:
        """What else a stored prediction needs so that it can be scored again without the data, by column."""
        return {}

    def notes(self, questions: Sequence[Asked]) -> Mapping[str, Any]:
        """What readers of the score must know about the data."""
        return {}

    def aggregate(self, split: str, outcomes: Sequence[Outcome]) -> list[Result]:
        """The results. The first is the mean of the scores of all questions. Depending on the benchmark, means over
        subjects, scores of whole sequences, other metrics and groups follow.
        """
        return means(self.name, split, self.metric, outcomes)


def _answered(asked: str, answer: str) -> str:
    """A question and its answer, which goes on the line of a final "Answer:", else on a new line."""
    return f"{asked} {answer}" if asked.endswith(":") else f"{asked}\n{answer}"


class TableBenchmark(Benchmark[AskedOfTable]):
    """A benchmark whose questions are about one table each. If a prompt is too long for the model, first the shots are
    dropped, and then the table is cut to the rows that share words with the question; rows that are cut are counted.
    """

    linearization: str = "tapex"

    def shown(self, question: AskedOfTable) -> tuple[str, tuple[Table, ...]]:
        """The question, and its table."""
        return super().shown(question)[0], (question.table,)

    def ask(self, question: AskedOfTable, format: Format) -> str:
        """The table, as text, and the question."""
        return self._ask(question, format, question.table)

    def _ask(self, question: AskedOfTable, format: Format, table: Table) -> str:
        shown = linearize(table, format.linearization or self.linearization)
        return self.template_of(format).render({**question.fields, "table": shown})

    def prompt(self, question: AskedOfTable, format: Format, fits: Fits) -> Prompt:
        """The prompt, with fewer shots, and then fewer rows, if it is too long."""
        whole = super().prompt(question, format, fits)
        if whole.shots_dropped < len(self.shots_of(question, format)) or fits(whole.text):
            return whole
        table, cut = cut_for_question(
            question.table,
            " ".join(question.fields.values()),
            lambda table: fits(self._ask(question, format, table)),
        )
        return replace(whole, text=self._ask(question, format, table), rows_cut=cut)

    def check_format(self, format: Format, questions: Sequence[AskedOfTable]) -> None:
        """Raise UnknownName for a prompt template or a linearization that does not exist."""
        super().check_format(replace(format, linearization=None), questions)
        if format.linearization is not None and format.linearization not in LINEARIZATIONS:
            raise UnknownName("linearization", format.linearization, LINEARIZATIONS)

    def format_name(self, format: Format) -> str:
        """`TEMPLATE+LINEARIZATION`."""
        return f"{super().format_name(format)}+{format.linearization or self.linearization}"
