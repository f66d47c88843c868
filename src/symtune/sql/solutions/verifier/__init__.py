"""The verifier: which steps of a solution hold, by an independent execution, row by row.

It shares only the tree, the types, the tables and the wordings with the writer, and no code with the writer or with
the evaluator that the writer uses.

    values      numbers, texts, functions, LIKE
    places      rows and groups ("places"), and how they are referred to
    execution   the value of an expression at a place
    words       the same in words
    expected    the lines that a solution should have
    steps       such lines for conditions, aggregates and groups
    orders      such lines for DISTINCT, ORDER BY and window functions
    queries     the expected lines of a query
    matching    a solution's lines compared with the expected ones

    Verifier(tables).verify(query, text)     ->  Steps((Step("WHERE:"), Step("row 2 (Oslo): …", "expected …"), …))
"""

from symtune.sql.solutions.verifier.matching import Verifier

__all__ = ["Verifier"]
