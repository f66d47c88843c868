from symtune.prompts import PromptTemplate
from symtune.tasks import SymbolicTask
from symtune.types import Denotation


class AddUp(SymbolicTask):
    name, version, needs_tables = "add_up", 1, False
    templates = (
        PromptTemplate("add_up/plain", "Add up: {{ numbers }}"),
        PromptTemplate("add_up/ask", "What is the sum of {{ numbers }}?"),
    )

    def sample(self, rng, setting):
        return {"numbers": [rng.randint(1, 999) for _ in range(rng.randint(2, 5))]}

    def execute(self, fields):
        return Denotation(((str(sum(fields["numbers"])),),), kind="number")

    def shown(self, fields):
        return {"numbers": " + ".join(map(str, fields["numbers"]))}


TASK = AddUp()
