"""Prompts and completions as a model's tokens: the one place that training, evaluation and budgets share.

For a chat model a prompt is ONE user turn in the tokenizer's own chat template, its default system turn
included, so that a trained checkpoint answers when it is used in the ordinary way, by `apply_chat_template`. For
a causal model without a template it is the prompt and a newline; for an encoder-decoder, what its tokenizer
makes of the prompt. Text that happens to look like a special token (`<|im_end|>` in a cell) is encoded as the
characters it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["causal", "seq2seq"]


@dataclass(frozen=True)
class LoadedModel:
    """A model and its tokenizer. `context`: the longest sequence it reads, in tokens (for a causal model the
    answer counts too). `weights_sha256`: of the weight files it started from (for one built from a config, of
    the initial weights).
    """

    model: Any
    tokenizer: Any
    kind: Kind
    name: str
    weights_sha256: str
    context: int

    def facts(self) -> dict[str, Any]:
        """What manifests say of the model that was measured."""
        return {
            "name": self.name,
            "kind": self.kind,
            "parameters": self.parameters,
            "weights_sha256": self.weights_sha256,
            **prompt_format(self),
        }

    @property
    def parameters(self) -> int:
        """How many parameters the model has."""
        return sum(parameter.numel() for parameter in self.model.parameters())


_SLOT = "\ue000\ue001\ue002"  # private-use characters: stands for the prompt while a template is rendered


def prompt_format(loaded: LoadedModel) -> dict[str, str]:
    """How prompts are rendered for this model, for manifests: the same in training and in evaluation."""
    template = loaded.tokenizer.chat_template if loaded.kind == "causal" else None
    if template:
        return {
            "prompt": "the tokenizer's chat template, one user turn, the template's default system turn",
            "chat_template_sha256": hashlib.sha256(str(template).encode()).hexdigest(),
        }
    return {"prompt": "plain" if loaded.kind == "seq2seq" else "plain text and a newline"}


def prompt_ids(loaded: LoadedModel, prompt: str) -> list[int]:
    """The tokens that the model reads for a prompt (a causal model then writes its answer)."""
    tokenizer = loaded.tokenizer
    if loaded.kind == "seq2seq":
        return list(tokenizer(prompt, split_special_tokens=_looks_special(tokenizer, prompt))["input_ids"])
    if tokenizer.chat_template:
        return _chat_ids(tokenizer, prompt)
    split = _looks_special(tokenizer, prompt)
    ids = list(tokenizer(prompt + "\n", split_special_tokens=split)["input_ids"])
    # Some tokenizers close every text with their end token; the prompt is not the end.
    return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids


def _chat_ids(tokenizer: Any, prompt: str) -> list[int]:
    def render(content: str) -> str:
        turn = [{"role": "user", "content": content}]
        return str(tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))

    if not _looks_special(tokenizer, prompt):
        return list(tokenizer(render(prompt), add_special_tokens=False)["input_ids"])
    # Text that reads like a special token must stay text: the template's own parts are encoded apart from it.
    ids: list[int] = []
    for number, part in enumerate(render(_SLOT).split(_SLOT)):
        if number:
            ids += tokenizer(prompt, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        ids += tokenizer(part, add_special_tokens=False)["input_ids"]
    return ids


def _looks_special(tokenizer: Any, text: str) -> bool:
    return any(token in text for token in _special_texts(tokenizer))


def _special_texts(tokenizer: Any) -> tuple[str, ...]:
    """What the tokenizer would read as a special token; kept on it, since every prompt asks."""
    found: tuple[str, ...] | None = getattr(tokenizer, "_symtune_specials", None)
    if found is None:
        added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        found = tuple(sorted(added | set(tokenizer.all_special_tokens)))
        tokenizer._symtune_specials = found
    return found


def completion_ids(loaded: LoadedModel, completion: str) -> list[int]:
    """The tokens that the model must write for a completion, its end token included."""
    tokenizer = loaded.tokenizer
    split = _looks_special(tokenizer, completion)
    ids = list(tokenizer(completion, add_special_tokens=False, split_special_tokens=split)["input_ids"])
    return [*ids, end_ids(loaded)[0]]


def end_ids(loaded: LoadedModel) -> list[int]:
    """The tokens at which generation stops; the first is the one that training teaches: for a chat model the
    token with which its template closes the assistant's turn.
    """
    tokenizer = loaded.tokenizer
    configured = loaded.model.generation_config.eos_token_id
    stops = [tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])]
    stops = [token for token in dict.fromkeys(stops) if token is not None]
    if loaded.kind == "causal" and tokenizer.chat_template:
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _SLOT}]
        after = tokenizer.apply_chat_template(turns, tokenize=False).rpartition(_SLOT)[2]
        closing = tokenizer(after, add_special_tokens=False)["input_ids"][:1]
        if closing and closing[0] in tokenizer.all_special_ids:
            stops = [closing[0], *(token for token in stops if token != closing[0])]
    return stops
