"""The words by which the rules recognize what a sentence does: states, concludes, reasons, refuses, chats."""

from __future__ import annotations

import re

from symtune.reading.amounts import WORDS

SENTENCE_END = re.compile(r"[.!?。][\"”')*_\]]{0,3}(?:\s+(?=[\"“'(*_$\[\\]{0,4}[A-Z0-9À-Þ])|(?<=。))")
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st ste mt ft jr sr no nos vs ep feat vol col gen lt sgt capt gov sen rep rev hon jan feb mar apr"
    " jun jul aug sep sept oct nov dec approx c ca inc co corp ltd bros fig e.g i.e etc op pref aut dept univ ave blvd"
    " rd".split()
)
OPENS_SENTENCE = re.compile(
    r"(?:According|Based|Because|Explanation|Here|However|In|It|Note|Since|So|That|The|Then|There|Therefore|These|They"
    r"|This|To|We|I)\b"
)
CHATS = re.compile(
    r"(?:sure|certainly|of course|absolutely|great question|good question|okay|ok|hello|hi|hey|thanks?|thank you"
    r"|you're welcome|let me know|please let|i hope|hope|is there anything|feel free|would you like|if you (?:have|need"
    r"|want|would|'d)|do you (?:want|need|have)|let's see|let me (?:see|check|think|look|find|count)|wait\b)"
    r"(?:[^:]*[.!?]$|[^:]{0,80}$|[!.]$)",
    re.IGNORECASE,
)
_LEAD = (
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
    r"|(?:this|that|which|it) (?:means|implies|shows|gives us|gives|leaves us with|leaves|leads to)(?: us)?(?: that)?)"
    r"\s+"
)
LEADS_IN = re.compile(rf"(?:{_LEAD}){{1,3}}", re.IGNORECASE)
CONCLUDES = re.compile(
    r"(?:so|thus|hence|therefore|consequently|accordingly|in conclusion|in summary|in short|in total|in all"
    r"|altogether|all in all|finally|overall|as a result|ultimately|this means|that means|that leaves|which means"
    r"|this gives|that gives|this leaves|in the end|∴)\b",
    re.IGNORECASE,
)
CONCLUDES_WITHIN = re.compile(r"[,;] (?:so|thus|hence|therefore|which means|meaning) (?:that )?|\. so ", re.IGNORECASE)
REASONS = re.compile(
    r"(?:first|let|to (?:find|answer|solve|get|determine|calculate|know)|step|we |i |i'll|given|if |each|looking|since"
    r"|because|now\b|counting|adding|start|there (?:are|were) \d+ [^.]*\. )",
    re.IGNORECASE,
)
ASIDE = re.compile(
    r"\bbecause\b|,? \bsince (?!\d)|[,;] (?:as|since|so|but|not|and (?:it|he|she|they|the)|with|which|who|whose|where"
    r"|while|whereas|making|followed|compared|given|based|according|meaning|having|or about|i\.e)\b"
    r"|\s[-–—]\s(?-i:(?=[a-z]))"
    r"|\s\((?:since|because|as|from|i\.e|see|which)\b"
    r"|\bwith (?:an? (?:total|score|time|record|count|population|value|margin|average|length) of )?[$€£]?\d"
    r"|(?<=\d{4}), (?:by|in|at|on|for) ",
    re.IGNORECASE,
)
HEDGES = re.compile(
    r"\s*(?:(?:definitely|clearly|therefore|thus|simply|actually|indeed|probably|likely|most likely|just|also|then"
    r"|still|now|equal to|given by|only|exactly|a total of|in fact|calculated (?:as|to be)|found to be|that"
    r"|as follows:?)\s+){1,2}"
)
YES_OR_NO = re.compile(r"[*_\"']{0,3}(yes|no|true|false)\b[*_\"']{0,3}(?:[,.!:;]|\s[-–—]\s)", re.IGNORECASE)
BOLD = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)([^*_\n]{1,200}?)\1(?!\w)(?!\s?:)")
EQUALS = re.compile(r"(?:^|[\d%)²x\]}]|\b[a-zA-Z]\w{0,9})\s?[=≈]\s?(?=[-−+$€£¥\\*\s]{0,4}\.?\d)")
ARITHMETIC = re.compile(r"[\d.,]+\s?(?:[-+*/×x÷−]\s?[\d.,]+\s?)+=\s?[$€£]?[\d.,]*\d(?: [a-z]+)?\.?")
GOLF_CARD = re.compile(r"[5-9]\d(?:\s?[-+]\s?[5-9]\d)+\s?=\s?\d{3}")  # rounds of a tournament, common in tables
THERE_ARE = re.compile(
    r"\bthere (?:is|are|was|were|will be|would be|have been) (?:only |exactly |just |a total of |in total )*"
    rf"(?=[$€£]?\d|(?:{'|'.join(WORDS)}|no)\b)",
    re.IGNORECASE,
)
COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|be|been|becomes?|became)|(?<=\b[Ii]t)'s|(?<=\b[Tt]hat)'s|(?<=\b[Hh]e)'s)\b"
    r"(?:\s*:)?\s+(?!not\b)"
)
YIELDS = re.compile(
    r"\b(?:(?:equals|equal|returns?|returned|yields?|gives?(?: us)?|outputs|prints|totals|named|called|results in)"
    r"(?: the (?:values?|results?|answers?|number|output))?"
    r"|(?:comes?|came|changed?|rises?|rose|fell|dropped|amounts?|amounted|adds? up|added up|sums?|evaluates?|works? out"
    r"|increased|decreased|equal) (?:up )?to(?: be)?|(?:takes?|took) place (?:in|on|at)):?\s+",
    re.IGNORECASE,
)
ACTS = re.compile(
    r"\s(?:has|have|had|does|did|do|will|would|can|could|made|paid|got|gets|took|spent|sold|bought|gave|left|won|ran"
    r"|ate|read|drove|kept|lost|needs?|costs?|wins?|came|went|held|led|scored|\w{2,}ed|\w{3,}(?<!s)s)\b"
)
COUNTED = re.compile(rf"(\d[\d,]*|{'|'.join(WORDS)})\s+(?:of\s+)?[a-z]", re.IGNORECASE)
PARTICIPLE = re.compile(
    r"(?:\w+ly )?(?:\w+ed|held|won|born|built|made|founded|sung|written|given|set|shown|found|known|seen|run|led)"
    r" (?:in|on|at|by|to|from|as|for|to be)\s+(?=\S)"
)
VERDICT = re.compile(
    r"(supported|refuted|entailed|contradicted|true|false|correct|incorrect|accurate|inaccurate)\b", re.IGNORECASE
)
NAMES = re.compile(r"(?:called|named|titled|entitled|known as)\s+(?=\S)|(?:\w+ed|held|built|made|born)\s+(?=between\b)")
PREPOSITION = re.compile(r"(?:in|on|at|from|during|around|by)\s+(?=[\d\"“*A-Z])")
DETERMINER = re.compile(
    r"(?:the|this|that|these|those|there|it|he|she|they|we|you|i|a|an|my|our|its|his|her)\b", re.IGNORECASE
)
PRONOUN = re.compile(r"(?:it|this|that|he|she|they|we|you|i)\b", re.IGNORECASE)
PLURAL = re.compile(
    r"(?:s|two|three|four|both|people|children|men|women|which)\b[^.]{0,200}$|^(?:they|these|those)\b", re.IGNORECASE
)
HAS_THE_MOST = re.compile(
    r"\s(?:has|have|had|\w{2,}(?:s|ed)|won|got|came|made|ran|sold|led|held|spent) (?:\w+ ){0,3}?"
    r"(?:the (?:\w+ )?(?:most|least|fewest|highest|lowest|largest|smallest|greatest|biggest|longest|shortest|first"
    r"|last|best|worst|\w{3,}est|more)\b|first\b|last\b)"
)
STEP = re.compile(r"\W*(?:step|part|case|row) \d{1,3}\b\W*\s", re.IGNORECASE)
AND = re.compile(r",\s+(?:and\s+|or\s+)?|\s+and\s+")
REFUSES = re.compile(
    r"(?:i'm |i am |we're )?(?:sorry|unfortunately|apologies|as an ai)(?: [a-z ]{1,30})?[,.!]?"
    r" (?:but|i|i'm|the|there|we|it|this|that|no)\b"
    r"|i (?:do not|don't|cannot|can't|could not|am not able|am unable)\b"
    r"|(?:the|this) (?:provided |given |above )?(?:table|question|information|data|context|text|answer|query|passage)s?"
    r" (?:provided |given )?(?:does not|do not|doesn't|don't|cannot|can't|is not (?:provided|given|in|available))"
    r"|it (?:is|'s) (?:not possible|impossible|unclear)"
    r"|there is (?:no|not enough|insufficient) (?:information|data|way)",
    re.IGNORECASE,
)
REFUSES_WITHIN = ("cannot be determined", "not enough information")
