"""BIG-Bench Hard (Suzgun et al. 2022): 27 tasks that are hard for language models.

    bbh/TASK.json            {"canary": …, "examples": [{"input": …, "target": …}, …]}; also TASK.json without a folder
    cot-prompts/TASK.txt     for shots: a canary, a line of dashes, what the task is, and three worked examples

One split, `test`. The score is `exact_match`: the answer is exactly the target: "(B)", "Yes", "] )". The answer is the
whole text; or what follows the last "the answer is", without the final period, as in the worked examples; or what is
extracted from the text (symtune.reading.read_answer). `exact_match_without_parentheses` also accepts "B" for "(B)", if
it is chosen by its letter (symtune.reading.read_option). The first result weights all questions equally; the other
metric, the mean over tasks, and the tasks follow. Shots are the worked examples, in the form of the official prompt. A
release that lacks tasks is measured task by task, and has no overall score.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from symtune.benchmark import Benchmark, Format, Shot
from symtune.benchmarks.bbh.tasks import TASKS
from symtune.benchmarks.bbh.worked import worked_examples
from symtune.denotation import ROW_DELIMITER
from symtune.files import json_objects
from symtune.outcomes import Outcome, PartQuestion, at_hand, mean_over_groups, means, of_parts
from symtune.prompts import load_templates
from symtune.reading import continues, read_answer, read_option
from symtune.releases import take_in_turn
from symtune.types import InputError, Result, UnknownName, Verdict

TEST = "test"
PUBLISHED = {TEST: sum(TASKS.values())}
STEP_BY_STEP = "cot"  # the prompt template that asks for worked answers
WORKED_ANSWER = 512  # tokens
CLOSED = ({"yes", "no"}, {"true", "false"}, {"valid", "invalid"})  # answers of tasks that list no options
_OPTION = re.compile(r"^(\([A-Z]\)|- (?=\S))(.*)$", re.MULTILINE)
_CONCLUSION = re.compile(r"\bthe answer is:? (?=(.*))", re.IGNORECASE)
_LETTER = re.compile(r"\(([A-Z])\)")


class BigBenchHard(Benchmark[PartQuestion]):
    """The benchmark."""

    name = "bbh"
    metric = "exact_match"
    templates = load_templates("bbh")
    grouped_by = "task"
    max_new_tokens = 128
    most_shots = 3
    shots_template = STEP_BY_STEP
    published = PUBLISHED
    selection_split = ""

    def split(self, data: Path, split: str | None) -> str:
        """`test`, the only one."""
        if split not in (None, TEST):
            raise UnknownName("split", str(split), [TEST])
        _files(data)
        return TEST

    def load(self, data: Path, split: str, limit: int | None = None) -> list[PartQuestion]:
        """The questions, task by task; with a limit, taken from the tasks in turn."""
        files = _files(data)
        return take_in_turn([_questions(task, path, tuple(files)) for task, path in files.items()], limit)

    def shots(self, data: Path, split: str, number: int) -> tuple[Shot, ...]:
        """The first worked examples of each task."""
        shots = []
        for task in _files(data):
            path = data / "cot-prompts" / f"{task}.txt"
            introduction, examples = worked_examples(path)
            if number > len(examples):
                raise InputError(f"{path}: {number} shots are wanted, but it has only {len(examples)}")
            for question, answer in examples[:number]:
                shown = PartQuestion(id="", target=(), fields={"question": question}, groups=(task,), part=task)
                shots.append(Shot(shown, answer, task, introduction))
        return tuple(shots)

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> PartQuestion:
        """Scoring needs only the target."""
        if len(target) != 1:
            raise InputError(f"target: got {list(target)}, wanted one text")
        return PartQuestion(id=str(line.get("id", "")), target=target, part="")

    def longest_answer(self, format: Format, questions: Sequence[PartQuestion] = ()) -> int:
        """More tokens if answers are worked out."""
        return WORKED_ANSWER if self.template_of(format).key == STEP_BY_STEP else self.max_new_tokens

    def read(self, text: str, question: PartQuestion) -> list[str]:
        """The answer. A target may look like markdown ("> )"), so the text itself is tried before what is extracted."""
        whole = continues(text).strip()
        concluded = [found[1].strip().removesuffix(".") for found in _CONCLUSION.finditer(whole)][-1:]
        return [question.target[0]] if question.target[0] in (whole, *concluded) else read_answer(text)

    def score(self, prediction: str, question: PartQuestion) -> Verdict:
        """Whether the answer is exactly the target."""
        items = self.read(prediction, question)
        right = ROW_DELIMITER.join(items) == question.target[0]
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def other_scores(self, prediction: str, question: PartQuestion) -> Mapping[str, float]:
        """`exact_match_without_parentheses`: accepts "B" for "(B)"."""
        letter = _LETTER.fullmatch(question.target[0])
        right = self.score(prediction, question).score == 1.0
        chosen = letter is not None and read_option(prediction, ()) == letter[1]
        return {"exact_match_without_parentheses": float(right or chosen)}

    def aggregate(self, split: str, outcomes: Sequence[Outcome]) -> list[Result]:
        """Results over all questions, without parentheses, as the mean over tasks, and by task."""
        whole, without, *tasks = means(self.name, split, self.metric, outcomes)
        without = without.noting({name: whole.notes[name] for name in ("chance", "chance_how") if name in whole.notes})
        over = mean_over_groups(self.name, split, "mean over tasks", outcomes)
        return of_parts([whole, without, over, *tasks], len(at_hand(outcomes)), len(TASKS), "tasks")


def _files(data: Path) -> dict[str, Path]:
    """The tasks in the release, and their files. Raises InputError."""
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; wanted the official release of BIG-Bench Hard")
    folder = data / "bbh" if (data / "bbh").is_dir() else data
    files = {task: folder / f"{task}.json" for task in TASKS if (folder / f"{task}.json").is_file()}
    if not files:
        first = folder / f"{next(iter(TASKS))}.json"
        raise InputError(
            f"{first}: no such file, nor that of another task; wanted the official release of BIG-Bench Hard"
        )
    return files


def _questions(task: str, path: Path, there: tuple[str, ...]) -> list[PartQuestion]:
    """The questions of a task. Raises InputError with the file and the example."""
    examples = [list(_example(path, entry.value)) for entry in json_objects(path, wanted="an object with `examples`")]
    if len(examples) != 1 or not examples[0]:
        raise InputError(f"{path}: no questions in it; wanted one object with `examples`")
    targets = {target.casefold() for _, target in examples[0]}
    closed = any(targets <= answers for answers in CLOSED)
    found = []
    for number, (question, target) in enumerate(examples[0], start=1):
        chance, how = _chance(question, target, closed=closed)
        found.append(
            PartQuestion(
                id=f"{task}/{number}",
                target=(target,),
                fields={"question": question},
                groups=(task,),
                chance=chance,
                chance_how=how,
                part=task,
                at_hand=there,
            )
        )
    return found


def _example(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    examples = content.get("examples")
    if not isinstance(examples, list):
        raise InputError(f"{path}: no list of `examples` in it")
    for number, example in enumerate(examples, start=1):
        texts = [example.get(name) for name in ("input", "target")] if isinstance(example, dict) else [None]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise InputError(f"{path}: example {number}: wanted `input` and `target`, both texts")
        question, target = map(str, texts)
        yield question, target.strip()


def _chance(question: str, target: str, *, closed: bool) -> tuple[float, str]:
    """The chance that a random option is the target, and how this was computed."""
    listed = _OPTION.findall(question.rpartition("Options:\n")[2]) if "Options:\n" in question else []
    options = [text.strip() if label.startswith("-") else label for label, text in listed]
    if options:
        return options.count(target) / len(options), "one of the options at random"
    if closed:
        return 0.5, "yes or no (true or false) at random"
    return 0.0, "0 if the answer is free text"


BENCHMARK = BigBenchHard()
