"""Read a cell: a user's own task that shows tables, without overriding `block`."""

from symtune.prompts import PromptTemplate
from symtune.tables import make_view
from symtune.task import SymbolicTask
from symtune.types import Denotation, Rejected


class CellOfRow(SymbolicTask):
    name, version, needs_tables = "cell_of_row", 1, True
    templates = (
        PromptTemplate("cell_of_row/plain", "{{ table }}\nColumn {{ column }} of row {{ row }}?"),
        PromptTemplate("cell_of_row/first", "What is in row {{ row }}, column {{ column }}?\n{{ table }}"),
    )

    def sample(self, rng, setting):
        table = rng.choice(setting.views.tables.tables)
        columns = rng.sample(range(len(table.header)), min(3, len(table.header)))
        rows = rng.sample(range(len(table.rows)), min(5, len(table.rows)))
        view = make_view(table, rows, columns, id=f"{table.id}/{rng.random()}")
        return {"tables": (view,), "column": rng.choice(view.header), "row": rng.randint(1, len(view.rows))}

    def execute(self, fields):
        (table,) = fields["tables"]
        cell = table.rows[fields["row"] - 1][table.header.index(fields["column"])]
        if not cell:
            raise Rejected("empty cell")
        return Denotation(((cell,),))


TASK = CellOfRow()
