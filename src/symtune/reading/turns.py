"""The part of a model's text that is its own reply: without thoughts, and ending where the model runs on.

reply("<think>four? no</think>5<|im_end|>")        ->  "5"
continues("5\\n\\nQuestion: How many?\\nAnswer: 6")    ->  "5\\n\\n"
"""

from __future__ import annotations

import re

_THOUGHT = r"think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis|seed:think"
_OPENS = rf"<(?:{_THOUGHT})>|\[THINK\]|<\|begin_of_thought\|>|◁think▷"
_CLOSES = rf"</(?:{_THOUGHT})>|\[/THINK\]|<\|end_of_thought\|>|◁/think▷"
_TOKEN = (
    r"<\|[\w-]{1,40}\|>(?:(?:assistant|user|system|model)\b)?|<｜[^｜\n]{1,40}｜>(?:assistant\b)?|</?s>|<eos>|<pad>"
    r"|<(?:start|end)_of_turn>(?:(?:model|user)\b)?|\[/?INST\]"
)
_ASKED = (
    r"questions?|problems?|exercises?|examples?|tasks?|instructions?|inputs?|users?|humans?|q"
    r"|frage|pregunta|pergunta|domanda|вопрос|问题|問題"
)
_NUMBERED = r"(?:\s?#?\d{1,3})?"
_TURN = (
    rf"^[ \t#>*_\[-]{{0,12}}(?:(?:next|new|another|follow-?up|test)\s)?(?:{_ASKED}){_NUMBERED}[*_\]]{{0,3}}\s?[:：]"
    rf"|^[ \t]{{0,3}}#{{1,6}}[ \t*]{{0,4}}(?:{_ASKED}){_NUMBERED}[ \t*]{{0,4}}$"
)
_EVENT = re.compile(
    rf"(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})|(?P<answer><answer>)|(?P<token>{_TOKEN})|(?P<turn>{_TURN})",
    re.IGNORECASE | re.MULTILINE,
)
_THINK = re.compile(rf"({_OPENS})|{_CLOSES}", re.IGNORECASE)
_STRICT = re.compile(r"think(?:ing)?\b|\[THINK", re.IGNORECASE)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_SPEAKER = re.compile(
    r"\s*[#*]{0,6}\s?(?:assistant|response|model|ai|bot|solution|reasoning|explanation)[*]{0,2}\s?:[*]{0,2}",
    re.IGNORECASE,
)


def continues(text: str) -> str:
    """`text`, cut where the model runs on into another question or example: at "Question:", "Q:", "User:", "Human:",
    "Example 2:", "### Instruction" at the beginning of a line, or at a token that ends a turn ("<|im_end|>", "</s>").
    A label at the very beginning of the text or inside a thought cuts nothing. Never raises.
    """
    return text[: _scan(text)[1]]


def reply(text: str) -> str:
    """What the model says in its own turn: `continues(text)` without thoughts ("<think>…</think>", also one that never
    ends, and everything before a lone "</think>"), without chat template tokens, and without the name of the speaker
    at the beginning. Never raises.
    """
    if "<|channel|>" in text:  # thoughts and reply in channels, as gpt-oss writes them
        thought, final, said = text.partition(_FINAL_CHANNEL)
        text = said if final else thought.partition("<|channel|>")[0]
    said = _scan(text)[0]
    speaker = _SPEAKER.match(said)
    return said[speaker.end() :] if speaker else said


def unfinished_thought(text: str) -> bool:
    """Whether the text ends inside a thought. Never raises."""
    if "<|channel|>" in text:
        return _FINAL_CHANNEL not in text
    return _scan(text)[2]


def _scan(text: str) -> tuple[str, int, bool]:
    """The text outside thoughts and tokens, where the model's own turn ends, and whether it ends inside a thought."""
    first = _THINK.search(text)
    thinking = first is not None and first[1] is None
    strict = thinking
    parts: list[str] = []
    spoken, position = False, 0
    for event in _EVENT.finditer(text):
        kind = event.lastgroup
        if not thinking:
            parts.append(text[position : event.start()])
            spoken = spoken or bool(parts[-1].strip())
        position = event.end()
        if kind == "opens":
            thinking, strict = True, bool(_STRICT.search(event[0]))
        elif kind == "closes":
            if not thinking:  # so everything before it was a thought
                parts, spoken = [], False
            thinking = False
        elif thinking:
            if kind == "answer" and not strict:
                thinking, position = False, event.start()
        elif kind == "answer":
            position = event.start()
        elif spoken:
            return "".join(parts), event.start(), False
        elif kind == "turn":
            position = event.start()
            spoken = True
    if not thinking:
        parts.append(text[position:])
    return "".join(parts), len(text), thinking
