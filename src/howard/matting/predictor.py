"""The predictor: runs a matting network on numpy images or tensors."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.matting.baseline import BaselineNetwork
from howard.matting.coarse_network import CoarseMatte
from howard.matting.code_values import FULL_CODES
from howard.matting.inference import PRECISIONS, prefer_onednn, prepare_for_inference, select_device, select_precision
from howard.matting.matte import Matte, MeanForeground, MirroredForeground
from howard.matting.network import MattingNetwork, coarse_scale
from howard.matting.person_maps import PersonMaps
from howard.matting.person_prior import PRIOR_WEIGHTS
from howard.matting.person_prior_predictor import PersonPriorPredictor
from howard.matting.state_files import content_digest
from howard.matting.weights import WeightsMetadata, find_weights, load_network

_DTYPES = (np.uint8, np.uint16, np.float32)
# Smallest side of an image, in pixels: half of it, the coarse network's side, must be _MIN_COARSE_SIDE.
_MIN_SIDE = 64
# Smallest side of the coarse network's input, in pixels: with less its deepest features would be under a pixel wide.
_MIN_COARSE_SIDE = 32


class _View(NamedTuple):
    """One variant of test-time augmentation: factor on the coarse scale, and whether the frame is mirrored."""

    scale: float = 1.0
    is_mirrored: bool = False


# Chosen on the stills of the validation suite. With the mean instead of the median of alpha, objects that only one view
# mistakes for the person raise MAD above that of a single view.
_AUGMENTED = (_View(), _View(is_mirrored=True), _View(scale=0.8))


class MattingPredictor:
    """Runs a matting network on numpy images or tensors.

    Args:
        network: a copy of it is optimised for inference.
        metadata: of its weights; defines the coarse long side and the refine settings.
        device: of the copy.
        precision: of weights and features, one of :data:`PRECISIONS`; images and mattes stay in fp32.
        augmented: whether to combine three mattes (test-time augmentation): of the image, of the mirrored image, and
            with the coarse network at a larger size; the median of alpha and the mean of the colours. Three times the
            time, with fewer random errors. ``coarse`` is then that of the image.
        digests: SHA-256 of the weights files by "network" and "person_prior", where they are known.
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
        # Networks without that input ignore the person prior; the edge solver uses it with every network.
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
            coverage: (H, W) or (B, H, W) float in [0, 1], 1 where the plate shows the background; None means
                everywhere.
            person: the person prior's maps of the source, on any device; None means that the subject may be anything.

        Returns:
            The matte of the batch, or of a batch of one; tensors on the predictor's device. Its foreground is computed
            from the source's memory at the first access.

        Raises:
            ValueError: an image has another shape or type, is too small or not finite, or the sizes differ.
        """
        _check_rgb("source", source)
        _check_rgb("plate", plate)
        if source.shape != plate.shape:
            raise ValueError(
                f"source is {source.shape} and plate is {plate.shape}: align the plate to the source first"
            )
        if coverage is not None and coverage.shape != source.shape[:-1]:
            raise ValueError(f"coverage is {coverage.shape}, the source {source.shape[:-1]}")
        pictures = self._image(source), self._image(plate), self._coverage(coverage)
        person = self._person(person)
        return _combine([self._matte(view, *pictures, person) for view in self.views])

    def _matte(
        self, view: _View, source: Tensor, plate: Tensor, coverage: Tensor | None, person: PersonMaps | None
    ) -> Matte:
        """The network's matte of a batch, all (B, C, H, W)."""
        pictures = (source, plate, coverage)
        if view.is_mirrored:
            pictures = [None if picture is None else picture.flip(-1) for picture in pictures]
            person = None if person is None else person.mirrored()
        scale = view.scale * self._coarse_scale(*source.shape[2:])
        scale = min(scale, min(source.shape[2:]) / _MIN_COARSE_SIDE)
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
    """Load weights and return a predictor.

    Args:
        name_or_path: see :func:`howard.matting.weights.load_network`.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32``, ``bf16`` (faster on many CPUs; alpha differs slightly, and other patches may be refined),
            ``fp16`` (GPUs only), or ``auto``: fp16 on CUDA, bf16 on CPUs with bf16 instructions (AMX, AVX512-BF16),
            else fp32. The predictor's attribute ``precision`` is the one selected.
        augmented: whether three mattes are combined; see :class:`MattingPredictor`.

    Raises:
        WeightsError: the file cannot be used.
        SettingsError: device or precision is unknown or not available.
    """
    chosen = select_device(device)
    checked = select_precision(precision, chosen)
    network, metadata = load_network(name_or_path)
    digests = {
        "network": content_digest(find_weights(name_or_path)),
        "person_prior": content_digest(PRIOR_WEIGHTS),
    }
    return MattingPredictor(network, metadata, chosen, checked, augmented, digests)


def _combine(mattes: list[Matte]) -> Matte:
    """The first matte with the median alpha and mean foreground of all.

    A patch counts as refined if any matte refined it.
    """
    if len(mattes) == 1:
        return mattes[0]
    return replace(
        mattes[0],
        alpha=torch.stack([matte.alpha for matte in mattes]).median(dim=0).values,
        colour=MeanForeground(tuple(matte.colour for matte in mattes)),
        refined=torch.stack([matte.refined for matte in mattes]).amax(dim=0),
    )


def _mirror(matte: Matte) -> Matte:
    coarse = CoarseMatte(*(each.flip(-1) for each in matte.coarse))
    colour = MirroredForeground(matte.colour, matte.alpha.shape[3])
    return Matte(matte.alpha.flip(-1), colour, coarse, matte.refined.flip(-1))


def _check_rgb(name: str, image: np.ndarray | Tensor) -> None:
    allowed = _DTYPES if isinstance(image, np.ndarray) else (*FULL_CODES, torch.float32)
    if image.ndim not in (3, 4) or image.shape[-1] != 3 or image.dtype not in allowed:
        raise ValueError(
            f"{name} is {tuple(image.shape)} {image.dtype}; give RGB, (height, width, 3), as uint8, uint16 or float32"
        )
    if 0 in image.shape or min(image.shape[-3:-1]) < _MIN_SIDE:
        raise ValueError(f"{name} is {tuple(image.shape)}; both sides need at least {_MIN_SIDE} pixels")
    # Not checked on a device, where the host would wait for the result.
    if isinstance(image, np.ndarray) and image.dtype == np.float32 and not np.isfinite(image).all():
        raise ValueError(f"{name} has values that are not finite; repair the image")
