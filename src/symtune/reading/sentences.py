"""Answers in sentences: which sentence answers, and which part of it is the answer.

answer_sentence(["Tom has 3. Ann has 4. So the total is 7."])   ->  "the total is 7."
stated("The largest city is Oslo, with 700,000 inhabitants.")   ->  ["Oslo"]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symtune.denotation import CELL_DELIMITER, ROW_DELIMITER, parse
from symtune.reading.amounts import WORDS, amount, amounts
from symtune.reading.marks import bare, boxed

_END = re.compile(r"[.!?。][\"”')*_\]]{0,3}(?:\s+(?=[\"“'(*_$\[\\]{0,4}[A-Z0-9À-Þ])|(?<=。))")
_TOLD = re.compile(
    r"(?:According|Based|Because|Explanation|Here|However|In|It|Note|Since|So|That|The|Then|There|Therefore|These|They"
    r"|This|To|We|I)\b"
)
_NO_END = {
    "mr", "mrs", "ms", "dr", "prof", "st", "ste", "mt", "ft", "jr", "sr", "no", "nos", "vs", "ep", "feat", "ft", "vol",
    "col", "gen", "lt", "sgt", "capt", "gov", "sen", "rep", "rev", "hon", "jan", "feb", "mar", "apr", "jun", "jul",
    "aug", "sep", "sept", "oct", "nov", "dec", "approx", "c", "ca", "inc", "co", "corp", "ltd", "bros", "fig", "e.g",
    "i.e", "etc", "op", "pref", "aut", "dept", "univ", "ave", "blvd", "rd",
}  # fmt: skip
_CHAT = re.compile(
    r"(?:sure|certainly|of course|absolutely|great question|good question|okay|ok|hello|hi|hey|thanks?|thank you"
    r"|you're welcome|let me know|please let|i hope|hope|is there anything|feel free|would you like|if you (?:have|need"
    r"|want|would|'d)|do you (?:want|need|have)|let's see|let me (?:see|check|think|look|find|count)|wait\b)"
    r"(?:[^:]*[.!?]$|[^:]{0,80}$|[!.]$)",
    re.IGNORECASE,
)
_OPENER = (
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok|well|great|now|then|next|finally|lastly|first|actually|so|thus"
    r"|hence|therefore|consequently|accordingly|overall|ultimately|clearly|indeed|as a result|in conclusion|in summary"
    r"|to summarize|in short|in total|in all|all in all|altogether|in the end|because of this|that is|i\.e\.|∴)\b[,:!]?"
    r"|(?:based on|according to|looking at|as per|per|given|using|as (?:shown|seen|listed|stated|indicated) (?:in|by)"
    r"|after|by|to (?:answer|find|solve|get|determine|calculate|know)|from|in|on|for|among|out of|of|with|since|as"
    r"|when|if|adding|counting|dividing|multiplying|subtracting) [^,:;]{1,160},"
    r"|i(?:'d| would)? (?:think|believe|guess|say|conclude|assume)(?: that)?"
    r"|it (?:seems|appears|follows|is clear|can be seen)(?: that)?"
    r"|(?:we|you|one|i) (?:can |now |could |may )?(?:see|conclude|say|know|find|have|get|infer|deduce|observe)"
    r"(?: out)?(?: that\b|:|,)?"
    r"|(?:the|this|that|which) (?:given |above |provided )?(?:table|data|information|text|passage|article|result|query"
    r"|column|row)s? (?:also |clearly )?(?:states?|shows?|says?|indicates?|lists?|tells us|contains?|includes?|has)"
    r"(?: that)?"
    r"|(?:this|that|which|it) (?:means|implies|shows|gives us|gives|leaves us with|leaves|leads to)(?: us)?(?: that)?)\s+"
)
_OPENERS = re.compile(rf"(?:{_OPENER}){{1,3}}", re.IGNORECASE)
_CONCLUDES = re.compile(
    r"(?:so|thus|hence|therefore|consequently|accordingly|in conclusion|in summary|in short|in total|in all"
    r"|altogether|all in all|finally|overall|as a result|ultimately|this means|that means|that leaves|which means"
    r"|this gives|that gives|this leaves|in the end|∴)\b",
    re.IGNORECASE,
)
_WITHIN = re.compile(r"[,;] (?:so|thus|hence|therefore|which means|meaning) (?:that )?|\. so ", re.IGNORECASE)
_REASONS = re.compile(
    r"(?:first|let|to (?:find|answer|solve|get|determine|calculate|know)|step|we |i |i'll|given|if |each|looking|since"
    r"|because|now\b|counting|adding|start|there (?:are|were) \d+ [^.]*\. )",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\s*(?:\bbecause\b|,? \bsince (?!\d)|[,;] (?:as|since|so|but|and (?:it|he|she|they|the)|with|which|who|whose|where|while"
    r"|whereas|making|followed|compared|given|based|according|meaning|having|or about|i\.e)\b|\s[-–—]\s(?-i:(?=[a-z]))"
    r"|\s\((?:since|because|as|from|i\.e|see|which)\b)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\s*(?:(?:definitely|clearly|therefore|thus|simply|actually|indeed|probably|likely|most likely|just|also|then|still|now"
    r"|equal to|given by|only|exactly|a total of|in fact|calculated (?:as|to be)|found to be|that|as follows:?)\s+){1,2}"
)
_YES = re.compile(r"[*_\"']{0,3}(yes|no|true|false)\b[*_\"']{0,3}(?:[,.!:;]|\s[-–—]\s)", re.IGNORECASE)
_BOLD = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)([^*_\n]{1,200}?)\1(?!\w)(?!\s?:)")
_EQUATION = re.compile(r"(?:[\d%)²x\]}]|\b[a-zA-Z]\w{0,9})\s?[=≈]\s?(?=[-−+$€£¥\\*\s]{0,4}\.?\d)")
_THERE = re.compile(
    r"\bthere (?:is|are|was|were|will be|would be|have been) (?:only |exactly |just |a total of |in total )*"
    rf"(?=[$€£]?\d|(?:{'|'.join(WORDS)}|no)\b)", re.IGNORECASE,
)  # fmt: skip
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|be|been|becomes?|became)|(?<=\b[Ii]t)'s|(?<=\b[Tt]hat)'s|(?<=\b[Hh]e)'s)\b\s*:?\s+(?!not\b)"
)
_ACTS = re.compile(
    r"\s(?:has|have|had|does|did|do|will|would|can|could|made|paid|got|gets|took|spent|sold|bought|gave|left|won|ran|ate|read"
    r"|drove|kept|lost|needs?|costs?|wins?|sold|came|went|held|led|scored|\w{2,}ed|\w{3,}(?<!s)s)\b"
)
_ARITHMETIC = re.compile(r"[\d.,]+\s?(?:[-+*/×x÷−]\s?[\d.,]+\s?)+=\s?[$€£]?[\d.,]+")
_VERB = re.compile(
    r"\b(?:(?:equals|equal|returns?|returned|yields?|gives?(?: us)?|outputs|prints|totals|named|called|results in)(?: the"
    r" (?:values?|results?|answers?|number|output))?|(?:comes?|came|changed?|rises?|rose|fell|dropped|amounts?|amounted"
    r"|adds? up|added up|sums?|evaluates?|works? out|increased|decreased|equal) (?:up )?to(?: be)?"
    r"|took place (?:in|on|at)|(?:takes?|took) place (?:in|on|at)):?\s+",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"(\d[\d,]*|{'|'.join(WORDS)})\s+(?:of\s+)?[a-z]", re.IGNORECASE)
_PARTICIPLE = re.compile(
    r"(?:\w+ly )?(?:\w+ed|held|won|born|built|made|founded|sung|written|given|set|shown|found|known|seen|run|led)"
    r" (?:in|on|at|by|to|from|as|for|to be)\s+(?=\S)"
)
_PREPOSITION = re.compile(r"(?:in|on|at|from|during|around|by)\s+(?=[\d\"“*A-Z])")
_NAMED = re.compile(r"(?:called|named|titled|entitled|known as)\s+(?=\S)")
_SUBJECT = re.compile(
    r"(?:the|this|that|these|those|there|it|he|she|they|we|you|i|a|an|my|our|its|his|her)\b", re.IGNORECASE
)
_PRONOUN = re.compile(r"(?:it|this|that|he|she|they|we|you|i)\b", re.IGNORECASE)
_MOST = re.compile(
    r"\s(?:has|have|had|\w{2,}(?:s|ed)|won|got|came|made|ran|sold|led|held|spent) (?:\w+ ){0,3}?(?:the (?:\w+ )?(?:most|least|fewest"
    r"|highest|lowest|largest|smallest|greatest|biggest|longest|shortest|first|last|best|worst|\w{3,}est|more)\b|first\b|last\b)"
)
_STEP = re.compile(r"\W*(?:step|part|case|row) \d{1,3}\b\W*\s", re.IGNORECASE)
_ITEMS = re.compile(r",\s+(?:and\s+|or\s+)?|\s+and\s+")
_PLURAL = re.compile(
    r"(?:s|two|three|four|both|people|children|men|women|which)\b[^.]{0,200}$|^(?:they|these|those)\b", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"(?:i'm |i am |we're )?(?:sorry|unfortunately|apologies|as an ai)\b|i (?:do not|don't|cannot|can't|could not|am not able|am unable)\b"
    r"|(?:the|this) (?:provided |given |above )?(?:table|question|information|data|context|text|answer|query|passage)s? "
    r"(?:provided |given )?(?:does not|do not|doesn't|don't|cannot|can't|is not (?:provided|given|in|available))"
    r"|it (?:is|'s) (?:not possible|impossible|unclear)|there is (?:no|not enough|insufficient) (?:information|data)"
    r"|cannot be determined",
    re.IGNORECASE,
)  # fmt: skip


def sentences(line: str) -> list[str]:
    """The sentences of a line; "St.", "D.C.", initials and the number of a numbered line end none."""
    found, start = [], 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - 24) : end.start()].rpartition(" ")[2].lstrip("\"“'(*_")
        mark, after = line[end.start()], end.end()
        short = mark == "!" and not _TOLD.match(line, after) or mark == "." and (
            before.lower() in _NO_END or (len(before) == 1 and before.isalpha() and before != "I")
            or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", before) or (before.isdigit() and end.start() - start <= 3 and not _TOLD.match(line, end.end()))
            or before.endswith(".")
        )  # fmt: skip
        if not short:
            found.append(line[start : end.end()].strip())
            start = end.end()
    return [*found, line[start:].strip()] if line[start:].strip() else found


def is_prose(line: str) -> bool:
    """Whether a line is a sentence or more, not an answer that stands alone."""
    words = line.split()
    if ROW_DELIMITER in line:
        return False
    if line.endswith((":", "：")) or _YES.match(line + ".") and len(words) > 1 and line[-1:] in ".!":
        return True
    if (
        _STEP.match(line)
        or _REFUSAL.match(line)
        or _ARITHMETIC.fullmatch(line)
        or (" = " in line and _EQUATION.search(line))
    ):
        return True
    told = sentences(line) if line[:1] not in '"“' else []
    if len(told) > 1 and (_TOLD.match(told[1]) or (line[-1:] in ".!?" and _has_verb(told[1]))):
        return True
    if is_statement(line):
        return True
    if len(words) > 1 and line[-1:] in ".!" and _PRONOUN.match(line):
        return True
    if _CONCLUDES.match(line) and len(words) > 2:
        return True
    if " because " in line and _ASIDE.search(line):
        return True
    return len(words) > 3 and line.rstrip("*")[-1:] in ".!" and _has_verb(line)


def is_statement(line: str) -> bool:
    """Whether a line says "the … is …", with a period at its end or a name or a number after its verb."""
    if not _SUBJECT.match(line) or not (found := _COPULA.search(line) or _VERB.search(line)):
        return False
    if line[-1:] in ".!":
        return True
    return not found[0].startswith("'") and bool(re.match(r"[\d$€£\"“*]|[A-Z][a-z]", line[found.end() :]))


def _has_verb(line: str) -> bool:
    return bool(_COPULA.search(line) or _VERB.search(line) or _ACTS.search(line) or _YES.match(line))


def refuses(text: str) -> bool:
    """Whether a sentence says that there is no answer."""
    return bool(_REFUSAL.match(text) or "cannot be determined" in text or "not enough information" in text)


def answer_sentence(lines: Sequence[str]) -> str | None:
    """The sentence of prose that holds the answer: the last that concludes ("So …", "…, so …"), else the one
    with something bold, else the last of a chain of reasoning, else the first.
    """
    told = [one for line in lines for one in sentences(line)]
    told = [one for one in told if not _CHAT.match(one)] or told
    if not told:
        return None
    for one in reversed(told):
        within = None
        for within in _WITHIN.finditer(one):
            pass
        if within:
            return one[within.end() :]
        if _CONCLUDES.match(one) and not one.endswith("?"):
            return one
    if _YES.match(told[0]):
        return told[0]
    argued = bool(_REASONS.match(told[0])) or any(_EQUATION.search(one) for one in told)
    marked = [one for one in told if _bold(one)]
    if marked:
        return marked[-1] if argued else marked[0]
    return told[-1] if argued else told[0]


def _bold(sentence: str) -> list[str]:
    """What is bold in a sentence, without headings ("**Step 1:**")."""
    found = [bare(one[2]) for one in _BOLD.finditer(sentence) if not one[2].rstrip().endswith(":")]
    return [item for item in found if item]


def stated(sentence: str) -> list[str] | None:
    """The items that a sentence states, or None if it states none that can be told from the rest."""
    if items := boxed(sentence):
        return items
    if yes := _YES.match(sentence):
        return [yes[1]]
    if items := _bold(sentence):
        return items
    opened = _OPENERS.match(sentence)
    said = sentence[opened.end() :] if opened else sentence
    for rule in (_equated, _there_are, _counted, _after_colon, _predicate, _given, _superlative, _only_amount):
        if items := rule(said):
            return items
    return None


def _equated(said: str) -> list[str] | None:
    """ "3 + 4 = 7" -> 7."""
    last = None
    for last in _EQUATION.finditer(said):
        pass
    return [bare(amount(bare(said[last.end() :].lstrip("*"))))] if last else None


def _there_are(said: str) -> list[str] | None:
    """ "there are 12 teams" -> 12."""
    if not (found := _THERE.search(said)):
        return None
    rest = said[found.end() :]
    return [amount(bare(rest)) if not rest[0].isalpha() else rest.split()[0].strip(".,")]


def _counted(said: str) -> list[str] | None:
    """ "5 players are from Spain" -> 5."""
    found = _COUNTED.match(said)
    return [amount(said) if said[0].isdigit() else found[1]] if found else None


def _after_colon(said: str) -> list[str] | None:
    """ "the table says this: yes" -> yes."""
    told, colon, value = said.rpartition(": ")
    if (
        not colon
        or not re.match(r"(?:[-+$€£]{0,2}\d|(?:yes|no|true|false)\b)", value, re.IGNORECASE)
        or not _has_verb(told)
    ):
        return None
    return value_items(value, several=False)


def _predicate(said: str) -> list[str] | None:
    """ "the winner is Oslo" -> Oslo; "Oslo is the winner" -> Oslo."""
    said = without_aside(said)
    last = _verb_of(said)
    if last is None:
        return None
    subject, predicate = said[: last.start()].strip(), said[last.end() :]
    predicate = without_hedge(predicate)
    if not _SUBJECT.match(subject) or re.match(r"The [A-Z]", subject):
        first = _COPULA.search(said)
        subject = said[: first.start()].strip() if first else subject
        if re.match(r"(?:(?:also |both )?the|one of|an? (?:\w+ )?answer)\b", said[first.end() :] if first else ""):
            return [bare(subject)]
    for lead in (_PARTICIPLE, _NAMED, _PREPOSITION):
        if found := lead.match(predicate):
            predicate = predicate[found.end() :]
            break
    else:
        if not _names(predicate, subject):
            return None
    return value_items(predicate, several=last[0].startswith(("are", "were")) and bool(_PLURAL.search(subject)))


def _verb_of(said: str) -> re.Match[str] | None:
    """The first "is" that a name, a number or a quotation follows, else the last."""
    last = None
    for last in _COPULA.finditer(said):
        if re.match(r"[-−+$€£¥\d\"“*]|[A-ZÀ-Þ]", said[last.end() : last.end() + 1]):
            break
    return last


def _names(predicate: str, subject: str) -> bool:
    """Whether a predicate can be an answer: a name, an amount, something quoted; anything after "the … is"."""
    return bool(_SUBJECT.match(subject)) or bool(re.match(r"[-−+$€£¥\d\"“'*_`\\(]|[A-ZÀ-Þ]", predicate))


def _given(said: str) -> list[str] | None:
    """ "the query returns 5" -> 5; "it changed to -3" -> -3."""
    last = None
    for last in _VERB.finditer(said):
        pass
    return value_items(without_aside(said[last.end() :]), several=False) if last else None


def _superlative(said: str) -> list[str] | None:
    """ "Federer has won the most" -> Federer."""
    found = _MOST.search(said)
    if not found or _SUBJECT.match(said) and not re.match(r"The [A-Z]", said):
        return None
    subject = bare(said[: found.start()])
    return [subject] if 0 < len(subject.split()) <= 6 and not subject[0].islower() else None


def _only_amount(said: str) -> list[str] | None:
    """ "she spent $30 on books" -> $30: the first amount."""
    found = amounts(said)
    if not found or not (_has_verb(" " + said[: found[0][0]]) or _CONCLUDES.match(said)):
        return None
    return [bare(found[0][1])]


def value_items(value: str, *, several: bool) -> list[str]:
    """The items of a value that was taken out of a sentence."""
    value = bare(value)
    if several and ROW_DELIMITER not in value and amount(value) == value:
        return [item for part in _ITEMS.split(value) if (item := bare(part))]
    return [CELL_DELIMITER.join(row) for row in parse(bare(amount(value)))]


def without_aside(text: str) -> str:
    """A value without the reason or the remark that follows it: "Oslo, because …", "Oslo, which has …"."""
    aside = _ASIDE.search(text)
    return text[: aside.start()] if aside and aside.start() > 0 else text


def without_hedge(text: str) -> str:
    """A value without a word such as "definitely" before it."""
    hedge = _HEDGE.match(text)
    return text[hedge.end() :] if hedge else text


def concludes(line: str) -> bool:
    """Whether a line draws a conclusion."""
    return any(_CONCLUDES.match(one) for one in sentences(line))
