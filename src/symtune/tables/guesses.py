"""Which legacy encoding a file is in: a detector proposes readings, and one is used only if it is far ahead of the
others.

chardet ranks encodings. It was made for prose, whereas tables consist of numbers, names and few words, so its scores
are low and close together. Therefore it is only shown the distinct cells that are not ASCII; implausible readings are
discarded (a capital inside a word, a Greek letter between Latin ones, a sign in the middle of a word); encodings that
give the same text count once; and the best reading must lead the next by a certain factor.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# codec -> (its name for people, how common such files are); a file in any other encoding needs --encoding
_KNOWN = {
    "cp1250": ("Windows-1250", 1.0), "cp1251": ("Windows-1251", 1.0), "cp1252": ("Windows-1252", 3.0),
    "cp1253": ("Windows-1253", 1.0), "cp1254": ("Windows-1254", 4.0), "cp1255": ("Windows-1255", 1.0),
    "cp1256": ("Windows-1256", 1.0), "cp1257": ("Windows-1257", 1.0), "cp874": ("Windows-874", 1.0),
    "koi8-r": ("KOI8-R", 1.0), "koi8-u": ("KOI8-U", 1.0), "iso8859-2": ("ISO-8859-2", 1.0), "cp866": ("CP866", 1.0),
    "cp850": ("CP850", 0.6), "cp852": ("CP852", 0.6), "mac-roman": ("Mac Roman", 0.3), "cp932": ("Shift_JIS", 1.0),
    "euc_jis_2004": ("EUC-JP", 1.0), "gb18030": ("GBK", 1.0), "big5hkscs": ("Big5", 1.0),
    "cp949": ("EUC-KR", 1.0),
}  # fmt: skip
_LEAD = 2.0  # the best reading must be this many times better than the next
_LEAD_OF_FEW = 6.0  # the same if there is little evidence
_FEW, _FEW_CELLS = 8, 3  # little evidence: this many bytes that are not ASCII, or distinct cells with them
_SIGNS = "°£€¥–—’“”…"
_MOST = 1 << 16  # bytes of cells shown to the detector
_LONGEST = 200  # bytes of one cell
_HIGH = re.compile(rb"[\x80-\xff]")
_PAIR = re.compile(rb"[\x80-\xff]{2}")
_BETWEEN = b'\n\r\t,;"'  # none of these is the second byte of a character in the encodings above
_EAST = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "KATAKANA-HIRAGANA", "FULLWIDTH", "IDEOGRAPHIC",
                   "HANGUL"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """A reading of bytes: Python's codec, its name for people, and whether it is far ahead of all others."""

    codec: str
    name: str
    sure: bool


def guess(data: bytes) -> Guess | None:
    """The best reading of bytes that are not UTF-8, or None if there is none."""
    import chardet

    found = _foreign_cells(data)
    cells = b"\n".join(found)
    few = len(found) < _FEW_CELLS or len(_HIGH.findall(cells)) < _FEW
    readings: dict[str, tuple[float, str]] = {}
    for ranked in chardet.detect_all(cells, ignore_threshold=True, include_encodings=list(_KNOWN), compat_names=False):
        codec = codecs.lookup(ranked["encoding"] or "cp1252").name
        if codec not in _KNOWN or (text := _text(cells, codec)) is None:
            continue
        score = ranked["confidence"] * _KNOWN[codec][1]
        readings[text] = max(readings.get(text, (0.0, "")), (score, codec))
    if not readings:
        return None
    (text, (best, codec)), *others = sorted(readings.items(), key=lambda reading: (-reading[1][0], reading[1][1]))
    western = codec == "cp1252" and _in_words(text)
    lead = _LEAD_OF_FEW if few and not (western and len(found) >= _FEW_CELLS) else _LEAD
    sure = not others or best >= lead * others[0][1][0]
    return Guess(codec, _KNOWN[codec][0], sure and (western or not few))


def _foreign_cells(data: bytes) -> list[bytes]:
    """The first distinct cells with a byte beyond ASCII."""
    cells: dict[bytes, None] = {}
    end = size = 0
    for found in _HIGH.finditer(data):
        at = found.start()
        if at < end:
            continue
        start = max(
            end, at - _LONGEST, *(data.rfind(bytes([mark]), max(0, at - _LONGEST), at) + 1 for mark in _BETWEEN)
        )
        stops = [stop for mark in _BETWEEN if (stop := data.find(bytes([mark]), at, at + _LONGEST)) >= 0]
        end = min([*stops, at + _LONGEST])
        cell = data[start:end]
        size += len(cell) if cell not in cells else 0
        cells[cell] = None
        if size > _MOST:
            break
    return list(cells)


def _text(cells: bytes, codec: str) -> str | None:
    """The cells in this encoding, or None if nobody would write such text."""
    try:
        text = cells.decode(codec)
    except UnicodeDecodeError:
        return None
    foreign = [mark for mark in text if not mark.isascii()]
    odd = sum(itertools.starmap(_odd, _triples(text)))
    if not foreign or odd * 20 > len(foreign):
        return None
    if not _PAIR.search(cells) and len(set(foreign)) < 3 and any(_script(mark) in _EAST for mark in foreign):
        return None  # the byte in "5 °C" may also be part of a Korean syllable
    return text


def _in_words(text: str) -> bool:
    """Whether every foreign character is a letter next to an ASCII letter, or a sign found in Western text."""
    return all(
        mark.isascii()
        or mark in _SIGNS
        or (mark.isalpha() and any(a.isalpha() and a.isascii() for a in (before, after)))
        for before, mark, after in _triples(text)
    )


def _triples(text: str) -> Iterator[tuple[str, str, str]]:
    """Every character, with its neighbours."""
    return zip("\n" + text, text, text[1:] + "\n", strict=False)


def _odd(before: str, mark: str, after: str) -> bool:
    """Whether nobody would write this character between these two."""
    if mark.isascii():
        return False
    category, script = unicodedata.category(mark), _script(mark)
    if category[0] in "LM":
        if script in _EAST:
            return before.islower() and after.islower() and before.isascii() and after.isascii()
        if any(other.isalpha() and _script(other) != script for other in (before, after)):
            return True
        alone = not before.isalpha() and not after.isalpha() and category != "Lo"
        return (mark.isupper() and before.islower()) or mark == "ƒ" or (alone and after.isdigit())
    if category in ("Cc", "Cn", "Co"):
        return True
    inside = before.isalpha() and mark not in "’·-–"
    return after.isalpha() and (inside or (category[0] == "S" and mark not in "°£€¥"))


def _script(mark: str) -> str:
    return "LATIN" if mark.isascii() else unicodedata.name(mark, "").split(" ")[0]
