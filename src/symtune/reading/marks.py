r"""Marks that models put around an answer: \boxed{…}, ####, <answer>…</answer>; and markdown, quotation marks and LaTeX
to be removed.

boxed(r"So $x = \boxed{\frac{1}{2}}$")      ->  ["1/2"]
hashed("2 + 2 = 4\n#### 4")                 ->  "4"
tagged("<answer>4</answer>")                ->  "4"
bare('**"Oslo"**.')                         ->  "Oslo"
"""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*(\{|\S{1,20})")
_BRACE = re.compile(r"\\.|[{}]|\n\n", re.DOTALL)
_BETWEEN_BOXES = re.compile(r"[\s$,;.]*(?:and|or)?[\s$,;.]*|[\s$]*\\text\{[, ]*(?:and|or)[, ]*\}[\s$]*")
_TAG = re.compile(r"<((?:final_?)?answer|result|output|solution|response)>", re.IGNORECASE)
_HASHED = re.compile(r"^[ \t]{0,8}####[ \t]*([^#\s][^\n]*)$", re.MULTILINE)
_AMOUNT = re.compile(r"[-+−$€£¥*\\(]{0,4}\s?\.?\d")
_HEADING = re.compile(
    r"(?:final |short |the )?(?:answer|step|solution|explanation|reasoning|result|conclusion|note|example|analysis"
    r"|calculation|verification|question|problem|summary)s?\b|[^\n]*:$",
    re.IGNORECASE,
)

_QUOTES = ('""', "''", "“”", "‘’", "``", "«»", "„“", "「」")
_AROUND = (("***", "***"), ("**", "**"), ("__", "__"), ("*", "*"), ("_", "_"), ("`", "`"))
_MATH = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_LAYERS = 8  # of marks around an answer: people write two or three, and removing one costs a pass over the whole
_ABBREVIATED = re.compile(r"(?:\b(?:Jr|Sr|Inc|Co|Corp|Ltd|Bros|Esq|etc|al)|\b(?:[A-Za-z]\.){1,4}[A-Za-z])\.$")
_TRAILS_OFF = re.compile(r"(?<!\.)\.\.\.$")
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,400}\)")
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~\s?")

_NAMED = re.compile(
    r"\\(?:text(?:bf|it|rm|tt|sf)?|math(?:rm|bf|it|sf|tt)|mbox|operatorname|boldsymbol|bm)\s?\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\s?(?:\{([^{}]*)\}\s?\{([^{}]*)\}|(\d)\s?(\d))")
_SIGNS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "approx": "≈", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "pi": "π", "infty": "∞", "degree": "°", "circ": "°", "quad": " ", "qquad": " ", "left": "",
    "right": "", "displaystyle": "", "dollar": "$", "textdollar": "$", "euro": "€", "pounds": "£",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)\s?")
_THIN = re.compile(r"(?<=\d)(?:\\[,!;: ]|\{,\}|~)(?=\d{3}(?!\d))")


def tagged(text: str) -> str | None:
    """The content of the last <answer>…</answer> (or <final_answer>, <result>, …), which may be cut off."""
    opened = max(_TAG.finditer(text), key=re.Match.start, default=None)
    if opened is None:
        return None
    rest = text[opened.end() :]
    closed = re.search(rf"</{opened[1]}\s?>", rest, re.IGNORECASE)
    return rest[: closed.start()] if closed else rest


def boxed(text: str) -> list[str]:
    r"""The content of the last \boxed{…} as plain text; of the last few, if only "," or "and" is between them."""
    found: list[tuple[int, int, str]] = []
    position = 0
    while box := _BOX.search(text, position):
        if box[1] == "{":
            end = _closing_brace(text, box.end())
            content, position = text[box.end() : end], min(end + 1, len(text))
        else:
            content, position = box[1].rstrip("$.,"), box.end()
        if found and not _BETWEEN_BOXES.fullmatch(text[found[-1][1] : box.start()][:80]):
            found = []
        found.append((box.start(), position, content))
    contents = [_right_side(bare(plain_latex(content), ended=False)) for _, _, content in found]
    return [content for content in contents if content]


def _closing_brace(text: str, position: int) -> int:
    """The position where the brace opened before `position` closes, or the end of the paragraph if it never does."""
    depth = 1
    for brace in _BRACE.finditer(text, position):
        if brace[0] == "\n\n":
            return brace.start()
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.start()
    return len(text)


def _right_side(content: str) -> str:
    """ "x = 3" -> "3"."""
    name, equals, value = content.partition("=")
    return value.strip() if equals and re.fullmatch(r"[A-Za-z]\w{0,3}", name.strip()) else content


def hashed(text: str) -> str | None:
    """What follows the first "####" before an amount, as in GSM8K; otherwise, what follows the one on the last line,
    unless it is a markdown heading.
    """
    last = None
    for last in _HASHED.finditer(text):
        if _AMOUNT.match(last[1]):
            return bare(last[1])
    if last is None or text[last.end() :].strip() or _HEADING.match(last[1]):
        return None
    return bare(last[1])


def bare(text: str, *, ended: bool = True) -> str:
    """An answer taken out of prose, without quotation marks, markdown and LaTeX around it, and without a final period
    (except that of an abbreviation), exclamation mark or comma. Not `ended`: the answer was set off by marks, so its
    final punctuation stays.
    """
    text = text.strip().strip("* ")
    if ended and text[-1:] in ("!", ",", ";", "。"):
        text = text[:-1].rstrip()
    for _ in range(_LAYERS):
        before = text
        text = text.strip().strip("* ")
        if ended and text.endswith(".") and not _ABBREVIATED.search(text[-12:]) and not _TRAILS_OFF.search(text):
            text = text[:-1].rstrip()
            ended = text[-1:] not in ".!?"
        text = unmarked(text)
        if len(text) > 1 and text[0] + text[-1] in _QUOTES and text[0] not in text[1:-1]:
            text = text[1:-1]
        text = _unwrapped(text, _MATH)
        if text == before:
            break
    return plain_latex(text) if "\\" in text or "{,}" in text else text


def unmarked(text: str) -> str:
    """`text` without the markdown that encloses all of it (**bold**, _italics_, `code`, a link), and without anything
    ~~struck out~~.
    """
    text = text.strip()
    for _ in range(_LAYERS):
        before = text
        text = _unwrapped(text, _AROUND)
        if text == before:
            break
    if link := _LINK.fullmatch(text):
        text = link[1]
    return _STRUCK.sub("", text).strip() if "~~" in text else text


def _unwrapped(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for opening, closing in pairs:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)]
            if opening not in inner and closing not in inner and inner.strip():
                return inner.strip()
    return text


def plain_latex(text: str) -> str:
    r"""Simple LaTeX as plain text: "1{,}234" -> "1,234", "\frac{1}{2}" -> "1/2", "\text{km}" -> "km"."""
    if "\\" not in text and "{" not in text:
        return text.strip().strip("$").strip() if text.count("$") == 2 else text
    text = _THIN.sub(",", text).replace("\\$", "\0")
    text = text.replace("$", "").replace("\0", "$")
    for mark in (r"\(", r"\)", r"\[", r"\]"):
        text = text.replace(mark, "")
    for _ in range(3):
        text = _FRACTION.sub(r"\1\3/\2\4", _NAMED.sub(r"\1", text))
    text = text.replace("^{\\circ}", "°").replace("^\\circ", "°")
    text = re.sub(r"\\[,;:! ]", " ", text)
    text = re.sub(r"\\([%&#_{}])", r"\1", text)
    text = _COMMAND.sub(lambda found: _SIGNS.get(found[1], found[0]), text)
    return " ".join(text.split())
