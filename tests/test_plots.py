"""The plots of a card: well-formed whatever the names are, inside the drawing, and true to the counts."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from symtune.generation.plots import _merged, plots
from symtune.task import Words

names = st.text(max_size=40) | st.sampled_from(
    ["<", "a&b", '"', "\x1b[31m", "\ud800", "東京", "x" * 300, "]]>", "\x00"]
)
counts = st.dictionaries(names, st.integers(1, 10**9), max_size=6)
widths = st.sampled_from([1, 2, 5, 250])
bins = widths.flatmap(
    lambda width: st.dictionaries(
        st.integers(0, 400).map(lambda k: f"{k * width} to {k * width + width}"), st.integers(1, 10**6), max_size=30
    )
)
balances = st.dictionaries(names, st.tuples(st.floats(0, 1), st.floats(0.01, 1)), max_size=6)
SVG = "{http://www.w3.org/2000/svg}"


def task(statistics, balance, examples) -> dict:
    return {"statistics": statistics, "balance": balance, "examples": examples}


@given(bins, bins, counts, counts, balances)
def test_the_drawing_is_well_formed_and_all_bars_are_inside(difficulty, lengths, types, operators, balance):
    statistics = {"difficulty": difficulty, "prompt_length": lengths, "answer_type": types, "operators": operators}
    examples = max(1, sum(types.values()), *operators.values())
    text = plots(task(statistics, balance, examples), Words())
    root = ET.fromstring(text)
    height = float(root.get("height"))
    for group in root.iter(f"{SVG}g"):
        x, y = map(float, group.get("transform").removeprefix("translate(").removesuffix(")").split(","))
        for bar in group.iter(f"{SVG}rect"):
            left, top, wide, tall = (float(bar.get(name)) for name in ("x", "y", "width", "height"))
            assert min(left, top, wide, tall) >= 0
            assert x + left + wide <= 880.1
            assert y + top + tall <= height
    bars = len(list(root.iter(f"{SVG}rect")))
    assert bars == len(types) + len(operators) + len(balance) + sum(
        len(_merged({int(name.split()[0]): n for name, n in found.items()})) for found in (difficulty, lengths)
    )


@given(bins)
def test_bins_are_joined_without_loss(found):
    counted = {int(name.split()[0]): n for name, n in found.items()}
    joined = _merged(counted)
    assert sum(joined.values()) == sum(counted.values())
    assert len(joined) <= 21
    assert list(joined) == sorted(joined)


def test_figures_are_what_was_counted():
    counted = {"answer_type": {"text": 1, "number": 3}, "difficulty": {"2 to 4": 4}}
    text = plots(task(counted, {"first row": (0.5, 0.1)}, 4), Words())
    told = [title.text for title in ET.fromstring(text).iter(f"{SVG}title")]
    assert told == ["from 2: 100.0%", "first row: 50.0%, bound 10%", "number: 75.0%", "text: 25.0%"]
    assert 'class="over"' in text
    turned = {"difficulty": {"2 to 4": 4}, "answer_type": {"number": 3, "text": 1}}
    assert text == plots(task(turned, {"first row": (0.5, 0.1)}, 4), Words())
    assert ET.fromstring(plots(task({}, {}, 0), Words())) is not None
