"""Models: names and faults, prompts as tokens, the law of batches, batched generation that equals one at a time."""

from __future__ import annotations

import itertools
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from symtune.models.local import (
    LoadedModel,
    LocalModel,
    check_model,
    completion_ids,
    end_ids,
    generation,
    greedy,
    load,
    memory,
    prompt_format,
    prompt_ids,
)
from symtune.models.local.batching import deal
from symtune.models.local.positions import by_distance
from symtune.types import InputError

LLAMA = {
    "architecture": "llama",
    "tokenizer": "bytes",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
T5 = {
    "architecture": "t5",
    "tokenizer": "bytes",
    "d_model": 32,
    "num_layers": 2,
    "num_heads": 2,
    "d_kv": 16,
    "d_ff": 64,
}
CHAT = (
    "{% for message in messages %}<extra_id_0>{{ message['role'] }}:{{ message['content'] }}<extra_id_1>"
    "{% endfor %}{% if add_generation_prompt %}<extra_id_0>assistant:{% endif %}"
)
PROMPTS = ["a", "which row holds the largest value?", "two words", "é", "max(b)"]
# Of several lengths, and alike enough to be answered together; one is a single token.
ALIKE = [*PROMPTS, "which row holds a large value?", "two word", "", "max(bc)", "b", "min(a)"]
# The ways in which a model remembers a prompt: keys and values by head or by group, some of them the last ones alone, a
# state, an encoder's.
MEMORIES: dict[str, dict[str, Any]] = {
    "causal": LLAMA,
    "groups": {**LLAMA, "num_attention_heads": 4, "num_key_value_heads": 2},
    "window": {**LLAMA, "architecture": "mistral", "num_key_value_heads": 2, "sliding_window": 8},
    "positions": {
        "architecture": "gpt2",
        "tokenizer": "bytes",
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
        "n_positions": 64,
    },
    "state": {"architecture": "mamba", "tokenizer": "bytes", "hidden_size": 32, "num_hidden_layers": 2},
    "seq2seq": T5,
}


@pytest.fixture(scope="module")
def llama() -> LoadedModel:
    return load(LLAMA)


def larger(spec: dict[str, Any]) -> LoadedModel:
    """With weights as initialised, all prompts get the same answer; larger weights make it depend on every token."""
    loaded = load(spec)
    for parameter in loaded.model.parameters():
        parameter.data.mul_(4.0)
    return loaded


def test_a_new_model_does_not_depend_on_where_its_tokenizer_lies(tmp_path: Path) -> None:
    words = Path(__file__).parent.parent / "recipes" / "study" / "tokenizer"
    shutil.copytree(words, tmp_path / "elsewhere")
    here, there = (load({**LLAMA, "tokenizer": str(folder)}) for folder in (words, tmp_path / "elsewhere"))
    assert (here.name, here.weights_sha256) == (there.name, there.weights_sha256)


@pytest.fixture(scope="module", params=["causal", "seq2seq"])
def tiny(request: pytest.FixtureRequest) -> LoadedModel:
    return larger(MEMORIES[request.param])


def test_a_config_gives_the_same_model_every_time_and_another_seed_another() -> None:
    first, second, other = load(LLAMA), load(LLAMA), load({**LLAMA, "seed": 1})
    assert first.weights_sha256 == second.weights_sha256 != other.weights_sha256
    assert (first.kind, first.context, load(T5).kind) == ("causal", 64, "seq2seq")


@pytest.mark.parametrize("reading", [0.0, 0.5], ids=["read by length", "read with padding"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_generation_in_batches_equals_one_at_a_time(
    memory: str, reading: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[set[int]] = []
    write = generation.write
    monkeypatch.setattr(
        generation, "write", lambda *given: (batches.append({len(row) for row in given[3]}), write(*given))[1]
    )
    loaded = larger(MEMORIES[memory])
    model = LocalModel(loaded)
    with monkeypatch.context() as patch:
        patch.setattr(greedy, "READ_PADDING", reading)
        together = dict(model.generate(ALIKE, 6))
    # A state cannot be padded: its prompts are asked in batches of one length.
    assert (max(map(len, batches)) > 1) == (memory != "state")
    alone = [dict(model.generate([prompt], 6))[0] for prompt in ALIKE]
    assert [together[index] for index in range(len(ALIKE))] == alone
    assert len({completion.text for completion in alone}) > 2
    assert [completion.tokens_in for completion in alone] == [model.measure(prompt) for prompt in ALIKE]
    assert all(completion.tokens_out <= 6 for completion in alone)


# A bias for all layers, for each layer, and for blocks of neighbours.
@pytest.mark.parametrize("architecture", ["t5", "umt5", "longt5"])
def test_a_bias_by_distance_is_the_model_s_own(architecture: str) -> None:
    loaded = larger({**T5, "architecture": architecture})
    encoder = loaded.model.get_encoder()
    attention = next(module for module in encoder.modules() if hasattr(module, "compute_bias"))
    for length in (1, 2, 9, 300):  # 128 is the distance from which on all are alike
        ids = torch.arange(2 * length).reshape(2, length) % 90 + 30
        mask = torch.ones_like(ids)
        mask[1, length // 2 + 1 :] = 0
        with torch.inference_mode():
            own = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            with by_distance(encoder):
                assert torch.equal(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, own)
    if architecture != "longt5":
        with torch.inference_mode(), by_distance(encoder):
            bias = attention.compute_bias(9, 9)
            assert torch.equal(attention.compute_bias(3, 9), bias[:, :, :3])
        assert bias.is_contiguous()
        assert torch.equal(attention.compute_bias(9, 9), bias)
        assert not attention.compute_bias(9, 9).is_contiguous()


@given(
    st.dictionaries(st.integers(0, 500), st.integers(1, 3000), max_size=60),
    st.integers(1, 64),
    st.integers(1, 20_000),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_batches_hold_every_prompt_once_within_all_bounds(
    lengths: dict[int, int], new: int, tokens: int, rows: int, padding: float
) -> None:
    limits = {"tokens": tokens, "rows": rows, "padding": padding}
    batches = list(deal(lengths, new, **limits))
    order = [index for batch in batches for index in batch]
    assert sorted(order) == sorted(lengths)
    assert [lengths[index] for index in order] == sorted(lengths.values(), reverse=True)

    def within(batch: list[int]) -> bool:
        held, area = sum(lengths[index] for index in batch), len(batch) * lengths[batch[0]]
        return len(batch) <= rows and area + len(batch) * new <= tokens and area - held <= padding * area

    assert all(within(batch) or len(batch) == 1 for batch in batches)
    # As large as can be: what follows a batch does not fit into it.
    assert not any(within([*batch, after[0]]) for batch, after in itertools.pairwise(batches))
    # The order of the dictionary does not matter.
    assert list(deal(dict(sorted(lengths.items())), new, **limits)) == batches


def test_generation_starts_with_the_longest_and_is_a_stream(llama: LoadedModel) -> None:
    stream = LocalModel(llama, batch_tokens=1).generate(PROMPTS, 2)
    assert [next(stream)[0], next(stream)[0]] == [1, 2]


def test_generation_goes_on_in_the_batches_that_it_began_with(
    llama: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[list[int]] = []
    write = generation.write
    monkeypatch.setattr(
        generation, "write", lambda *given: (computed.append([len(row) for row in given[3]]), write(*given))[1]
    )
    model = LocalModel(llama, batch_tokens=80)
    whole = list(model.generate(ALIKE, 2))
    batches, computed[:] = list(computed), []
    order = [index for index, _ in whole]
    first = len(batches[0])
    assert len(batches) > 1
    assert len(batches[1]) > 1
    done = order[: first + 1]  # the first batch, and one of the second
    assert list(model.generate(ALIKE, 2, done)) == whole[first + 1 :]
    assert computed == batches[1:]


def test_a_prompt_without_room_for_an_answer_is_an_error_and_not_cut(llama: LoadedModel) -> None:
    model = LocalModel(llama)
    completions = dict(model.generate(["x" * 59, "x" * 60], 4))
    assert (completions[0].finish, completions[0].tokens_in) == ("length", model.room(4)) == ("length", 60)
    assert (completions[1].finish, completions[1].tokens_in, completions[1].text) == ("error", 61, "")


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU, the CPU does not matter")
@pytest.mark.parametrize(
    ("amx", "parameters", "helps"), [(True, 10**8, True), (True, 10**6, False), (False, 10**8, False)]
)
def test_on_a_cpu_bfloat16_is_for_matrix_units_and_models_that_are_not_tiny(
    monkeypatch: pytest.MonkeyPatch, amx: bool, parameters: int, helps: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert generation.bf16_helps(parameters) == helps


def test_facts_are_all_that_decides_completions(llama: LoadedModel) -> None:
    facts = LocalModel(llama, batch_tokens=7, batch_rows=3).facts()
    assert (facts["dtype"], facts["device"]) == ("float32", generation.device().type)
    assert (facts["batch_tokens"], facts["batch_rows"], facts["batch_padding"]) == (7, 3, 0.2)
    assert facts["weights_sha256"] == llama.weights_sha256


def test_the_package_of_models_needs_no_extra() -> None:
    code = "import sys, symtune.models, symtune.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_generation_stops_at_the_end_token_and_does_not_count_on() -> None:
    loaded = load(LLAMA)
    letter, end = ord("a") + 3, end_ids(loaded)[0]
    steps: list[int] = []

    def first_a_letter_then_the_end(module: Any, inputs: Any, logits: Any) -> Any:
        logits[..., letter if not steps else end] = 1e9
        steps.append(1)
        return logits

    loaded.model.lm_head.register_forward_hook(first_a_letter_then_the_end)
    for completion in dict(LocalModel(loaded).generate(["one prompt", "a longer one"], 9)).values():
        assert (completion.text, completion.finish, completion.tokens_out) == ("a", "stop", 2)
    assert len(steps) == 2


def test_a_prompt_is_a_line_an_encoder_s_text_or_a_chat_turn(llama: LoadedModel) -> None:
    byte = {character: ord(character) + 3 for character in "ab\n"}
    assert prompt_ids(llama, "ab") == [byte["a"], byte["b"], byte["\n"]]
    assert prompt_ids(load(T5), "ab") == [byte["a"], byte["b"], 1]
    assert completion_ids(llama, "b") == [byte["b"], 1]
    chat = load(LLAMA)
    chat.tokenizer.chat_template = CHAT
    begin, close = chat.tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_1>"])
    ids = prompt_ids(chat, "ab")
    assert ids[0] == begin
    assert ids.count(close) == 1
    assert chat.tokenizer.decode(ids) == "<extra_id_0>user:ab<extra_id_1><extra_id_0>assistant:"
    assert completion_ids(chat, "b") == [byte["b"], close]
    assert "chat_template_sha256" in prompt_format(chat)


@pytest.mark.parametrize("hostile", ["</s>", "a<pad>b", "<extra_id_1> x", "\ue000\ue001\ue002", "{{ messages }}"])
def test_text_that_looks_special_stays_text(llama: LoadedModel, hostile: str) -> None:
    assert len(prompt_ids(llama, hostile)) == len(hostile.encode()) + 1
    assert completion_ids(llama, hostile)[:-1] == [byte + 3 for byte in hostile.encode()]
    chat = load(LLAMA)
    chat.tokenizer.chat_template = CHAT
    assert len(prompt_ids(chat, hostile)) == len(prompt_ids(chat, "")) + len(hostile.encode())


def test_a_saved_model_loads_from_its_folder(tiny: LoadedModel, tmp_path: Path) -> None:
    tiny.model.save_pretrained(tmp_path)
    tiny.tokenizer.save_pretrained(tmp_path)
    again = load(tmp_path)
    assert (again.kind, again.context, len(again.tokenizer)) == (tiny.kind, tiny.context, len(tiny.tokenizer))
    before, after = (list(LocalModel(model).generate(PROMPTS, 6)) for model in (tiny, again))
    assert before == after


def test_a_tokenizer_that_is_not_the_model_s_is_refused(tmp_path: Path) -> None:
    loaded = load({**LLAMA, "vocab_size": 700})
    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    small = json.loads((tmp_path / "config.json").read_text())
    assert small["vocab_size"] == 700
    big = load({**LLAMA, "vocab_size": 768})
    big.model.resize_token_embeddings(1000)
    big.model.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="its tokenizer has 384 tokens and the model 1,000"):
        load(tmp_path)


FAULTS: list[tuple[Any, str]] = [
    ("smollm2-135m-instruct-guff", "Did you mean 'smollm2-135m-instruct-gguf'?"),
    ("./absent", "no such file or folder"),
    ({"tokenizer": "bytes"}, "needs `architecture`"),
    ({"architecture": "lama"}, "Did you mean 'llama'?"),
    ({"architecture": "llama", "hiden_size": 8}, "Did you mean 'hidden_size'?"),
    ({**LLAMA, "tokenizer": "absent"}, "neither `bytes` nor a local folder"),
    ({**LLAMA, "num_attention_heads": 5}, "llama"),
]


@pytest.mark.parametrize(("model", "message"), FAULTS)
def test_what_cannot_be_loaded_is_said_in_one_line(model: Any, message: str) -> None:
    with pytest.raises(InputError) as fault:
        load(model)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_folder_without_weights_or_config_is_refused_before_loading(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        check_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no weights"):
        check_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot be loaded"):
        load(tmp_path)


def test_offline_a_hub_name_fails_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="cannot be fetched") as fault:
        load("smollm2-135m-instruct")
    assert "\n" not in str(fault.value)


def test_a_yaml_file_stands_for_the_model_it_describes(tmp_path: Path, llama: LoadedModel) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(json.dumps(LLAMA))
    assert load(str(file)).weights_sha256 == llama.weights_sha256
    file.write_text("architecture: [")
    with pytest.raises(InputError, match="not YAML"):
        load(str(file))
    with pytest.raises(InputError, match="no such file or folder"):
        load(str(tmp_path / "absent.yaml"))


@pytest.mark.xdist_group("gguf")
def test_the_packaged_weights_answer_and_are_converted_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from symtune.models.local import gguf

    name = "smollm2-135m-instruct-gguf"
    try:
        gguf.find(name)
    except InputError as error:
        pytest.skip(f"the packaged weights are not installed: {error}")
    monkeypatch.setenv("SYMTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
    loaded = load(name)
    (folder,) = gguf.cache_folder().iterdir()
    assert folder.name.endswith(loaded.weights_sha256)
    assert (loaded.kind, loaded.context) == ("causal", 8192)
    text = loaded.tokenizer.decode(prompt_ids(loaded, "hi"))
    assert text.endswith("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")
    assert loaded.tokenizer.decode(completion_ids(loaded, "5")) == "5<|im_end|>"
    (answer,) = dict(LocalModel(loaded).generate(["What is the capital of France?"], 8)).values()
    assert "Paris" in answer.text
    stamp = (folder / "config.json").stat().st_mtime_ns
    assert load(name).weights_sha256 == loaded.weights_sha256
    assert (folder / "config.json").stat().st_mtime_ns == stamp


@pytest.mark.skipif(memory._libc() is None, reason="no glibc, or the environment says how it manages memory")
def test_buffers_are_kept_within_a_block_and_given_back_at_its_end():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    def cleared(times: int) -> int:
        """How many pages the system clears while a large buffer is taken again and again."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(times):
            torch.empty(2**24).fill_(1.0)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    pages = 4 * 2**24 // resource.getpagesize()
    outside = cleared(8)
    with memory.kept():
        cleared(1)
        assert cleared(8) * 8 < outside
        within = resident()
        memory.give_back()
        assert within - resident() > pages / 2
        cleared(1)
    assert within - resident() > pages / 2
