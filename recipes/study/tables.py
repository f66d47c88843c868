"""Small made-up tables to practise computing on: a column of names and two or three of short whole numbers.

    python recipes/study/tables.py 99 > recipes/study/hundreds.jsonl
    python recipes/study/tables.py 9 > recipes/study/digits.jsonl      # no number is greater than 9

Ordinary tables have numbers that a small model cannot yet add or compare, and few columns of them. These have many
names of columns and rows, so that a model does not learn ten words by heart; the numbers are random, so that nothing
but the table tells the answer. The same bytes every time.
"""

from __future__ import annotations

import json
import sys
from random import Random

from symtune.seeds import rng

TABLES = 1000
ROWS = (5, 6)
FIRST = """Ada Amir Ana Ben Carl Chen Dora Eli Emma Finn Gita Hana Hugo Ida Ines Ivan Jack Jun Kai Kim Lars Lea Leo Lina
Luis Maja Marc Mina Nora Olga Omar Otto Paul Rosa Ruth Sami Sara Tara Theo Uma Vera Yuki Zoe""".split()
LAST = """Adams Bauer Brown Costa Diaz Evans Ferri Garcia Haas Ito Jones Kaya Khan Lang Lee Lopez Meyer Moore Nagy Novak
Olsen Park Patel Petit Reed Rossi Sato Silva Smith Tran Vogel Wang Weber Wood Young""".split()
PLACES = """Aarhus Accra Bergen Bern Brno Cairo Cork Delhi Dover Essen Genoa Ghent Graz Hanoi Kyoto Lagos Leeds Lima
Linz Lyon Malaga Miami Milan Nancy Nice Osaka Oslo Paris Perth Porto Quito Rabat Riga Rome Salem Seoul Sofia Split Tokyo
Tulsa Turin Utica Vienna Warsaw York Zagreb""".split()
SIDES = "Bears Bulls Comets Eagles Falcons Giants Hawks Jets Kings Lions Rams Rovers Sharks Stars Tigers United".split()
THINGS = """apples bananas beans bread butter cakes carrots cheese coffee corn dates eggs figs flour grapes honey lemons
lentils limes mangoes melons milk nuts oats olives onions oranges peaches pears peas plums potatoes rice salt sugar tea
tomatoes walnuts""".split()
# What a row is -> (headers of its name, headers of its numbers)
KINDS = {
    "person": (
        "name player driver student rider swimmer runner worker author singer".split(),
        """points goals assists laps wins losses games starts medals rank age score shots saves fouls books songs
        lessons errors hours visits""".split(),
    ),
    "place": (
        "city town port station airport venue district".split(),
        """schools parks hotels bridges museums trains flights sunny_days rainy_days snow wind shops stores clubs pools
        lanes gates""".split(),
    ),
    "team": (
        "team club side opponent winner".split(),
        "played won drawn lost points goals_for goals_against corners cards tries titles seasons fans wickets".split(),
    ),
    "thing": (
        "item product food crop order".split(),
        "price stock sold boxes bags weight cost orders returns size amount left needed".split(),
    ),
}


def names(rng: Random, kind: str, count: int) -> list[str]:
    """Different names of so many rows."""
    if kind == "person":
        style = rng.random()
        if style < 0.5:
            return rng.sample(FIRST, count)
        if style < 0.7:
            return rng.sample(LAST, count)
        return [
            f"{first} {last}" for first, last in zip(rng.sample(FIRST, count), rng.sample(LAST, count), strict=True)
        ]
    if kind == "team":
        return [f"{place} {rng.choice(SIDES)}" for place in rng.sample(PLACES, count)]
    return rng.sample(PLACES if kind == "place" else THINGS, count)


def table(number: int, greatest: int) -> dict[str, object]:
    """One table."""
    draw = rng("study tables", number)
    kind = draw.choice(list(KINDS))
    named, counted = KINDS[kind]
    rows, columns = draw.randint(*ROWS), 2 if draw.random() < 0.7 else 3
    header = [draw.choice(named), *draw.sample(counted, columns)]
    highest = [min(greatest, draw.choice((20, 50, 99))) for _ in range(columns)]
    cells = [[name, *[str(draw.randint(0, high)) for high in highest]] for name in names(draw, kind, rows)]
    return {"id": f"{'practice' if greatest > 9 else 'digits'}-{number:04d}", "header": header, "rows": cells}


def main() -> None:
    """Print every table, one JSON object a line."""
    for number in range(TABLES):
        sys.stdout.write(json.dumps(table(number, int(sys.argv[1])), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
