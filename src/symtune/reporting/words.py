"""How numbers and texts are written on the page."""

from __future__ import annotations

TEXT_SHOWN = 300


def percent(share: float) -> str:
    """0.4567 as 45.7 % (with a space that does not break)."""
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
    """A text for the page: control characters made visible, clipped with a count of what is left out."""
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
