"""The predictor: numpy images and devices in, mattes out; it knows nothing of files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.errors import SettingsError
from howard.matting.baseline import BaselineNetwork
from howard.matting.coarse import CoarseMatte
from howard.matting.code_values import FULL_CODES
from howard.matting.inference import prefer_onednn, prepare_for_inference
from howard.matting.lazy_foreground import MeanForeground, MirroredForeground
from howard.matting.network import Matte, MattingNetwork, coarse_scale
from howard.matting.person_maps import PersonMaps
from howard.matting.person_prior import PRIOR_WEIGHTS
from howard.matting.prior_predictor import PersonPriorPredictor
from howard.matting.weights import WeightsMetadata, content_digest, find_weights, load_network

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_DTYPES = (np.uint8, np.uint16, np.float32)
# As torch.cpu.get_capabilities() names them: tiles of matrices, and AVX-512's dot products.
_BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")
# Below 32 coarse pixels the deepest features would be less than a pixel wide.
_SMALLEST_SIDE, _SMALLEST_COARSE_SIDE = 64, 32


class _View(NamedTuple):
    """A way to look at a frame: by how much the coarse network sees it smaller than otherwise, and whether mirrored."""

    scale: float = 1.0
    is_mirrored: bool = False


# Chosen on unseen people over aligned true pairs and in rendered rooms.
_AUGMENTED = (_View(is_mirrored=True), _View(scale=1.25), _View(scale=0.8))


class MattingPredictor:
    """Runs a matting network on numpy images.

    Args:
        network: it is copied, and the copy made ready for inference.
        metadata: of its weights; gives the coarse long side and the refine settings.
        device: where the copy lives.
        precision: of weights and features, one of :data:`PRECISIONS`; images and mattes stay in fp32.
        augmented: whether the mean is taken of three mattes: of the mirror image, and with the coarse network at a
            smaller and at a larger size. Three times the time, and less of what the network does by chance. ``coarse``
            is then that of the mirror image, turned back.
        digests: SHA-256 of each weights file behind it, by "network" and "person_prior", where they are known.
    """

    def __init__(
        self,
        network: MattingNetwork | BaselineNetwork,
        metadata: WeightsMetadata,
        device: torch.device,
        precision: str = "fp32",
        augmented: bool = False,
        digests: Mapping[str, str] | None = None,
    ) -> None:
        self.network = prepare_for_inference(network, PRECISIONS[precision]).to(device)
        prefer_onednn(self.network, device)
        self.metadata = metadata
        self.device = device
        self.precision = precision
        self.digests = dict(digests or {})
        self.views = _AUGMENTED if augmented else (_View(),)
        # Networks that take no maps of people ignore them; the edge solver uses them whatever the network.
        self.find_people = PersonPriorPredictor(device, metadata.coarse_long_side, PRECISIONS[precision])

    @torch.inference_mode()
    def __call__(
        self,
        source: np.ndarray | Tensor,
        plate: np.ndarray | Tensor,
        coverage: np.ndarray | Tensor | None = None,
        person: PersonMaps | None = None,
    ) -> Matte:
        """Matte one frame, or a batch of frames of one size.

        Args:
            source: (H, W, 3) or (B, H, W, 3) RGB, uint8 in [0, 255], uint16 in [0, 65535], or float32 in [0, 1]
                (clamped); sRGB-encoded; H and W at least 64. A tensor is on the predictor's device already, with
                16-bit values as int32.
            plate: of the same size, aligned to the source; 0 where not covered.
            coverage: (H, W) or (B, H, W) float in [0, 1], 1 where the plate saw the place; None means everywhere.
            person: the person prior's maps of the source, on any device; None means that the subject may be anything.

        Returns:
            The matte of the batch, or of a batch of one, tensors on the predictor's device. Its foreground is computed
            from the source's memory when it is first asked for.

        Raises:
            ValueError: an image has another shape or type, is too small or not finite, or the sizes differ.
        """
        _check_image("source", source)
        _check_image("plate", plate)
        if source.shape != plate.shape:
            raise ValueError(
                f"source is {source.shape} and plate is {plate.shape}: align the plate to the source first"
            )
        if coverage is not None and coverage.shape != source.shape[:-1]:
            raise ValueError(f"coverage is {coverage.shape}, the source {source.shape[:-1]}")
        pictures = self._image(source), self._image(plate), self._coverage(coverage)
        person = self._person(person)
        return _mean([self._matte(view, *pictures, person) for view in self.views])

    @torch.inference_mode()
    def find_person(
        self,
        source: np.ndarray,
        plate: np.ndarray,
        coverage: np.ndarray | None = None,
        person: PersonMaps | None = None,
    ) -> np.ndarray:
        """The alpha of the coarse network alone, for those who need to know where the person is, roughly.

        Args:
            source: (H, W, 3) RGB as in a call, of any size.
            plate: of the same size.
            coverage: (H, W) as in a call.
            person: as in a call.

        Returns:
            (H, W) float32 in [0, 1], a numpy array.
        """
        pictures = self._image(source), self._image(plate), self._coverage(coverage)
        scale = self._coarse_scale(*source.shape[:2])
        alpha = self.network.coarse_matte(*pictures, self._person(person), coarse_scale=scale).alpha
        alpha = F.interpolate(alpha, size=source.shape[:2], mode="bilinear", align_corners=False)
        return alpha[0, 0].float().cpu().numpy()

    def _matte(
        self, view: _View, source: Tensor, plate: Tensor, coverage: Tensor | None, person: PersonMaps | None
    ) -> Matte:
        """The network's matte of a batch, all (B, C, H, W)."""
        pictures = (source, plate, coverage)
        if view.is_mirrored:
            pictures = [None if picture is None else picture.flip(-1) for picture in pictures]
            person = None if person is None else person.mirrored()
        scale = view.scale * self._coarse_scale(*source.shape[2:])
        scale = min(scale, min(source.shape[2:]) / _SMALLEST_COARSE_SIDE)
        matte = self.network(*pictures, person, coarse_scale=scale, refine=self.metadata.refine)
        return _mirror(matte) if view.is_mirrored else matte

    def _coarse_scale(self, height: int, width: int) -> float:
        return coarse_scale(height, width, self.metadata.coarse_long_side)

    def _person(self, person: PersonMaps | None) -> PersonMaps | None:
        return None if person is None else PersonMaps(*(each.to(self.device) for each in person))

    def _coverage(self, coverage: np.ndarray | Tensor | None) -> Tensor | None:
        return None if coverage is None else self._batch(coverage[..., None]).float()

    def _image(self, image: np.ndarray | Tensor) -> Tensor:
        """Code values, or floating-point ones clamped to [0, 1], as (B, 3, H, W) on the device."""
        codes = self._batch(image)
        return codes.clamp(0, 1) if codes.is_floating_point() else codes

    def _batch(self, values: np.ndarray | Tensor) -> Tensor:
        """(H, W, C) or (B, H, W, C) to a (B, C, H, W) tensor on the device, channels-last in memory."""
        if isinstance(values, np.ndarray):
            values = torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        return (values if values.ndim == 4 else values[None]).permute(0, 3, 1, 2)


def load_matting(
    name_or_path: str | Path,
    device: str = "auto",
    precision: str = "auto",
    augmented: bool = False,
) -> MattingPredictor:
    """Open weights and get a predictor.

    Args:
        name_or_path: see :func:`howard.matting.weights.load_network`.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32``, ``bf16`` (on a CPU half the time, alpha within about 1e-3 on average; patches on the
            verge of being refined may change places), ``fp16`` (GPUs only), or ``auto``: fp16 on CUDA, bf16 on CPUs
            with instructions for it (AMX, AVX512-BF16), else fp32. The predictor's ``precision`` is what was chosen.
        augmented: whether three mattes are made and the mean taken; see :class:`MattingPredictor`.

    Raises:
        WeightsError: the file cannot be used.
        SettingsError: device or precision is unknown, or cannot be had here.
    """
    chosen = _find_device(device)
    checked = _find_precision(precision, chosen)
    network, metadata = load_network(name_or_path)
    digests = {
        "network": content_digest(find_weights(name_or_path)),
        "person_prior": content_digest(PRIOR_WEIGHTS),
    }
    return MattingPredictor(network, metadata, chosen, checked, augmented, digests)


def _mean(mattes: list[Matte]) -> Matte:
    """The first matte with the mean alpha and foreground of all; what any refined counts as refined."""
    if len(mattes) == 1:
        return mattes[0]
    return replace(
        mattes[0],
        alpha=torch.stack([matte.alpha for matte in mattes]).mean(dim=0),
        colour=MeanForeground(tuple(matte.colour for matte in mattes)),
        refined=torch.stack([matte.refined for matte in mattes]).amax(dim=0),
    )


def _mirror(matte: Matte) -> Matte:
    coarse = CoarseMatte(*(each.flip(-1) for each in matte.coarse))
    colour = MirroredForeground(matte.colour, matte.alpha.shape[3])
    return Matte(matte.alpha.flip(-1), colour, coarse, matte.refined.flip(-1))


def _find_device(name: str) -> torch.device:
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps", "xpu") if _count_devices(kind)), "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(
            f"unknown device {name!r}; choose auto, cpu, cuda, cuda:1, mps or another of torch's"
        ) from error
    if device.type != "cpu" and (device.index or 0) >= _count_devices(device.type):
        raise SettingsError(f"device={name} is not available here; use device=auto")
    return device


def _count_devices(kind: str) -> int:
    """How many devices of a kind torch can use here."""
    module = getattr(torch, kind, None)
    is_available, count = (getattr(module, name, None) for name in ("is_available", "device_count"))
    return int(count()) if is_available is not None and count is not None and is_available() else 0


def _find_precision(precision: str, device: torch.device) -> str:
    if precision == "auto":
        if device.type == "cuda":
            return "fp16"
        return "bf16" if device.type == "cpu" and _cpu_multiplies_bf16() else "fp32"
    if precision not in PRECISIONS:
        raise SettingsError(f"unknown precision {precision!r}; choose auto, {', '.join(PRECISIONS)}")
    if precision == "fp16" and device.type == "cpu":
        raise SettingsError("precision=fp16 is for GPUs; on a CPU use fp32, or bf16 for speed")
    return precision


def _cpu_multiplies_bf16() -> bool:
    """Whether the CPU has instructions for products of bfloat16: without them bf16 takes longer than fp32."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _BF16_INSTRUCTIONS)


def _check_image(name: str, image: np.ndarray | Tensor) -> None:
    allowed = _DTYPES if isinstance(image, np.ndarray) else (*FULL_CODES, torch.float32)
    if image.ndim not in (3, 4) or image.shape[-1] != 3 or image.dtype not in allowed:
        raise ValueError(
            f"{name} is {tuple(image.shape)} {image.dtype}; give RGB, (height, width, 3), as uint8, uint16 or float32"
        )
    if 0 in image.shape or min(image.shape[-3:-1]) < _SMALLEST_SIDE:
        raise ValueError(f"{name} is {tuple(image.shape)}; both sides need {_SMALLEST_SIDE} pixels at least")
    # On a device the host would wait for the answer.
    if isinstance(image, np.ndarray) and image.dtype == np.float32 and not np.isfinite(image).all():
        raise ValueError(f"{name} holds values that are not finite; repair the picture")
