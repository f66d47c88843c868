"""`--eval_func` and `--eval_func_name`: metrics by name, on what a model wrote and the gold text.

    score = score_by("get_denotation_accuracy")
    score("Athens, 1896", "1896, Athens")        ->  1.0

The metrics are those of `symtune.metrics`; `get_exact_match` and `get_exact_match_option` are those of the release.
"""

from __future__ import annotations

from collections.abc import Callable

from symtune.denotation import CELL_DELIMITER, parse
from symtune.metrics import METRICS, get_denotation_accuracy
from symtune.reading import read_answer
from symtune.types import UnknownName

Score = Callable[[str, str], float]  # (what the model wrote, gold) -> 0 … 1


def _denotation_accuracy(text: str, gold: str) -> float:
    return get_denotation_accuracy([text], [gold])


def _exact_match(text: str, gold: str) -> float:
    return float(text.lower() == gold.lower())


def _exact_match_option(text: str, gold: str) -> float:
    return float(_without_parentheses(text) == _without_parentheses(gold))


def _without_parentheses(text: str) -> str:
    return text.lower().replace("(", "").replace(")", "")


# Those of the release, which read the gold text as it is.
RELEASED: dict[str, Score] = {
    "get_denotation_accuracy": _denotation_accuracy,
    "get_exact_match": _exact_match,
    "get_exact_match_option": _exact_match_option,
}
NAMES = tuple(sorted({*RELEASED, *METRICS}))


def score_by(name: str) -> Score:
    """The metric with this name. Raises UnknownName."""
    if name in RELEASED:
        return RELEASED[name]
    if name not in METRICS:
        raise UnknownName("metric", name, NAMES)
    metric = METRICS[name]

    def score(text: str, gold: str) -> float:
        target = [CELL_DELIMITER.join(row) for row in parse(gold)] or [gold]
        return float(metric(read_answer(text), text, target, None))

    return score
