"""What a training leaves: its report, and the model folder with its snapshots, log and manifest."""

from __future__ import annotations

import json
import resource
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from symtune.domains import Domains, domains_of, each, merged
from symtune.models.local import LoadedModel, prompt_format, resolve
from symtune.output import new_folder, sha256, versions, write_manifest
from symtune.splitting import splits_of
from symtune.training import checkpoints, snapshots
from symtune.training.config import StepLog, TrainConfig, TrainReport
from symtune.training.plan import Plan
from symtune.training.trainers import uses_bf16

LOG = "log.jsonl"


@dataclass(frozen=True)
class Ended:
    """A training that has ended, or one of its snapshots. `facts`: of its rows; `isolation`: how far packs compute what
    rows alone would; `resumed_from`: the step that this process began after."""

    config: TrainConfig
    loaded: LoadedModel
    plan: Plan
    logs: Sequence[StepLog]
    facts: Mapping[str, Any]
    isolation: float | None
    resumed_from: int

    def until(self, step: int) -> Ended:
        """The training as it was after this step."""
        return replace(self, plan=self.plan.until(step), logs=self.logs[:step])

    def report(self, seconds: float) -> TrainReport:
        """Its counts and losses."""
        losses = [log.loss for log in self.logs]
        tenth = max(1, len(losses) // 10)
        packs = self.plan.packs
        return TrainReport(
            out=self.config.out,
            steps=self.plan.steps,
            records=self.plan.rows,
            records_seen=sum(len(pack.rows) for pack in packs),
            dropped=self.facts["dropped"],
            tokens=self.plan.tokens,
            effective_tokens=sum(pack.effective for pack in packs),
            trained_tokens=sum(pack.trained for pack in packs),
            first_loss=sum(losses[:tenth]) / tenth,
            last_loss=sum(losses[-tenth:]) / tenth,
            seconds=seconds,
            resumed_from=self.resumed_from,
        )


def write(ended: Ended, report: TrainReport, working: Path) -> None:
    """Write the model folder, with the snapshots that were taken in the folder `working`."""
    config, loaded = ended.config, ended.loaded
    with new_folder(config.out, overwrite=config.overwrite) as folder:
        with checkpoints.writing(folder):
            loaded.model.to("cpu").eval().save_pretrained(folder)
            loaded.tokenizer.save_pretrained(folder)
        _describe(folder, ended, report)
        for step, taken in snapshots.taken(working):
            kept = folder / snapshots.FOLDER / taken.name
            kept.parent.mkdir(exist_ok=True)
            taken.rename(kept)
            before = ended.until(step)
            _describe(kept, before, before.report(report.seconds))


def _describe(folder: Path, ended: Ended, report: TrainReport) -> None:
    config, loaded, plan = ended.config, ended.loaded, ended.plan
    with (folder / LOG).open("w", encoding="utf-8") as stream:
        for log in ended.logs:
            line = {key: value for key, value in asdict(log).items() if key != "steps"}
            stream.write(json.dumps(line) + "\n")
    counts = asdict(report)
    for name in ("out", "seconds", "resumed_from"):
        del counts[name]
    body = {
        "model": {
            "name": loaded.name,
            "kind": loaded.kind,
            "weights_sha256": loaded.weights_sha256,
            "parameters": loaded.parameters,
            "context": loaded.context,
            **prompt_format(loaded),
        },
        **ended.facts,
        **counts,
        "splits": splits_of(config.data),
        "in_domain": _in_domain(config),
        "passes": round(plan.passes, 4),
        "packs": len(plan.packs),
        "packs_per_step": plan.per_step,
        "tokens_per_step": round(plan.tokens / plan.steps, 1),
        "bf16": uses_bf16(loaded, config),
        "sha256": {file.name: sha256(file) for file in sorted(folder.glob("*.safetensors"))},
        "versions": versions("torch", "transformers", "accelerate", "tokenizers"),
    }
    run_facts = {
        "out": str(config.out),
        "seconds": round(report.seconds, 1),
        "resumed_from": report.resumed_from,
        "isolation": ended.isolation,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    arguments = config.model_dump(mode="json", exclude={"out", "overwrite"}) | {"model": resolve(config.model)}
    write_manifest(folder, "train", arguments, body, run_facts)


def _in_domain(config: TrainConfig) -> Domains:
    """What the model was trained on before, and what it is trained on now."""
    before = {} if isinstance(config.model, Mapping) else domains_of(Path(config.model))
    return merged([*each(before), *each(domains_of(config.data))])
