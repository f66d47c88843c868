"""Tables: loaded from anywhere, typed, split by content, cut to views.

tables = load_tables(Path("my_tables"))  # csv, Excel, jsonl, parquet, SQLite, benchmark releases, …
train = tables_of_split(tables, "train")
view = make_view(train.tables[0], rows=[3, 1], columns=[0, 2], id="…")
"""

from symtune.tables.chosen import exclude_tables, rows_of_split, tables_of_split
from symtune.tables.columns import infer_types, parse_cell, typed_rows
from symtune.tables.load import load_tables
from symtune.tables.model import ForeignKey, Link, TableSet
from symtune.tables.roles import Role, role_of, roles_of
from symtune.tables.splits import DEFAULT_SHARES, Shares, content_hash, split_of
from symtune.tables.views import Views, cut_for_question, make_view

__all__ = [
    "DEFAULT_SHARES", "ForeignKey", "Link", "Role", "Shares", "TableSet", "Views", "content_hash", "cut_for_question",
    "exclude_tables", "infer_types", "load_tables", "make_view", "parse_cell", "role_of", "roles_of", "rows_of_split",
    "split_of", "tables_of_split", "typed_rows",
]  # fmt: skip
