r"""Extracts answers from what models write, by one set of rules for every model and every benchmark.

    read_answer("Tom has 3, Ann has 4. So the total is 7.")            ->  ["7"]
    read_number("She pays 3 * $5 = $15.\n#### 15")                     ->  "15"
    read_option("The answer is (C) blue.", ("red", "green", "blue"))   ->  "C"
    continues("5\n\nQuestion: How many?\nAnswer: 6")                   ->  "5\n\n"

`docs/reading.md` describes the rules with examples; tests/answers.yaml, tests/numbers.yaml and
tests/options.yaml list the cases they are tested on. The functions are pure, take any text, never raise, and take
time linear in its length.
"""

from symtune.reading.numbers import read_number, unannotated
from symtune.reading.options import read_option
from symtune.reading.rules import from_refusal, read_reply
from symtune.reading.turns import continues, reply, unfinished_thought

__all__ = [
    "continues",
    "gives_none",
    "read_answer",
    "read_number",
    "read_option",
    "reply",
    "unannotated",
    "unfinished_thought",
]


def read_answer(text: str) -> list[str]:
    """The items of the answer in what a model wrote; an empty list if it gives no answer. Never raises.

    An answer that is alone on its line is taken as it is: " | " separates items, and a comma is part of an answer.
    Anything else is read by the first of `symtune.reading.rules.RULES` that applies.
    """
    return read_reply(reply(text))


def gives_none(text: str) -> bool:
    """Whether a model says that it has no answer ("I do not know"), or says nothing outside a thought. Never raises."""
    said = reply(text)
    return not said.strip() or from_refusal(said) is not None
