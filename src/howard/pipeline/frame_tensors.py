"""One frame on the network's device: its pictures, uploaded once, its matte and the solved edges."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.align import AlignedPlate
from howard.compositing.edges import ColourReader, Edges, keep_network, solve_edges
from howard.compositing.transfer import upload
from howard.errors import SettingsError
from howard.matting.lazy_foreground import LazyForeground
from howard.pipeline.frames import AlignedFrame, MattedFrame
from howard.pipeline.people import find_people
from howard.pipeline.predictor import Predictor, as_array


class FrameTensors(NamedTuple):
    """``source`` and ``plate``, aligned to it, are (1, H, W, 3) code values; ``coverage`` is (1, H, W, 1) in [0, 1]."""

    source: Tensor
    plate: Tensor
    coverage: Tensor


def upload_frame(source: np.ndarray, plate: AlignedPlate, device: torch.device | str = "cpu") -> FrameTensors:
    """Bring a source (H, W, 3) and its plate to a device; a plate that was rendered there stays."""
    image, coverage = (
        part if isinstance(part, Tensor) else upload(part, device)
        for part in (plate.device_image, plate.device_coverage)
    )
    return FrameTensors(upload(source, device)[None], image[None], coverage[None, ..., None])


@contextmanager
def explain_memory(device: object, size: tuple[int, int]) -> Iterator[None]:
    """Say in one line that frames of a size, height and width, do not fit into a device's memory.

    Raises SettingsError in place of torch's OutOfMemoryError.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise SettingsError(
            f"frames of {size[1]}x{size[0]} do not fit into the memory of device={device}; close what else "
            "uses it, use precision=fp16, or device=cpu"
        ) from error


@torch.inference_mode()
def matte_frame(aligned: AlignedFrame, predictor: Predictor, subject: str = "person") -> MattedFrame:
    """The matte of a frame by the network; ``subject`` is one of :data:`howard.choices.SUBJECTS`."""
    device = torch.device(str(predictor.device))
    with explain_memory(device, aligned.source.image.shape[:2]):
        return _matte_frame(aligned, predictor, subject, device)


def _matte_frame(aligned: AlignedFrame, predictor: Predictor, subject: str, device: torch.device) -> MattedFrame:
    source, plate = aligned.source, aligned.plate
    tensors = upload_frame(source.image, plate, device)
    pictures: tuple[Any, ...]
    if device.type == "cpu":
        pictures = source.image, plate.image, plate.coverage
    else:
        pictures = tensors.source[0], tensors.plate[0], tensors.coverage[0, ..., 0]
    person = find_people(predictor, pictures[0], plate.changed, subject)
    matte = predictor(*pictures) if person is None else predictor(*pictures, person=person)
    alpha = torch.as_tensor(matte.alpha).movedim(1, 3).contiguous()
    return MattedFrame(source, plate, matte, tensors, alpha, person, aligned.plate_damaged, aligned.explain)


@torch.inference_mode()
def solve_frame(frame: MattedFrame, edges: str = "solved", *, linear_light: bool = True) -> Edges:
    """The soft edges of a frame; ``edges`` is one of `howard.choices.EDGES`, ``linear_light`` as in `solve_matte`."""
    solved = solve_matte(frame.tensors, frame.matte, frame.person, edges=edges, linear_light=linear_light)
    # Masks have the last word: a solver that saw masked alpha would bring the person back at their edges.
    return solved if frame.mask is None else solved._replace(alpha=frame.mask(solved.alpha))


def solve_matte(
    tensors: FrameTensors,
    matte: Any,
    person: Any = None,
    *,
    edges: str = "solved",
    linear_light: bool = True,
) -> Edges:
    """The soft edges of a batch of mattes.

    Args:
        tensors: the pictures.
        matte: as :class:`howard.pipeline.predictor.MatteTensors`, on the same device, or numpy.
        person: the person prior's maps that the network was given; None if the subject may be anything.
        edges: one of `howard.choices.EDGES`.
        linear_light: whether soft pixels mix in linear light, or in encoded values.
    """
    alpha, foreground = torch.as_tensor(matte.alpha).movedim(1, 3).contiguous(), _foreground_of(matte)
    refined = torch.as_tensor(matte.refined)
    if edges == "network":
        return keep_network(alpha, foreground, refined, linear_light=linear_light)
    prior = None if person is None else person.person()
    return solve_edges(*tensors, alpha, foreground, refined, prior, linear_light=linear_light)


def _foreground_of(matte: Any) -> Tensor | ColourReader:
    """The foreground of a matte, (B, H, W, 3), or what reads those of its patches that are asked for."""
    colour = getattr(matte, "colour", None)
    if not isinstance(colour, LazyForeground):
        return torch.as_tensor(matte.foreground).movedim(1, 3)
    return lambda patches: colour.patches(*patches[:3]).flatten(1, 2).permute(2, 0, 1)


@torch.inference_mode()
def solve_pictures(
    predictor: Predictor, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None, matte: Any, person: Any
) -> Edges:
    """The soft edges of pictures, (B, H, W, 3), that a predictor matted; other arguments as :func:`solve_matte`.

    ``coverage`` is (B, H, W) in [0, 1]; None means everywhere.
    """
    device = torch.device(str(predictor.device))
    covered = np.ones(source.shape[:-1], np.float32) if coverage is None else coverage
    images, behind, cover = (upload(each, device) for each in (source, plate, covered.astype(np.float32, copy=False)))
    tensors = FrameTensors(images, behind, cover[..., None])
    return solve_matte(tensors, matte, person, linear_light=predictor.metadata.mixing == "linear")


@torch.inference_mode()
def matte_picture(
    predictor: Predictor,
    source: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray | None,
    mask: np.ndarray | None,
    *,
    edges: str = "solved",
) -> np.ndarray:
    """The final alpha of one picture, (H, W) in [0, 1]: network, person prior and solved edges.

    Args:
        predictor: what mattes it.
        source: (H, W, 3) RGB.
        plate: of the same size, aligned to it.
        coverage: (H, W) in [0, 1]; None means everywhere.
        mask: as in :func:`howard.pipeline.people.find_people`.
        edges: one of `howard.choices.EDGES`.
    """
    person = find_people(predictor, source, mask)
    matte = predictor(source, plate, coverage) if person is None else predictor(source, plate, coverage, person=person)
    if edges == "network":
        return as_array(matte.alpha)[0, 0]
    pictures = source[None], plate[None], None if coverage is None else coverage[None]
    return solve_pictures(predictor, *pictures, matte, person).alpha[0, ..., 0].cpu().numpy()
