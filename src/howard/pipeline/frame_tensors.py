"""One frame on the network's device: its images, uploaded once, its matte and its soft edges."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.align import AlignedPlate
from howard.compositing.edges import ColourReader, EdgeAlpha, Edges, keep_network, solve_edges
from howard.compositing.temporal_filter import filter_alpha
from howard.compositing.transfer import upload
from howard.errors import SettingsError
from howard.matting.matte import LazyForeground, Matte
from howard.pipeline.pipeline_types import AlignedFrame, MattedFrame, Predictor, to_numpy


class FrameTensors(NamedTuple):
    """``source`` and ``plate`` (aligned to it) are (1, H, W, 3) code values; ``coverage`` is (1, H, W, 1) in [0, 1]."""

    source: Tensor
    plate: Tensor
    coverage: Tensor


def upload_frame(source: np.ndarray, plate: AlignedPlate, device: torch.device | str = "cpu") -> FrameTensors:
    """Copy a source (H, W, 3) and its plate to a device; a plate that was rendered on the device is not copied."""
    image, coverage = (
        part if isinstance(part, Tensor) else upload(part, device)
        for part in (plate.device_image, plate.device_coverage)
    )
    return FrameTensors(upload(source, device)[None], image[None], coverage[None, ..., None])


@contextmanager
def explain_out_of_memory(device: object, size: tuple[int, int]) -> Iterator[None]:
    """Raise SettingsError with frame size (height, width), device and cure in place of torch's OutOfMemoryError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise SettingsError(
            f"frames of {size[1]}x{size[0]} do not fit into the memory of device={device}; close what else "
            "uses it, use precision=fp16, or device=cpu"
        ) from error


def predict_person(predictor: Predictor, source: Any, mask: np.ndarray | None, subject: str = "person") -> Any:
    """The person prior's maps of a source image; None if the subject may be anything or there is no person prior.

    Args:
        predictor: mattes the frame.
        source: (H, W, 3) RGB, as the predictor takes it.
        mask: (h, w) bool of any size, where the source differs from the plate and a person may be; None means anywhere.
        subject: one of :data:`howard.choices.SUBJECTS`.
    """
    if subject != "person" or predictor.find_people is None:
        return None
    return predictor.find_people(source, mask)


@torch.inference_mode()
def matte_frame(aligned: AlignedFrame, predictor: Predictor, subject: str = "person") -> MattedFrame:
    """Run the network on an aligned frame; ``subject`` is one of :data:`howard.choices.SUBJECTS`.

    Raises SettingsError if the frame does not fit into the device's memory.
    """
    device = torch.device(str(predictor.device))
    with explain_out_of_memory(device, aligned.source.image.shape[:2]):
        return _matte_frame(aligned, predictor, subject, device)


def _matte_frame(aligned: AlignedFrame, predictor: Predictor, subject: str, device: torch.device) -> MattedFrame:
    source, plate = aligned.source, aligned.plate
    tensors = upload_frame(source.image, plate, device)
    images: tuple[Any, ...]
    if device.type == "cpu":
        images = source.image, plate.image, plate.coverage
    else:
        images = tensors.source[0], tensors.plate[0], tensors.coverage[0, ..., 0]
    person = predict_person(predictor, images[0], plate.changed, subject)
    matte = predictor(*images) if person is None else predictor(*images, person=person)
    alpha = torch.as_tensor(matte.alpha).movedim(1, 3).contiguous()
    return MattedFrame(source, plate, matte, tensors, alpha, person, aligned.plate_damaged, aligned.explain)


@torch.inference_mode()
def solve_frame_edges(frame: MattedFrame, edges: str = "solved", *, linear_light: bool = True) -> Edges:
    """Alpha and foreground of a frame, filtered with its neighbours, and with its masks applied.

    ``edges`` and ``linear_light``, as for :func:`solve_matte_alpha`, have no effect on a frame with ``edge_alpha``.
    """
    solution = frame.edge_alpha or solve_frame_alpha(frame, edges, linear_light=linear_light)
    planes = None
    if frame.neighbours:
        planes = filter_alpha(frame.tensors.source, solution.planes, solution.patches, frame.neighbours)
    solved = solution.finish(planes)
    # Masks come last: given masked alpha, the solver would restore the person at the masks' edges.
    return solved if frame.mask is None else solved._replace(alpha=frame.mask(solved.alpha))


@torch.inference_mode()
def solve_frame_alpha(frame: MattedFrame, edges: str = "solved", *, linear_light: bool = True) -> EdgeAlpha:
    """Alpha of a frame with soft edges solved, without filter and masks; arguments as for `solve_matte_alpha`."""
    return solve_matte_alpha(frame.tensors, frame.matte, frame.person, edges=edges, linear_light=linear_light)


def solve_matte_alpha(
    tensors: FrameTensors,
    matte: Any,
    person: Any = None,
    *,
    edges: str = "solved",
    linear_light: bool = True,
) -> EdgeAlpha:
    """Alpha of a batch of mattes, with the soft edges solved.

    Args:
        tensors: source, plate and coverage.
        matte: a :class:`howard.pipeline.pipeline_types.MatteTensors` on the same device, or of arrays.
        person: the person prior's maps that the network was given; None if the subject may be anything.
        edges: one of `howard.choices.EDGES`.
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    alpha, foreground = torch.as_tensor(matte.alpha).movedim(1, 3).contiguous(), foreground_of(matte)
    refined = torch.as_tensor(matte.refined)
    if edges == "network":
        return keep_network(alpha, foreground, refined, linear_light=linear_light)
    prior = None if person is None else person.person()
    return solve_edges(*tensors, alpha, foreground, refined, prior, linear_light=linear_light)


def foreground_of(matte: Any) -> Tensor | ColourReader:
    """A matte's foreground, (B, H, W, 3), or a function that computes it for requested patches only."""
    if not isinstance(matte, Matte) or not isinstance(matte.colour, LazyForeground):
        return torch.as_tensor(matte.foreground).movedim(1, 3)
    colour = matte.colour
    return lambda patches: colour.patches(*patches[:3]).flatten(1, 2).permute(2, 0, 1)


@torch.inference_mode()
def solve_image_edges(
    predictor: Predictor, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None, matte: Any, person: Any
) -> Edges:
    """Alpha and foreground of a matte of arrays: source and plate (B, H, W, 3) that ``predictor`` matted.

    ``coverage`` is (B, H, W) in [0, 1]; None means covered everywhere.
    """
    device = torch.device(str(predictor.device))
    covered = np.ones(source.shape[:-1], np.float32) if coverage is None else coverage
    images, behind, cover = (upload(each, device) for each in (source, plate, covered.astype(np.float32, copy=False)))
    tensors = FrameTensors(images, behind, cover[..., None])
    return solve_matte_alpha(tensors, matte, person, linear_light=predictor.metadata.mixing == "linear").finish()


@torch.inference_mode()
def matte_image(
    predictor: Predictor,
    source: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray | None,
    mask: np.ndarray | None,
    *,
    edges: str = "solved",
) -> np.ndarray:
    """The final alpha of one image, (H, W) in [0, 1]: person prior, network and solved edges.

    Args:
        predictor: mattes it.
        source: (H, W, 3) RGB.
        plate: of the same size, aligned to the source.
        coverage: (H, W) in [0, 1]; None means covered everywhere.
        mask: as for :func:`predict_person`.
        edges: one of `howard.choices.EDGES`.
    """
    person = predict_person(predictor, source, mask)
    matte = predictor(source, plate, coverage) if person is None else predictor(source, plate, coverage, person=person)
    if edges == "network":
        return to_numpy(matte.alpha)[0, 0]
    images = source[None], plate[None], None if coverage is None else coverage[None]
    return solve_image_edges(predictor, *images, matte, person).alpha[0, ..., 0].cpu().numpy()
