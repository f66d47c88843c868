"""Bytes to text. UTF-8 and UTF-16 are recognized by their form; any other encoding is guessed and reported, or the
file is refused with a message that says "encoding".

| bytes | read as |
|---|---|
| `--encoding NAME` | NAME, strictly |
| a byte order mark | UTF-8, UTF-16 or UTF-32, as it says |
| NUL bytes of one parity, and line breaks where UTF-16 (or UTF-32) has them | that, without a mark |
| valid UTF-8 | UTF-8 |
| UTF-8 except for at most one byte in ten | UTF-8, with broken bytes replaced by U+FFFD and counted |
| anything else | the guess of `guesses`, if it is certain |
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping, Sequence

from symtune.tables.guesses import guess
from symtune.tables.model import BrokenSource
from symtune.types import InputError

REFUSED = "unknown encoding"
REPLACED = "byte that is not UTF-8: replaced by U+FFFD"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, because it begins with that mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = {
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32-le": "UTF-32 (little-endian)",
    "utf-32-be": "UTF-32 (big-endian)",
}
_SAMPLE = 1 << 16  # bytes examined to recognize UTF-16 without a mark; a multiple of 4
_HINT = "save it as UTF-8, or name its encoding: --encoding NAME"


def check_encoding(name: str) -> str:
    """The name of a text encoding as Python knows it. Raises InputError for any other name."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        known = "utf-8, utf-16, cp1252, cp1251, shift_jis, gb18030, big5, euc-kr"
        raise InputError(f"--encoding {name!r}: no such encoding; for example {known}") from None
    if not getattr(found, "_is_text_encoding", True):
        raise InputError(f"--encoding {name!r}: not an encoding of text")
    return found.name


def decode(data: bytes, where: str, encoding: str | None = None) -> tuple[str, Mapping[str, int]]:
    """The text of a file's bytes, and what was guessed or repaired. Raises BrokenSource if it cannot be determined."""
    if encoding is not None:
        return _as_told(data, where, encoding), {}
    for mark, marked in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(marked), {}
            except UnicodeDecodeError as error:
                detail = f"begins with the mark of the encoding {marked.removesuffix('-sig').upper()}, {_broken(error)}"
                if marked != "utf-8-sig":
                    raise BrokenSource(REFUSED, where, f"{detail}; {_HINT}") from None
            data = data[len(mark) :]
    if (found := _unmarked(data)) is not None:
        return _strict(data, where, found), {f"file without a byte order mark: read as {_UNMARKED[found]}": 1}
    if b"\x1b" not in data:  # otherwise it may be ISO-2022, which is valid ASCII
        try:
            return data.decode("utf-8"), {}
        except UnicodeDecodeError:
            pass
    return _guessed(data, where)


def decode_texts(texts: Sequence[bytes], encoding: str | None) -> tuple[list[str], str]:
    """Texts with the same origin, none of which is UTF-8, and what was done: they are read in the encoding given by the
    user, or in the one that is certain for all of them, else with U+FFFD for invalid bytes.
    """
    found = guess(b"\n".join(texts)) if encoding is None else None
    if encoding is None and found is not None and found.sure:
        encoding = found.codec
    try:
        if encoding is not None:
            how = f" {found.name} (guessed)" if found else f" {encoding}"
            return [text.decode(encoding) for text in texts], f"text that is not UTF-8: read as{how}"
    except UnicodeDecodeError:
        pass
    return [text.decode("utf-8", "replace") for text in texts], "text that is not UTF-8: U+FFFD for what is broken"


def _guessed(data: bytes, where: str) -> tuple[str, Mapping[str, int]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = max(0, error.start - _SAMPLE)
        if _nearly_utf8(data[start : start + 2 * _SAMPLE]):
            text = data.decode("utf-8", "replace")
            return text, {REPLACED: text.count("\ufffd") - data.count("\ufffd".encode())}
    else:
        return (_unescaped(data) if data.isascii() else None) or (text, {})
    found = guess(data)
    if found is not None and found.sure:
        try:
            return data.decode(found.codec), {f"file is not UTF-8: read as {found.name} (guessed)": 1}
        except UnicodeDecodeError:
            pass
    most = f", perhaps {found.name}" if found else ""
    raise BrokenSource(
        REFUSED, where, f"its encoding is not UTF-8 and cannot be determined with certainty{most}; {_HINT}"
    )


def _nearly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.count("\ufffd".encode())
    return 10 * broken <= len(text) - len(text.encode("ascii", "ignore"))


def _unescaped(data: bytes) -> tuple[str, Mapping[str, int]] | None:
    """The text, if the escape sequences of the file are those of ISO-2022."""
    for encoding, name in (("iso2022_jp_2", "ISO-2022-JP"), ("iso2022_kr", "ISO-2022-KR")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.isascii():
            return text, {f"file is not UTF-8: read as {name} (guessed)": 1}
    return None


def _as_told(data: bytes, where: str, encoding: str) -> str:
    for mark, marked in _MARKS:
        if data.startswith(mark) and marked.removesuffix("-sig") == encoding.removesuffix("-sig"):
            return _strict(data, where, marked)
    if encoding in ("utf-16", "utf-32"):  # without a mark, Python would use the byte order of the machine
        encoding = next((name for name in (_unmarked(data),) if name and name.startswith(encoding)), f"{encoding}-le")
    return _strict(data, where, encoding)


def _strict(data: bytes, where: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"not in the encoding {encoding} ({_broken(error)}); {_HINT}"
        raise BrokenSource(REFUSED, where, detail) from None
    except (UnicodeError, ValueError) as error:  # idna, punycode: encodings that no file uses
        raise BrokenSource(REFUSED, where, f"not in the encoding {encoding} ({error}); {_HINT}") from None


def _broken(error: UnicodeDecodeError) -> str:
    return f"but byte {error.start + 1:,} breaks it"


def _unmarked(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, if the bytes can be read that way and not as UTF-8."""
    sample = data[:_SAMPLE]
    nul = sample.count(0)
    if nul * 64 < len(sample):
        return None
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        unit = 4 if "32" in encoding else 2
        try:
            text = sample[: len(sample) // unit * unit].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 2 * unit:  # not a pair cut by the end of the sample
                continue
            text = sample[: error.start].decode(encoding)
        if any(mark in text for mark in "\r\n") and _strange(text) * 50 <= len(text):
            return encoding
    return None


def _strange(text: str) -> int:
    """The number of characters that never occur in text: control characters and unassigned code points."""
    return sum(1 for mark in text if mark not in "\t\r\n" and unicodedata.category(mark) in ("Cc", "Cn", "Co", "Cs"))
