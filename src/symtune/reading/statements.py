"""What a sentence states.

stated("The largest city is Oslo, with 700,000 inhabitants.")   ->  ["Oslo"]
stated("Camp Nou is the largest stadium.")                      ->  ["Camp Nou"]
stated("So there are 5 apples left.")                           ->  ["5"]
"""

from __future__ import annotations

import re

from symtune.denotation import CELL_DELIMITER, ROW_DELIMITER, parse
from symtune.reading import english
from symtune.reading.amounts import amount, amounts
from symtune.reading.marks import bare, boxed
from symtune.reading.sentences import bold_items, has_verb

_NAME = re.compile(r"[-−+$€£¥\d\"“'*_`\\(]|[A-ZÀ-Þ]")
_NAMED_THE = re.compile(r"The [A-Z]")  # "The Beatles", "The Hague"
_THE_ONE = re.compile(r"(?:(?:also |both )?the|one of|an? (?:\w+ )?answer)\b")
_PLAIN_VALUE = re.compile(r"[-+$€£]{0,2}\d|(?:yes|no|true|false)\b", re.IGNORECASE)


def stated(sentence: str) -> list[str] | None:
    """The items that a sentence states, or None if none can be told apart from the rest of it."""
    boxes = boxed(sentence)
    if boxes:
        return boxes
    yes = english.YES_OR_NO.match(sentence)
    if yes:
        return [yes[1]]
    lead = english.LEADS_IN.match(sentence)
    said = sentence[lead.end() :] if lead else sentence
    rules = (_equation, _there_are, _counted_subject, _after_colon, _predicate, _yielded, _superlative, _first_amount)
    found = bold_items(sentence) or next((items for rule in rules if (items := rule(said))), [])
    return found or (_left_over(said) if lead else None)


def _left_over(said: str) -> list[str] | None:
    """ "I would say Oslo" -> Oslo: a name after words that only lead in."""
    value = bare(said)
    return [value] if _NAME.match(value) and len(value.split()) <= 5 and not has_verb(value) else None


def _equation(said: str) -> list[str] | None:
    """ "3 + 4 = 7" -> 7."""
    last = max(english.EQUALS.finditer(said), key=re.Match.start, default=None)
    return [bare(amount(bare(said[last.end() :].lstrip("*"))))] if last else None


def _there_are(said: str) -> list[str] | None:
    """ "there are 12 teams" -> 12."""
    found = english.THERE_ARE.search(said)
    if not found:
        return None
    rest = said[found.end() :]
    return [rest.split()[0].strip(".,") if rest[0].isalpha() else amount(bare(rest))]


def _counted_subject(said: str) -> list[str] | None:
    """ "5 players are from Spain" -> 5."""
    found = english.COUNTED.match(said)
    if not found or not (said[0].isdigit() or english.COPULA.search(said)):
        return None
    return [amount(said) if said[0].isdigit() else found[1]]


def _after_colon(said: str) -> list[str] | None:
    """ "the table says this: yes" -> yes."""
    told, colon, value = said.rpartition(": ")
    if not colon or not _PLAIN_VALUE.match(value) or len(value.split()) > 6 or not has_verb(told):
        return None
    return value_items(value, several=False)


def _predicate(said: str) -> list[str] | None:
    """ "the winner is Oslo" -> Oslo; "Oslo is the winner" -> Oslo; "it was held in 1999" -> 1999."""
    said = without_aside(said)
    verb = _verb_of(said)
    if verb is None:
        return None
    first = english.COPULA.search(said) or verb
    name = said[: first.start()].strip()
    named = not english.DETERMINER.match(name) or _NAMED_THE.match(name)
    if named and _THE_ONE.match(said, first.end()):
        return [bare(name)]
    subject, predicate = said[: verb.start()].strip(), without_hedge(said[verb.end() :])
    if verdict := english.VERDICT.match(predicate):
        return [verdict[1]]
    for lead in (english.PARTICIPLE, english.NAMES, english.PREPOSITION):
        if found := lead.match(predicate):
            predicate = predicate[found.end() :]
            break
    else:
        if not english.DETERMINER.match(subject) and not _NAME.match(predicate):
            return None
    several = verb[0].startswith(("are", "were")) and bool(english.PLURAL.search(subject))
    return value_items(predicate, several=several)


def _verb_of(said: str) -> re.Match[str] | None:
    """The first "is" that is followed by a name, a number or a quotation, else the last."""
    last = None
    for verb in english.COPULA.finditer(said):
        last = verb
        if _NAME.match(said, verb.end()):
            break
    return last


def _yielded(said: str) -> list[str] | None:
    """ "the query returns 5" -> 5; "it changed to -3" -> -3."""
    last = max(english.YIELDS.finditer(said), key=re.Match.start, default=None)
    return value_items(without_aside(said[last.end() :]), several=False) if last else None


def _superlative(said: str) -> list[str] | None:
    """ "Federer has won the most" -> Federer."""
    found = english.HAS_THE_MOST.search(said)
    if not found or (english.DETERMINER.match(said) and not _NAMED_THE.match(said)):
        return None
    subject = bare(said[: found.start()])
    return [subject] if 0 < len(subject.split()) <= 6 and not subject[0].islower() else None


def _first_amount(said: str) -> list[str] | None:
    """ "she spent $30 on books" -> $30."""
    found = amounts(said)
    if not found or not has_verb(" " + said[: found[0][0]]):
        return None
    return [bare(found[0][1])]


def value_items(value: str, *, several: bool) -> list[str]:
    """The items of a value taken out of a sentence, without the noun that was counted ("72 clips" -> 72)."""
    value = bare(value)
    parts = [item for part in english.AND.split(value) if (item := bare(part))] if several else []
    if ROW_DELIMITER not in value and (amount(value) == value or all(amounts(part) for part in parts)) and parts:
        return parts
    return [CELL_DELIMITER.join(row) for row in parse(bare(amount(value)))]


def without_aside(text: str) -> str:
    """A value without the reason or the remark that follows it: "Oslo, because …", "Oslo, which has …"."""
    aside = english.ASIDE.search(text)
    return text[: aside.start()] if aside and text[: aside.start()].strip() else text


def without_hedge(text: str) -> str:
    """A value without a word such as "definitely" before it."""
    hedge = english.HEDGES.match(text)
    return text[hedge.end() :] if hedge else text
