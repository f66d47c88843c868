"""Files of SQL templates: those of others may be broken, and an edited one is refused or drawn from."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sql_shapes import SHAPES, TEAMS
from symtune.seeds import rng
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.corpus.shapes import shape_tree
from symtune.sql.corpus.slots import SLOT_TYPES, ValueSlot
from symtune.sql.corpus.templates import SqlTemplate, SqlTemplates, load
from symtune.sql.language.proof import Context
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.sampler import _material
from symtune.types import InputError, Rejected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sql": "SELECT c9 FROM w"}, "unknown column"),
        ({"sql": "SELECT load_extension('x') FROM w"}, "beyond the typed tree"),
        ({"columns": {"c1": "blob"}}, "a column slot of type 'blob'"),
        ({"values": {"v1": ["c7", "=", 0]}}, "misplaced slot: v1 is of c7, which is no column slot"),
        ({"values": {"v1": [["c2"], "=", 0]}}, "TypeError: wanted a text"),
        ({"values": {"v1": ["c2", "=", 10**9]}}, "wanted a whole number"),
        ({"values": 3}, "AttributeError|TypeError"),
        ({"sql": "SELECT FROM w"}, "syntax"),
        ({"sql": "SELECT 1"}, "no table"),
        ({"sql": "ATTACH 'x' AS y"}, "not a query"),
        ({"sql": "SELECT c1 FROM w; ATTACH 'x' AS y"}, "several statements"),
        ({"sql": "SELECT c1 FROM w" + " JOIN w ON c1 = c2" * 8}, "type mismatch"),
        (
            {"sql": "SELECT x.c1 FROM w AS x" + "".join(f" JOIN w AS y{i} ON x.c1 <> y{i}.c1" for i in range(6))},
            "too many steps",
        ),
        ({"sql": "SELECT '\ud800' FROM w"}, "UnicodeEncodeError"),
        ({"count": 10**400}, "ValueError"),
        ({"count": float("inf")}, "ValueError"),
        ({"tables": {"c1": 7}}, "ValueError"),
        ({"columns": {"w": "any"}}, "a slot named 'w'"),
        # a use or a type that does not fit the place
        *(
            ({"values": {"v1": ["c2", use, 0]}}, f"v1 is compared with c2 by '=', not c2 by '{use}'")
            for use in ("like", "not like", "<>", "in", "low", "upper =", "none")
        ),
        ({"values": {"v1": ["c2", "count =", 0]}}, "type mismatch"),
        ({"columns": {"c1": "any", "c2": "number"}, "values": {"v1": ["c2", "count =", 0]}}, "not c2 by 'count ='"),
        ({"values": {"v1": ["c1", "=", 0]}, "columns": {"c1": "text", "c2": "text"}}, "with c2 by '=', not c1 by '='"),
        *(
            ({"columns": {"c1": "any", "c2": "number"}, "values": {"v1": ["c2", use, 0]}}, f"not c2 by '{use}'")
            for use in ("year =", "length =", "like")
        ),
        ({"sql": "SELECT c1 FROM w WHERE c2 LIKE '%v1%'"}, "v1 is compared with c2 by 'like', not c2 by '='"),
        *(
            (
                {
                    "sql": "SELECT c1 FROM w WHERE c2 LIKE '%v1%'",
                    "columns": {"c1": "any", "c2": type_},
                    "values": {"v1": ["c2", "like", 0]},
                },
                "type mismatch",
            )
            for type_ in ("number", "any", "date", "ordered")
        ),
        *(
            ({"sql": f"SELECT {item} FROM w", "columns": {"c1": type_}, "values": {}}, "type mismatch")
            for item, type_ in (
                ("LENGTH(c1)", "number"),
                ("LENGTH(c1)", "any"),
                ("UPPER(c1)", "any"),
                ("c1 + 1", "text"),
                ("c1 * 1.0 / 2", "ordered"),
                ("ABS(c1)", "any"),
                ("SUM(c1)", "any"),
                ("SUBSTR(c1, 1, 2)", "number"),
                ("c1 || 'x'", "any"),
                ("SUM(c1) OVER ()", "text"),
                ("CAST(strftime('%Y', c1) AS INTEGER)", "text"),
            )
        ),
        # a value where none can stand, twice, or nowhere
        ({"sql": "SELECT c1, v1 FROM w WHERE c2 = v1"}, "v1 is not what one column is compared with"),
        (
            {"sql": "SELECT c1 FROM w WHERE c2 = v1 OR c1 = 1 OR c2 = v1", "columns": {"c1": "number", "c2": "text"}},
            "v1 is not what one column",
        ),
        ({"sql": "SELECT c1 FROM w WHERE c2 = v1 ORDER BY v1 LIMIT 1"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w WHERE v1 = c2"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w WHERE c2 || 'x' = v1"}, "v1 is compared with no column"),
        (
            {"sql": "SELECT COUNT(*) FROM w HAVING COUNT(*) = v1", "values": {"v1": ["c2", "count =", 0]}},
            "v1 is compared with no column",
        ),
        ({"sql": "SELECT c1 FROM w WHERE NOT (c2 = v1)"}, "with c2 by '<>', not c2 by '='"),
        # more slots than a template has
        ({"columns": {f"c{i}": "text" for i in range(1, 14)}}, "too many slots"),
        (
            {
                "values": {f"v{i}": ["c2", "in", 0] for i in range(1, 14)},
                "sql": f"SELECT c1 FROM w WHERE c2 IN ({', '.join(f'v{i}' for i in range(1, 14))})",
            },
            "too many slots",
        ),
    ],
)
def test_broken_template_file_is_one_line(tmp_path, change, message):
    good = {"id": "", "sql": "SELECT c1 FROM w WHERE c2 = v1", "columns": {"c1": "any", "c2": "text"},
            "values": {"v1": ["c2", "=", 0]}, "count": 1}  # fmt: skip
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"symtune": "sql-templates", "version": 1, "templates": [good]}))
    assert len(load(str(path)).templates) == 1
    path.write_text(json.dumps({"symtune": "sql-templates", "version": 1, "templates": [good | change]}))
    with pytest.raises(InputError, match=message) as error:
        load(str(path))
    assert "\n" not in str(error.value)


EDITED_USES = ["=", "<>", "<", ">=", "in", "not in", "low", "high", "like", "not like", "count =", "year =", "length >",
               "upper ="]  # fmt: skip


@settings(max_examples=400)
@given(st.data())
def test_an_edited_template_is_refused_or_drawn(data):
    """Whatever types and uses someone writes into a template, it is refused in one line, or its instances run."""
    shape = abstract(data.draw(st.sampled_from([case[0] for case in SHAPES if "any1" not in case[2]])))
    columns, values = dict(shape.columns), dict(shape.values)
    for name in data.draw(st.sets(st.sampled_from(list(columns)))) if columns else ():
        columns[name] = replace(columns[name], type=data.draw(st.sampled_from(SLOT_TYPES)))
    for name in data.draw(st.sets(st.sampled_from(list(values)))) if values else ():
        use = data.draw(st.sampled_from(EDITED_USES))
        values[name] = ValueSlot(data.draw(st.sampled_from(list(columns))), use, data.draw(st.integers(0, 2)))
    edited = replace(shape, columns=columns, values=values)
    try:
        tree = shape_tree(edited)
    except Rejected:
        assert edited != shape
        return
    template = SqlTemplate("x", edited, 1, (), "")
    instances, context = Instances(SqlTemplates("test", "", (template,), (tree,))), Context([TEAMS])
    for number in range(4):
        with contextlib.suppress(Rejected):
            context.prove(instances.draw(Draw(rng("edited", number), _material(context, {})))[0])


def test_no_such_template_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load(str(tmp_path / "none.json"))
