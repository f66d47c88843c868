"""How long a text is in tokens when no tokenizer is named: an estimate that errs on the long side."""

from __future__ import annotations

from string import ascii_letters

_NOT_LETTERS = str.maketrans("", "", ascii_letters + " ")


def estimate(text: str) -> int:
    """Tokens that a common subword tokenizer makes of the text, or a few more.

    Every word counts one token and another for each three letters; every other character but a blank counts one
    (many tokenizers split figures digit by digit), and one beyond ASCII a token for each byte of UTF-8.
    """
    others = text.translate(_NOT_LETTERS)
    blanks = text.count(" ")
    letters = len(text) - len(others) - blanks
    beyond = 0 if text.isascii() else len(text.encode("utf-8", "replace")) - len(text)
    return blanks + 1 + letters // 3 + len(others) + beyond
