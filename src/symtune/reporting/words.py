"""How numbers, texts and tables are written on the page."""

from __future__ import annotations

from dataclasses import dataclass

from symtune.types import Table

TEXT_SHOWN = 300
ROWS_SHOWN, CELL_SHOWN = 14, 80


def percent(share: float) -> str:
    """0.4567 as 45.7 % (with a no-break space)."""
    return f"{100 * share:.1f}\u00a0%"


def thousands(count: float) -> str:
    """A count for an axis: 20000 as 20k."""
    return f"{count / 1000:g}k" if count >= 1000 else f"{count:g}"


def width(share: float) -> str:
    """A share as a CSS length."""
    return f"{min(max(100 * share, 0), 100):.2f}%"


def points(difference: float) -> str:
    """A difference of two shares, in percentage points with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def printable(value: object, limit: int = TEXT_SHOWN) -> str:
    """A text for the page: with control characters made visible, and clipped with a count of what is left out."""
    text = "".join(ch if ch in "\n\t" or ch.isprintable() else f"\\x{ord(ch):02x}" for ch in str(value))
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def interval(low: float, high: float, scale: str = " %") -> str:
    """A 95 % interval in percent or points."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]{scale}".replace("-", "−")


def clock(seconds: float) -> str:
    """Seconds as 7 s, 12:34 min or 1:02:03 h."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d} h"
    return f"{minutes}:{whole % 60:02d} min" if minutes else f"{whole} s"


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as the page shows it; `more` says what is left out."""

    title: str
    header: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: str


def shown_table(table: Table, of_rows: int = 0, of_columns: int = 0) -> ShownTable:
    """The first rows of a table. `of_rows`, `of_columns`: its full size, if it was cut before."""
    rows = max(of_rows, len(table.rows)) - min(len(table.rows), ROWS_SHOWN)
    columns = max(of_columns, len(table.header)) - len(table.header)
    more = [f"{rows:,} more rows"] if rows else []
    more += [f"{columns:,} more columns"] if columns else []
    return ShownTable(
        table.title or table.source or table.id,
        tuple(printable(name, CELL_SHOWN) for name in table.header),
        table.types,
        tuple(tuple(printable(cell, CELL_SHOWN) for cell in row) for row in table.rows[:ROWS_SHOWN]),
        ", ".join(more),
    )
