"""The model card of a run's exported weights, as Markdown and as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from howard.data.data_version import DataVersion
from howard.evaluation.tables import format_number, markdown_table
from howard.matting import WeightsMetadata

FILE = "model_card.md"


@dataclass(frozen=True)
class TrainingFacts:
    """Facts about a training run.

    Attributes:
        revision: of the code.
        steps: optimiser steps.
        batch_size: samples per batch of one process.
        precision: Lightning's name of the numeric precision.
        device: type of the training device.
        parameters: number of parameters of the network.
    """

    revision: str
    steps: int
    batch_size: int
    precision: str
    device: str
    parameters: int

    @property
    def is_dirty(self) -> bool:
        """Whether the code had uncommitted changes."""
        return self.revision.endswith("-dirty")


@dataclass(frozen=True)
class ModelCard:
    """Description of trained weights.

    Attributes:
        metadata: of the weights file.
        facts: about the training run.
        data: version of the training data; None if it could not be determined.
        scores: metrics by their logged names; smaller is better.
        checkpoints: paths in the run folder of checkpoints and further weights, by description.
    """

    metadata: WeightsMetadata
    facts: TrainingFacts
    data: DataVersion | None
    scores: Mapping[str, float]
    checkpoints: Mapping[str, str]

    def text(self) -> str:
        """The card in Markdown."""
        parts = [f"# {self.metadata.name}", self._network(), "## Trained on", *self._data(), "## How", self._how()]
        if self.scores:
            rows = [[name, format_number(value)] for name, value in sorted(self.scores.items())]
            parts += ["## Scores", "Smaller is better.", markdown_table(["figure", "value"], rows)]
        if self.checkpoints:
            rows = [[name, f"`{path}`"] for name, path in self.checkpoints.items()]
            parts += ["## Checkpoints", markdown_table(["what", "in the run's folder"], rows)]
        return "\n\n".join(parts) + "\n"

    def values(self) -> dict[str, Any]:
        """The card as plain values; the data only by its digest."""
        return {
            "weights": asdict(self.metadata) | {"refine": self.metadata.refine._asdict()},
            **asdict(self.facts),
            "dirty": self.facts.is_dirty,
            "data_version": None if self.data is None else self.data.digest,
            "scores": dict(self.scores),
            "checkpoints": dict(self.checkpoints),
        }

    def _network(self) -> str:
        metadata = self.metadata
        if metadata.widths is not None:
            parts = ["U-Net"]
        else:
            optional = {"refiner": metadata.has_refiner, "person prior": metadata.person_prior}
            parts = [f"encoder {metadata.encoder}", *(name for name, has in optional.items() if has)]
            parts += [f"{name} as a further input" for name in metadata.extra_inputs]
        return (
            f"{', '.join(parts)}; {self.facts.parameters / 1e6:.1f} M parameters, fp16 kernels in safetensors. "
            f"Mixed in {metadata.mixing} light. Howard {metadata.version}. Licence: {metadata.licence}."
        )

    def _data(self) -> list[str]:
        if self.data is None:
            return [f"{self.metadata.data}; the version of the data could not be determined."]
        found = self.data.collections
        rows = [[each.name, each.kind, each.split, str(each.items), f"`{each.sha256[:12]}`"] for each in found]
        pack = "" if self.data.pack is None else f", from the pack `{self.data.pack[:12]}`"
        table = markdown_table(["collection", "kind", "split", "items", "sha256"], rows)
        return [f"Data version `{self.data.digest[:12]}`{pack}.", table]

    def _how(self) -> str:
        facts = self.facts
        changed = ", with changes that were not committed" if facts.is_dirty else ""
        lines = [
            f"code: {facts.revision}{changed}",
            f"{facts.steps} steps of {facts.batch_size} samples a process, {facts.precision}, on {facts.device}",
            "settings: `config.yaml` in the run's folder",
        ]
        return "\n".join(f"* {line}" for line in lines)
