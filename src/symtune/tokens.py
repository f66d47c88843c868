"""How long a text is in tokens when no tokenizer is named: an estimate that errs on the long side."""

from __future__ import annotations

from string import ascii_letters

_PLAIN = (ascii_letters + " ").encode()


def estimate(text: str) -> int:
    """Tokens that a common subword tokenizer makes of the text, or a few more.

    Every word counts one token and another for each three letters; every other character but a blank counts one
    (many tokenizers split figures digit by digit), and one beyond ASCII a token for each byte of UTF-8.
    """
    raw = text.encode("utf-8", "replace")
    others = len(raw.translate(None, _PLAIN))  # bytes: a character beyond ASCII counts one for each
    blanks = raw.count(b" ")
    letters = len(raw) - others - blanks
    return blanks + 1 + letters // 3 + others
