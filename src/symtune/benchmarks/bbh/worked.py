"""The worked examples of BIG-Bench Hard: the files of its folder cot-prompts.

a canary
-----
What the task is.

Q: a question
A: Let's think step by step.
The steps. So the answer is (B).

Q: …
"""

from __future__ import annotations

import re
from pathlib import Path

from symtune.files import LONGEST, open_bytes
from symtune.types import InputError

_CANARY = re.compile(r"\A[^\n]*\n-{3,}[ \t]*\n")
_EXAMPLE = re.compile(r"(?:^|\n\n)Q: ?(?=\S)")
_ANSWER = re.compile(r"\nA: ?(?:Let's think step by step\.\s+)?")


def worked_examples(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """What the task is, and (question, worked answer) of each example. Raises InputError with the file's name."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; shots are the worked examples of the official release")
    with open_bytes(path) as stream:
        content = stream.read(LONGEST)
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: byte 0x{content[error.start]:02x} at {error.start}") from None
    introduction, *examples = _EXAMPLE.split(_CANARY.sub("", text))
    found = []
    for number, example in enumerate(examples, start=1):
        question, *answers = _ANSWER.split(example, maxsplit=1)
        if not answers or not answers[0].strip():
            raise InputError(f'{path}: example {number} has no answer; wanted "A: Let\'s think step by step."')
        found.append((question.strip(), answers[0].strip()))
    return introduction.strip(), found
