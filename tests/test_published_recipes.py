"""The recipes of tapex-zero-large and -xl: they use the release's commands, and run end to end at toy size."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from published_toy import ROOT, T5
from symtune import cli
from symtune.models.local import load as load_model
from symtune.published.flags import names_in
from symtune.recipe import published
from symtune.types import InputError
from test_published_layout import instructions, releases  # noqa: F401

SCALES = ("large", "xl")


def script_words(scale: str) -> list[str]:
    """The words of the published command, as in `train_large.sh` and `train_xl.sh`."""
    text = (ROOT / f"train_{scale}.sh").read_text()
    command = text[text.index("train_model.py") :].replace("\\\n", " ").replace('"$@"', "")
    return shlex.split(command)[1:]


@pytest.mark.parametrize("scale", SCALES)
def test_a_recipe_has_the_words_of_the_published_command(scale: str) -> None:
    words = script_words(scale)
    recipe = published.load(ROOT / "recipes" / f"tapex-zero-{scale}.yaml")
    assert names_in(words) - set(recipe.train) == {"dataset_name", "output_dir"}
    for name, value in recipe.train.items():
        place = words.index(f"--{name}")
        if value is not True:
            said = words[place + 1]
            same = float(said) == value if isinstance(value, float) else said == str(value).removeprefix("../")
            assert same, name
    sizes = [int(recipe.train["per_device_train_batch_size"]), int(recipe.train["gradient_accumulation_steps"])]
    assert sizes[0] * sizes[1] == 64
    assert (recipe.dataset["flan_n"], recipe.dataset["sql_n"], recipe.train["max_steps"]) == (600_000, 200_000, 20_000)


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("scale", SCALES)
def test_a_recipe_runs_at_toy_size(
    scale: str,
    releases: Path,  # noqa: F811
    instructions: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    loaded = load_model(T5)
    loaded.model.save_pretrained(tmp_path / "model")
    loaded.tokenizer.save_pretrained(tmp_path / "model")
    said: dict[str, Any] = yaml.safe_load((ROOT / "recipes" / f"tapex-zero-{scale}.yaml").read_text())
    said["dataset"] |= {"flan": str(instructions), "flan_n": 20, "sql_n": 20, "benchmarks": str(releases)}
    said["train"] |= {"model_name_or_path": str(tmp_path / "model"), "max_steps": 2, "eval_steps": 1, "save_steps": 1}
    said["train"] |= {"gradient_accumulation_steps": 2, "preprocessing_num_workers": 1, "generation_max_length": 8}
    said["infer"] |= {"max_length": 8}
    said["launch"] = [word.replace("../", f"{ROOT}/") for word in said["launch"]]
    if "deepspeed" in said["train"]:
        said["train"]["deepspeed"] = said["train"]["deepspeed"].replace("../", f"{ROOT}/")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(said))
    out = tmp_path / "run"
    cli.build()(["run", str(recipe), "--out", str(out)], standalone_mode=False)
    scores = json.loads((out / "manifest.json").read_text())["scores"]
    assert set(scores) == {f"wtq_tapex_{scale}.json", f"mmlu_tapex_{scale}.json"}
    assert (out / "outputs" / f"wtq_tapex_{scale}.json_model.json").is_file()
    assert (out / "model" / "model.safetensors").is_file()
    manifest = json.loads((out / "model" / "manifest.json").read_text())
    assert manifest["training"]["bf16"] == (scale == "xl")
    assert f"wtq_tapex_{scale}.json: " in capsys.readouterr().out


def test_what_the_run_decides_is_refused(tmp_path: Path) -> None:
    said = yaml.safe_load((ROOT / "recipes" / "tapex-zero-large.yaml").read_text())
    said["train"]["output_dir"] = "here"
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(said))
    with pytest.raises(InputError, match=r"train\.output_dir: the run sets this"):
        published.load(tmp_path / "recipe.yaml")
