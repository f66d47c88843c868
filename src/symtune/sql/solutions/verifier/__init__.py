"""The verifier: which steps of a solution hold, by an execution of its own, row by row.

It shares no code with the writer, nor with the evaluator that the writer asks: nothing but the tree, the types, the
tables and the wordings.

    values      numbers, texts, functions, what is like what
    places      rows, groups, and what they are called
    execution   what an expression is worth at a place
    words       the same in words
    expected    a line that a solution should have
    steps       conditions, aggregates and groups as such lines
    orders      the same of DISTINCT, ORDER BY and window functions
    queries     the expected lines of a query
    matching    somebody's lines beside the expected ones

    Verifier(tables).verify(query, text)     ->  Steps((Step("WHERE:"), Step("row 2 (Oslo): …", "expected …"), …))
"""

from symtune.sql.solutions.verifier.matching import Verifier

__all__ = ["Verifier"]
