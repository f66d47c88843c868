"""SQL templates: statements to typed shapes, and what is refused, under a reason."""

from __future__ import annotations

import pytest

from sql_shapes import SHAPES
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.corpus.shapes import shape_tree
from symtune.sql.language.render import render
from symtune.types import Rejected


@pytest.mark.parametrize(("sql", "shape", "columns", "values"), SHAPES, ids=[case[0][:50] for case in SHAPES])
def test_shape(sql, shape, columns, values):
    found = abstract(sql)
    assert found.sql == shape
    assert " ".join(f"{c.type}{c.table or ''}" for c in found.columns.values()) == columns
    assert " ".join(f"{v.column}{v.use}{v.row}" for v in found.values.values()) == values
    assert render(shape_tree(found)) == shape


REFUSED = [
    ("SELECT * FROM t", "SELECT *"),
    ("SELECT t.* FROM t", "SELECT *"),
    ("SELECT x.a FROM x, y", "several tables"),
    ("SELECT x.a FROM x JOIN y ON x.id > y.id", "several tables"),
    ("SELECT a FROM t EXCEPT SELECT a FROM t", "several tables"),
    ("SELECT a FROM x JOIN y ON x.id = y.id", "column of an unnamed table"),
    ("SELECT p.a FROM t p, t q", "self join"),
    ("SELECT p.a FROM t p LEFT JOIN t q ON p.a = q.b", "outer join"),
    ("SELECT MAX(a), b FROM t", "bare column"),
    ("SELECT MONTH(d), COUNT(*) FROM t GROUP BY YEAR(d)", "bare column"),
    ("SELECT a FROM t LIMIT 3", "no order"),
    ("SELECT DISTINCT a FROM t ORDER BY b", "no order"),
    ("SELECT a > 3 FROM t", "beyond the typed tree"),
    ("SELECT a FROM t WHERE b", "type mismatch"),
    ("SELECT a FROM t WHERE b = 1 AND 5", "type mismatch"),
    ("SELECT a FROM t WHERE MAX(b) = 1", "misplaced aggregate"),
    ("SELECT COUNT(*) FROM t GROUP BY COUNT(*)", "misplaced aggregate"),
    ("SELECT a FROM t ORDER BY COUNT(*) DESC LIMIT 1", "bare column"),
    ("SELECT a FROM t HAVING COUNT(*) > 2", "bare column"),
    ("SELECT a FROM t WHERE ROW_NUMBER() OVER (ORDER BY b) = 1", "misplaced window"),
    ("SELECT COALESCE(a) FROM t", "beyond the typed tree"),
    ("SELECT COALESCE(a, 'x') FROM t WHERE a > 3", "type mismatch"),
    ("SELECT ROUND(a, b) FROM t", "beyond the typed tree"),
    ("SELECT ROUND(a, -1) FROM t", "beyond the typed tree"),
    ("SELECT GREATEST(a, 0) FROM t", "beyond the typed tree"),
    ("SELECT a FROM t UNION ALL SELECT a FROM t", "several tables"),
    ("SELECT a FROM t EXCEPT ALL SELECT b FROM t", "beyond the typed tree"),
    ("WITH RECURSIVE q AS (SELECT a FROM t) SELECT a FROM q", "beyond the typed tree"),
    ("SELECT p.a FROM t p JOIN t q ON p.a = q.b JOIN t r ON q.a = r.b JOIN t s ON r.a = s.b", "too many steps"),
    ("SELECT a FROM t WHERE b = 'x' AND b > 3", "type mismatch"),
    ("SELECT 1 FROM t", "constant in the projection"),
    ("SELECT a FROM t WHERE 1 = 1", "constant condition"),
    ("SELECT a FROM t WHERE b LIKE '%x%y%'", "LIKE with an inner pattern"),
    ("SELECT a FROM t WHERE b LIKE c", "beyond the typed tree"),
    ("SELECT a FROM t LIMIT 1 + 1", "beyond the typed tree"),
    ("SELECT a FROM t LIMIT 99999999999999999999", "beyond the typed tree"),
    ("SELECT 1", "no table"),
    ("SELECT a FROM t; SELECT b FROM t", "several statements"),
    ("SELECT FROM WHERE", "syntax|no table"),
    ("SELECT a FROM t WHERE b IN (SELECT FROM u)", "syntax"),
    ("SELECT MAX(DISTINCT MAX(DISTINCT)) FROM t", "beyond the typed tree"),
    ("", "syntax"),
]


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_refused_under_a_reason(sql, reason):
    with pytest.raises(Rejected) as error:
        abstract(sql)
    assert error.value.reason in reason.split("|")
