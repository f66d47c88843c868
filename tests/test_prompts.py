"""Prompts: seven linearizations that keep what they promise to keep, and templates that only fill in values."""

from __future__ import annotations

import csv
import html
import io
import json
import pickle
import re
from itertools import combinations
from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from symtune.denotation import CELL_DELIMITER, ROW_DELIMITER
from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize, linearize_all, load_templates, read_templates
from symtune.types import InputError, Table, UnknownName

NAMES = ("sql_execution", "sql_execution_several", "sqa", "wikisql", "wikitablequestions")
HOSTILE = [
    "",
    "a|b",
    'say "x"',
    "{{ sql }}",
    "{% raw %}",
    "<b>&amp;",
    "a,b",
    "\\|",
    "\\",
    "100%",
    "%s %d",
    "😀",
    "'",
    "é\u200b",
    " | ",
]
cell = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=9)
)
tables = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        lambda header, rows: Table("t", tuple(header), ("text",) * width, tuple(map(tuple, rows))),
        st.lists(cell.filter(bool), min_size=width, max_size=width, unique=True),
        st.lists(st.lists(cell, min_size=width, max_size=width), max_size=4),
    )
)
CITIES = Table("t", ("city", "n"), ("text", "number"), (("Oslo", "3"), ("Bergen|x", ""), ('<"Å">', "1,000")))

SHOWN = {
    "tapex": 'col : city | n row 1 : Oslo | 3 row 2 : Bergen\\|x |  row 3 : <"Å"> | 1,000',
    "paper": 'header: city | n row 1 : Oslo | 3 row 2 : Bergen\\|x |  row 3 : <"Å"> | 1,000',
    "markdown": '| city | n |\n| --- | --- |\n| Oslo | 3 |\n| Bergen\\|x |  |\n| <"Å"> | 1,000 |',
    "csv": 'city,n\nOslo,3\nBergen|x,\n"<""Å"">","1,000"',
    "json": '[{"city": "Oslo", "n": "3"},\n{"city": "Bergen|x", "n": ""},\n{"city": "<\\"Å\\">", "n": "1,000"}]',
    "html": "<table>\n<tr><th>city</th><th>n</th></tr>\n<tr><td>Oslo</td><td>3</td></tr>\n"
    '<tr><td>Bergen|x</td><td></td></tr>\n<tr><td>&lt;"Å"&gt;</td><td>1,000</td></tr>\n</table>',
    "natural": "Row 1: the city is Oslo; the n is 3.\nRow 2: the city is Bergen|x; the n is empty.\n"
    'Row 3: the city is <"Å">; the n is 1,000.',
}  # fmt: skip


def test_every_linearization_is_shown() -> None:
    assert {name: linearize(CITIES, name) for name in LINEARIZATIONS} == SHOWN


@given(tables)
def test_all_but_sentences_are_read_back(table: Table) -> None:
    rows = [list(row) for row in (table.header, *table.rows)]
    assert list(csv.reader(io.StringIO(linearize(table, "csv"), newline=""))) == rows
    assert [list(record.values()) for record in json.loads(linearize(table, "json"))] == rows[1:]
    lines = linearize(table, "html").split("\n")[1:-1]
    assert [[html.unescape(text) for text in re.split("</t[hd]><t[hd]>", line[8:-10])] for line in lines] == rows
    lines = linearize(table, "markdown").split("\n")
    assert [cells_of(line[1:-1]) for line in (lines[0], *lines[2:])] == rows
    for name in ("tapex", "paper"):  # no cell of these tables reads "row 2 :"
        lines = re.split(r" row \d+ :", re.sub("^(col :|header:)", "", linearize(table, name)))
        assert [cells_of(f"{line} ") for line in lines] == rows


def cells_of(line: str) -> list[str]:
    """The cells between pipes, without padding and escapes."""
    parted = re.findall(r"((?:\\.|[^\\|])*)\|", line + "|")
    return [re.sub(r"\\(.)", r"\1", text[1:-1]) for text in parted]


@given(tables, st.sampled_from(sorted(LINEARIZATIONS)))
def test_rows_are_lines_and_names_and_cells_are_all_there(table: Table, name: str) -> None:
    text = linearize(table, name)
    extra = {"tapex": 0, "paper": 0, "markdown": 2, "csv": 1, "html": 3, "json": 0, "natural": 0}[name]
    lines = 0 if name in ("tapex", "paper") else max(len(table.rows), 1 if name in ("json", "natural") else 0)
    assert text.count("\n") + 1 == max(lines + extra, 1)
    plain = [value for row in table.rows for value in row if value.isalnum()]
    assert all(value in text for value in plain)


def test_several_tables_are_named_and_one_is_not() -> None:
    other = Table("u", ("x",), ("text",), (("1",),), name="other")
    assert linearize_all([CITIES], "tapex") == linearize(CITIES, "tapex")
    assert linearize_all([other, CITIES], "csv") == f"table other:\nx\n1\n\ntable w:\n{SHOWN['csv']}"
    with pytest.raises(UnknownName, match="Did you mean 'tapex'"):
        linearize(CITIES, "tapx")


# Templates


@pytest.mark.parametrize("name", [*NAMES, "tabfact"])
def test_every_template_renders_with_its_values_in_it_once_and_verbatim(name: str) -> None:
    templates = load_templates(name)
    values = {"table": "{{ table }} <T> %s", "sql": 'SELECT "{{ x }}" {% raw %}', "question": "what & {# who #}?"}
    values |= {"history": "which {{ & why?", "statement": "it {% is %} so"}
    for template in templates:
        text = template.render(values)
        assert all(text.count(values[placeholder]) == 1 for placeholder in template.placeholders)
        assert not text.endswith("\n")
    assert (
        len({template.text for template in templates}) == len({template.id for template in templates}) == len(templates)
    )
    assert all(template.id.startswith(f"{name}/") for template in templates)


def test_there_are_enough_wordings_and_both_orders() -> None:
    templates = load_templates("sql_execution")
    assert len(templates) >= 24
    for name in ("sqa", "tabfact", "wikisql", "wikitablequestions"):  # as many as the paper has
        assert len(load_templates(name)) == 10
    table_first = [template.text.index("table }}") < template.text.index("sql }}") for template in templates]
    assert 8 <= sum(table_first) <= len(templates) - 8


def test_one_table_and_several_have_the_same_keys_in_the_same_order() -> None:
    one, several = (load_templates(name) for name in ("sql_execution", "sql_execution_several"))
    assert [key(template) for template in one] == [key(template) for template in several]


def key(template: PromptTemplate) -> str:
    return template.id.rpartition("/")[2]


@pytest.mark.parametrize("name", NAMES[:2])
def test_wordings_are_clearly_different(name: str) -> None:
    """No two templates share more than half of their words (except the two without words)."""
    words = {
        template.id: set(re.findall(r"[A-Za-z]{2,}", re.sub(r"{{.*?}}", "", template.text).lower()))
        for template in load_templates(name)
    }
    pairs = combinations(sorted(words), 2)
    assert not [(a, b) for a, b in pairs if len(words[a] & words[b]) > len(words[a] | words[b]) / 2]


@pytest.mark.parametrize("name", NAMES)
def test_what_templates_say_of_several_values_is_the_answer_rule(name: str) -> None:
    said = [re.findall(r'"([^"\w]+)"', template.text) for template in load_templates(name)]
    assert sum(map(bool, said)) >= 2
    for marks in said:
        assert marks in ([], [ROW_DELIMITER], [ROW_DELIMITER, CELL_DELIMITER])


def test_the_plain_template_is_the_table_and_the_sql() -> None:
    (plain,) = [template for template in load_templates("sql_execution") if template.id == "sql_execution/plain"]
    assert plain.render({"table": "T\n", "sql": "S"}) == "T\n\nS"


TEXTS = st.lists(
    st.sampled_from(["{{ a }}", "{{b}}", "{{- a }}", "{# c #}", "x", "\n", " ", "{", "}}", "é", "\r\n"]), max_size=8
).map("".join)


@given(TEXTS, cell, cell)
def test_the_quick_way_gives_what_jinja2_gives(text: str, a: str, b: str) -> None:
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    try:
        wanted = environment.from_string(text).render(a=a, b=b)
    except jinja2.TemplateSyntaxError:
        with pytest.raises(InputError):
            PromptTemplate("t", text)
        return
    template = PromptTemplate("t", text)
    assert template.render({"a": a, "b": b, "unused": "!"}) == wanted
    assert template.placeholders <= {"a", "b"}


def test_templates_with_logic_render_in_the_sandbox() -> None:
    template = PromptTemplate("t", "{% if a %}{{ a | upper }}{% else %}none{% endif %}")
    assert template.placeholders == {"a"}
    assert template.render({"a": "{{ a }}"}) == "{{ A }}"
    assert template.render({"a": ""}) == "none"


WRONG = [
    ("{{ a", {}, "t, line 1"),
    ("{% nothing %}", {}, "t, line 1"),
    ("{{ a }}{{ b }}", {"a": "1"}, "no field 'b'; it needs a, b"),
    ("{{ a | upper }}", {}, "no field 'a'"),
    ("{{ a.__class__.__mro__ }}", {"a": "1"}, "unsafe"),
    ("{{ a.nothing }}", {"a": "1"}, "nothing"),
    ("{{ 1 / (a | length) }}", {"a": ""}, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("text", "fields", "told"), WRONG)
def test_wrong_templates_and_missing_fields_are_told(text: str, fields: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        PromptTemplate("t", text).render(fields)


FILES = [
    ("[", "not a readable YAML"),
    ("- a", "wanted `placeholders:`"),
    ("{placeholders: [a], templates: {}}", "wanted `placeholders:`"),
    ("{placeholders: [a], templates: {1: '{{ a }}'}}", "under a (quoted) name"),
    ("{placeholders: [a], templates: {x: '{{ a }}{{ answer }}'}}", "uses the placeholders a, answer, declared are a"),
    ("{placeholders: [a, b], templates: {x: '{{ a }}'}}", "uses the placeholders a, declared are a, b"),
]


@pytest.mark.parametrize(("text", "told"), FILES)
def test_a_wrong_template_file_is_told_with_its_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"mine.yaml: .*{re.escape(told)}"):
        read_templates(path)


def test_unknown_template_files_are_told() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'sql_execution'"):
        load_templates("sql_execuion")


def test_templates_are_values() -> None:
    assert PromptTemplate("t", "{{ a }}") == PromptTemplate("t", "{{ a }}")
    sent = pickle.loads(pickle.dumps(PromptTemplate("t", "{{ a | upper }}")))
    assert sent.render({"a": "x"}) == "X"
    assert hash(PromptTemplate("t", "x")) == hash(PromptTemplate("t", "x"))
    with pytest.raises(AttributeError):
        PromptTemplate("t", "x").text = "y"  # type: ignore[misc]
