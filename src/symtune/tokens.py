"""How long a text is in tokens when no tokenizer is named: an estimate that errs on the long side."""

from __future__ import annotations

from string import ascii_letters

_PLAIN = (ascii_letters + " ").encode()


def estimate(text: str) -> int:
    """The number of tokens into which a common subword tokenizer cuts the text, or a few more.

    Every word counts as one token plus one for every three letters; every other character except a blank counts as one
    (many tokenizers split numbers into digits), and a character beyond ASCII as one for each byte of its UTF-8.
    """
    raw = text.encode("utf-8", "replace")
    others = len(raw.translate(None, _PLAIN))  # in bytes: a character beyond ASCII counts once for each
    blanks = raw.count(b" ")
    letters = len(raw) - others - blanks
    return blanks + 1 + letters // 3 + others
