"""Metrics by name: whether a prediction is right, as a pure function of texts.

    METRICS["wtq"](["10"], "The answer is 10.", ["10 years"], ["10.0"])   ->  True

Each takes the items extracted (`prediction`), what the model wrote (`text`), the gold items (`target`) and their
canonical values (`target_canon`, None if there are none). None of them raises.

`get_denotation_accuracy` is the metric of the paper (Liu et al. 2023, `eval_utils.py` of its release, after
TAPEX's), reimplemented with its faults so that scores can be compared; nothing else should use it:

- It reads the text as it is: prose is wrong.
- It splits at every ",": "1,000" is two values, as is "Bangkok, Thailand", for which "Thailand, Bangkok" is right too.
- A number is whatever Python's `float` accepts, so "1_000", "1e3" and "١٠٠٠" are 1000, and two huge numbers are both
  infinite and thus the same. "nan" differs from itself.
- Order never counts, even if the question asks for one; how often a value occurs always counts.
- Texts are lower-cased, nothing more: "Café" and "Cafe" differ, and so do "10.0 %" and "10 %".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from symtune.benchmarks.wikitablequestions.rules import wtq_correct
from symtune.denotation import ROW_DELIMITER, same_answer
from symtune.reading import read_option

Metric = Callable[[Sequence[str], str, Sequence[str], Sequence[str] | None], bool | float]


def denotation(prediction: Sequence[str], text: str, target: Sequence[str], target_canon: Sequence[str] | None) -> bool:
    """Whether the items mean the gold items, in any order (`symtune.denotation.same_answer`)."""
    return same_answer(ROW_DELIMITER.join(prediction), ROW_DELIMITER.join(target), ordered=False)


def exact_match(
    prediction: Sequence[str], text: str, target: Sequence[str], target_canon: Sequence[str] | None
) -> bool:
    """Whether the model wrote exactly the gold answer, ignoring white space around it."""
    return text.strip() == ROW_DELIMITER.join(target)


def option_match(
    prediction: Sequence[str], text: str, target: Sequence[str], target_canon: Sequence[str] | None
) -> bool:
    """Whether the model chose the gold option. A gold letter ("B", "(B)") must be chosen as a letter, since
    the options are not known here; any other gold option ("Yes") must be read.
    """
    if len(target) != 1:
        return False
    gold = target[0].strip().strip("().").casefold()
    if len(gold) == 1 and gold.isascii() and gold.isalpha():
        return read_option(text, ()) == gold.upper()
    return [item.strip().strip("().").casefold() for item in prediction] == [gold]


def wtq(prediction: Sequence[str], text: str, target: Sequence[str], target_canon: Sequence[str] | None) -> bool:
    """The official verdict of WikiTableQuestions."""
    return wtq_correct(prediction, target, target_canon)


def get_denotation_accuracy(predictions: Sequence[str], references: Sequence[str]) -> float:
    """The share of texts that are right by the metric of the paper; 0.0 if there are none."""
    pairs = list(zip(predictions, references, strict=True))
    return sum([_values(one) == _values(other) for one, other in pairs]) / len(pairs) if pairs else 0.0


def _values(text: str) -> Counter[float | str]:
    """The values between commas, and how often each occurs."""
    return Counter([_value(span) for span in text.lower().split(",")])


def _value(span: str) -> float | str:
    try:
        return float(span)
    except ValueError:
        return span.strip()


def _paper(prediction: Sequence[str], text: str, target: Sequence[str], target_canon: Sequence[str] | None) -> float:
    """The metric of the paper on one pair; gold items are joined by commas, as in its data."""
    return get_denotation_accuracy([text], [", ".join(target)])


NEEDS_CANON = frozenset({"wtq"})  # an answer that is wrong without canonical values might be right with them

METRICS: Mapping[str, Metric] = {
    "denotation": denotation,
    "exact_match": exact_match,
    "get_denotation_accuracy": _paper,
    "option_match": option_match,
    "wtq": wtq,
}
