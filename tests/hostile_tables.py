"""Tables as hostile as real ones: a hypothesis strategy for the laws of the SQL core."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st

from symtune.tables.clean import clean_header, clean_rows
from symtune.tables.columns import infer_types
from symtune.types import Table

NASTY = (
    "", " ", "'", '"', "''", '""', "`", "[x]", "|", " | ", ";", " ; ", "\\", "\n",
    "\r\n", "\t", "\0", "\ud800", "\u2028",
    "{{ x }}", "{% for %}", "{{ '{' }}", "%", "_", "%a_", "🙂", "👩‍👩‍👧", "é", "e\u0301", "ß", "İ", "東京", "Ω",
    "NULL", "null", "None", "NaN", "inf", "-0", "0x10", "1e999", "1_000", "1,000", "001", "٣", "--", "/* */",
    "; DROP TABLE w", "SELECT", "x' OR '1'='1", "a" * 300, "ab|cd", "row 1 : x", "true",
    "<b>&amp;</b>", "=1+1", "N/A", "—", "yes", "0", "1",
)  # fmt: skip
HEADERS = (
    "select", "from", "order", "group", "w", "t", "r", "v", "x", "y", "rowid", "oid", "a b", "A B", 'say "x"', "it's",
    "", "", "1", "count", "COUNT(*)", "date", "{{ x }}", "🙂", "naïve", "a|b", "a;b", "%", "row 1", "c0", "\n", "NULL",
    "current_date", "ß", "SS", "İ", "w.x", "[a]", "`b`", "$1", "?", ":name", "@v",
)  # fmt: skip

texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.sampled_from(("red", "blue", "Red", "green")))
integers = st.integers(-50, 50).map(str)
numbers = st.one_of(
    integers,
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(("1,200", "0.1", "0.2", "0.30", "0.3", "-0.0", "9007199254740992", "0.000093", "—", "")),
)
dates = st.one_of(
    st.dates().map(str), st.sampled_from(("2008-02-29", "April 13, 2008", "1999-12-31", "0001-01-01", ""))
)
kinds = st.sampled_from((texts, texts, integers, numbers, dates))


names = st.one_of(st.sampled_from(HEADERS), st.text(max_size=8))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of 2 to 6 columns and 3 to 9 rows, cleaned and typed as by loading."""
    width, height = draw(st.integers(2, 6)), draw(st.integers(3, 9))
    header = draw(st.lists(names, min_size=width, max_size=width))
    columns = [draw(st.lists(draw(kinds), min_size=height, max_size=height)) for _ in range(width)]
    mended: Counter[str] = Counter()
    rows = clean_rows(list(zip(*columns, strict=True)), mended)
    return Table("hostile", clean_header(header, mended), infer_types(rows, width), rows)
