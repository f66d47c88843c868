"""The sentences of the page: what was done, what came of it, and the verdict.

The verdict is worded by one rule. A score is above another when the 95 % interval of their difference, as the
run's manifest holds it, lies above 0; below when it lies below 0; else no difference is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from symtune.reporting.read import LogLine, Run
from symtune.reporting.scores import Mark, Row, Scores
from symtune.reporting.study import Study
from symtune.reporting.words import interval, percent, points

SHORTER = 0.95  # a control on less than this share of the tokens is called a shorter one


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is yes, no or open."""

    question: str
    state: str
    text: str


def model_name(run: Run) -> str:
    """What the run trained, in words."""
    model = run.recipe.get("model", "a model")
    if isinstance(model, Mapping):
        kind = str(model.get("architecture", "model"))
        return f"a new {kind} built from a config"
    return str(model)


def done(run: Run) -> str:
    """What the run did, and to which model, in one sentence."""
    model, tokens = model_name(run), tokens_of(run, "model")
    records = run.manifests.get("mix", {}).get("records")
    what = f"{records:,} records" if isinstance(records, int) else "a mixture"
    passes = run.manifests.get("model", {}).get("passes")
    often = f", {passes:.2g} passes" if isinstance(passes, int | float) else ""
    seen = f" ({tokens:,} tokens{often})" if tokens else ""
    on = f" and measured on {_measured(run)}" if run.evaluations else ""
    if "model" not in run.manifests:
        return f"{model} is being trained on {what}{on}; the training is not finished."
    return f"{model} was trained on {what}{seen}{on}."


def measured(study: Study) -> str:
    """What a folder of evaluations contains, in one sentence."""
    counts = [
        (len({evaluation.results[0].benchmark for evaluation in study.folders.values()}), "benchmark"),
        (len(study.models), "model"),
        (len(study.folders), "evaluation"),
    ]
    benchmarks, models, evaluations = (f"{n:,} {what}{'s' if n > 1 else ''}" for n, what in counts)
    return f"{models} on {benchmarks}: {evaluations}."


def _measured(run: Run) -> str:
    """What the run was measured with, in words."""
    tasks = sorted({str(shown.row.get("task", "")) for shown in run.examples})
    names = [
        f"held-out {', '.join(tasks)} questions" if name == "held_out" and tasks else name for name in run.evaluations
    ]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def whole(scores: Sequence[Scores]) -> Iterator[tuple[str, Row]]:
    """The name of each thing measured, and its score over all questions."""
    for table in scores:
        yield table.evaluation, table.whole


# Where there is no before and after, the one that is reported, in words: what was trained comes first.
_SAID = {"after": "after training", "before": "before training", "control": "of the control"}


def claims(scores: Sequence[Scores]) -> Iterator[str]:
    """The outcome, in one sentence for each thing measured."""
    rows = list(whole(scores))
    if not rows:
        yield "Nothing has been measured yet."
    for name, row in rows:
        on = f" on {name}" if len(rows) > 1 else ""
        before, after = row.marks.get("before"), row.marks.get("after")
        if before and after:
            yield f"Accuracy{on} went from {percent(before.score)} to {_with_interval(after)} of {row.n:,} questions."
        elif model := next((model for model in _SAID if model in row.marks), ""):
            yield f"Accuracy{on} {_SAID[model]}: {_with_interval(row.marks[model])} of {row.n:,} questions."
        else:
            yield f"No accuracy over all questions{on}: the release lacks parts; {row.n:,} questions were asked."


def _with_interval(mark: Mark) -> str:
    text = percent(mark.score)
    return text if mark.low is None or mark.high is None else f"{text} {interval(mark.low, mark.high, '')}"


def verdicts(scores: Sequence[Scores], run: Run) -> Iterator[tuple[str, tuple[Verdict, ...]]]:
    """(what is measured, "" if it is the only thing, and its verdicts)."""
    rows: list[tuple[str, Row | None]] = [*whole(scores)] or [("", None)]
    for name, row in rows:
        yield name if len(rows) > 1 else "", tuple(_verdicts(row, run))


def _verdicts(row: Row | None, run: Run) -> Iterator[Verdict]:
    """Better than before, above chance, above the control: each with its difference and interval."""
    names = {
        "before": "Better than before?",
        "chance": "Above chance?",
        "control": f"Above the control{_shorter(run)}?",
    }
    for against, question in names.items():
        found = row.differences.get(against) if row else None
        if found is None:
            unknown = against == "chance" and row is not None and "chance" not in row.marks
            yield Verdict(question, "open", "chance is not known" if unknown else "not measured in this run")
            continue
        difference, low, high = found
        state = "yes" if low > 0 else "no"
        text = f"{points(difference)} points {interval(low, high, '')}"
        if low <= 0 <= high:
            text += ": the interval contains 0, so no difference is shown"
        elif high < 0:
            text += ": below"
        yield Verdict(question, state, text)


def _shorter(run: Run) -> str:
    model, control = tokens_of(run, "model"), tokens_of(run, "control")
    return f" (trained on {100 * control / model:.0f} % of the tokens)" if control and control < SHORTER * model else ""


def control_note(run: Run) -> str:
    """What the control is, and how it is weaker than it could be."""
    model, control = tokens_of(run, "model"), tokens_of(run, "control")
    note = "Control: the same model and training, with the answers shuffled among the examples, so that it can "
    note += "learn the format and nothing else."
    if control and control < SHORTER * model:
        note += f" It saw {control:,} tokens, the model {model:,}: a shorter control supports only a weaker claim."
    orders = [run.manifests.get(name, {}).get("arguments", {}).get("order") for name in ("model", "control")]
    if control and orders[0] != orders[1]:
        note += f" The model's records came in the order {orders[0]}, the control's {orders[1]}."
    return note


def label(run: Run, name: str) -> str:
    """The name of a loss curve."""
    tokens = tokens_of(run, name)
    text = "control (shuffled answers)" if name == "control" else "model"
    return f"{text}, {tokens:,} tokens" if tokens else text


def tokens_of(run: Run, stage: str) -> int:
    """The tokens that a training computed; 0 if it is not done."""
    tokens = run.manifests.get(stage, {}).get("tokens", 0)
    return int(tokens) if isinstance(tokens, int | float) else 0


def curve(log: Sequence[LogLine]) -> list[tuple[float, float]]:
    """(tokens, loss) of the steps whose loss is finite."""
    return [(line.tokens, line.loss) for line in log if isfinite(line.loss) and isfinite(line.tokens)]
