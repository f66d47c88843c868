"""What a question of WikiTableQuestions asks for, judged by the first words that say so.

asked("in what year did Oslo host?")    ->  "when"
asked("what is the number of cities?")  ->  "how many"
"""

from __future__ import annotations

import re

_BE = r"(?:'s|\s+(?:is|was|are|were))"
_ASKED = re.compile(
    rf"""\b(?:
      (?P<how_many>how\s+many|(?:what{_BE}\s+the\s+)?(?:total\s+|combined\s+|average\s+)?(?:number|amount)\s+of)
    | (?P<how_much>how\s+(?!do\b|did\b|does\b|is\b|are\b|was\b|were\b|come\b)\w+|what{_BE}\s+the\s+difference)
    | (?P<when>when|(?:what|which)\s+(?:year|date|month|day|decade|season|century|week)s?
        |what{_BE}\s+the\s+(?:\w+\s+){{0,2}}(?:year|date|month|day)\b)
    | (?P<who>who(?:m|se)?)
    | (?P<where>where)
    | (?P<which_or_what>which|what)
    | (?P<name_or_list>(?<!\w\s)(?:name|list|tell\s+me|give)\b)
    | (?P<yes_or_no>(?<!\w\s)(?:is|are|was|were|did|does|do|has|have|had|can|will)\b)
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def asked(question: str) -> str:
    """ "how many", "how much", "when", "who", "where", "which or what", "name or list", "yes or no", or "other"."""
    found = _ASKED.search(question)
    return (found.lastgroup or "other").replace("_", " ") if found else "other"
