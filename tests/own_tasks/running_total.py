"""Running totals: a user's own task that can show its work."""

import re

from symtune.prompts import PromptTemplate
from symtune.task import SymbolicTask, WorkedOptions
from symtune.types import Denotation, Rejected, Step, Steps

WORDINGS = ("{so_far} + {number} = {sum}", "{so_far} plus {number} is {sum}")
STEP = re.compile(r"([0-9]{1,9}) (?:\+|plus) ([0-9]{1,9}) (?:=|is) ([0-9]{1,9})")


class RunningTotal(SymbolicTask):
    name, version, needs_tables = "running_total", 1, False
    options = WorkedOptions
    templates = (PromptTemplate("running_total/plain", "What do {{ numbers }} come to?"),)

    def sample(self, rng, setting):
        return {"numbers": [rng.randint(1, 999) for _ in range(rng.randint(2, 6))]}

    def execute(self, fields):
        return Denotation(((str(sum(fields["numbers"])),),), kind="number")

    def shown(self, fields):
        return {"numbers": ", ".join(map(str, fields["numbers"]))}

    def solution(self, fields, form, rng):
        """The previous total, the next number and their sum; in the form full, also the first number by itself."""
        numbers, wording = fields["numbers"], rng.choice(WORDINGS)
        if len(numbers) > 5:
            raise Rejected("no solution", "more than five numbers")
        return "\n".join(
            wording.format(so_far=sum(numbers[:place]), number=numbers[place], sum=sum(numbers[: place + 1]))
            for place in range(0 if form == "full" else 1, len(numbers))
        )

    def verify_solution(self, fields, text):
        """Each line adds the next number to the total in the line before."""
        waiting, total, steps = list(fields["numbers"]), 0, []
        if len(waiting) > 5:
            raise Rejected("no solution", "more than five numbers")
        spared = int(not text.startswith("0 "))
        for _ in range(spared):
            total += waiting.pop(0)
        for line in text.split("\n"):
            said = STEP.fullmatch(line)
            wanted = [total, waiting[0], total + waiting[0]] if waiting else []
            holds = bool(said) and [int(part) for part in said.groups()] == wanted
            steps.append(Step(line, "" if holds else f"expected {wanted}"))
            total += waiting.pop(0) if waiting else 0
        return Steps(tuple(steps), len(waiting), f"leaves out {waiting[0]}" if waiting else "", spared)


TASK = RunningTotal()
