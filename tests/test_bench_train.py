"""bench/train.py: the FLOPs of a model, against those that torch counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import train

SMALL = {
    "d_model": 24,
    "d_kv": 5,
    "d_ff": 40,
    "num_layers": 3,
    "num_decoder_layers": 2,
    "num_heads": 2,
    "vocab_size": 50,
}


@pytest.mark.parametrize("act", ["relu", "gated-gelu"])
@pytest.mark.parametrize(("prompt", "answer"), [(17, 4), (1, 1), (6, 30)])
def test_the_flops_of_a_model_are_those_that_torch_counts(act: str, prompt: int, answer: int) -> None:
    """Forward and backward on an example; in a batch of equal lengths, as many times."""
    config = transformers.T5Config(**SMALL, feed_forward_proj=act, decoder_start_token_id=0)
    model = transformers.AutoModelForSeq2SeqLM.from_config(config, attn_implementation="eager")
    for batch in (1, 3):
        inputs = torch.randint(1, 50, (batch, prompt))
        labels = torch.randint(1, 50, (batch, answer))
        with FlopCounterMode(display=False) as counted:
            model(input_ids=inputs, labels=labels).loss.backward()
        assert batch * train.model_flops(config, prompt, answer) == counted.get_total_flops()


def test_a_prompt_costs_no_decoder_but_its_keys() -> None:
    """Six FLOPs for each parameter and token, which is often said, would count the decoder for the prompt too."""
    config = transformers.T5Config(**SMALL)
    parameters = sum(weight.numel() for weight in transformers.T5ForConditionalGeneration(config).parameters())
    assert train.model_flops(config, 1000, 4) - train.model_flops(config, 1000, 3) < 6 * parameters * 4
    without = transformers.T5Config(**SMALL | {"num_decoder_layers": 1})
    one_layer = train.model_flops(config, 500, 1) - train.model_flops(without, 500, 1)
    keys = 3 * 4 * 500 * config.d_model * config.num_heads * config.d_kv
    assert keys < one_layer < 1.5 * keys


def test_a_card_that_is_not_known_has_no_share() -> None:
    known = train._share_of_peak(98.9e12, "NVIDIA H100 80GB HBM3")
    assert known == "98.9 TFLOP/s of the model, 10.0% of NVIDIA H100 80GB HBM3's 989 in bfloat16"
    assert train._share_of_peak(1e12, "Voodoo 2") == "1.0 TFLOP/s on Voodoo 2, whose peak this script does not know"
