"""The writer: works out a program on the tables that the prompt shows.

rows        how rows are referred to
saying      the value of an expression on a row, in words
aggregates  groups, and what aggregates read
windows     what window functions read
queries     the steps of a query, in order

Writer(tables, database).write(query, "compact", 0)     ->  "WHERE:\nrow 2 (Oslo): Year 2006 > 2004 yes 1\n…"
"""

from symtune.sql.solutions.writer.queries import Writer

__all__ = ["Writer"]
