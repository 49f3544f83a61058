"""Filming persons in a place, and the place again without them: one batched code for stills and clips, any device."""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from howard.synthesis.camera_degradation import add_noise, blur, compress_clips, expose, quantise
from howard.synthesis.camera_parameters import TakeDraw
from howard.synthesis.foreground_layers import (
    DistractorCanvases,
    Layer,
    Occluded,
    blur_layer,
    composite,
    occlude,
    stack_people,
)
from howard.synthesis.motion_blur import blur_by_motion
from howard.synthesis.plate_rendering import film_plate
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.scene_lighting import add_contact_shadow, add_lamp, add_reflection, light_place
from howard.synthesis.scene_parameters import SceneDraw
from howard.synthesis.warping import frame_points, sample


class Canvases(NamedTuple):
    """Pictures cut for the frame, and where they lie in it; uint8, with 3x3 maps from frame pixels to canvas pixels.

    ``people`` (M, T, 4, h, w) holds foreground and alpha of every person of the batch, ``people_maps`` (M, T, 3, 3)
    and ``owner`` (M,) the number of its sample, ascending and from front to back. ``place`` (B, 4, h, w) holds the
    place and 255 where furniture hides a person, ``plate`` (B, 4, h, w) the same place for the plate and 255 where it
    was seen, ``place_maps`` (B, T, 3, 3) is for both. ``has_person_prior`` (B,) bool is False where the network is
    given no person prior and whatever only the shot has is the subject.
    """

    people: Tensor
    people_maps: Tensor
    owner: Tensor
    place: Tensor
    plate: Tensor
    place_maps: Tensor
    distractors: DistractorCanvases
    has_person_prior: Tensor


class Shoot(NamedTuple):
    """A batch as the workers hand it over."""

    canvases: Canvases
    draw: SceneDraw


class Sample(NamedTuple):
    """A batch of clips, float32 in [0, 1], sRGB-encoded, straight.

    But for noise and compression, source = mix(foreground, background, alpha).
    """

    source: Tensor  # (B, T, 3, H, W)
    plate: Tensor  # (B, T, 3, H, W), aligned as well as an aligner does; 0 where not covered
    coverage: Tensor  # (B, T, 1, H, W), 0 or 1
    alpha: Tensor  # (B, T, 1, H, W), the truth
    foreground: Tensor  # (B, T, 3, H, W), the truth where alpha > 0
    background: Tensor  # (B, T, 3, H, W), the place in the source, with the person's shadow
    distractor: Tensor  # (B, T, 1, H, W), where a distractor is in the shot or in the plate, without the subject
    has_person_prior: Tensor  # (B, T, 1, 1, 1), 1, or 0 where the network is given no person prior


@torch.no_grad()
def film(shoot: Shoot, frame: tuple[int, int], mixing: Literal["linear", "srgb"]) -> Sample:
    """Apply what was drawn to a batch of canvases.

    Args:
        shoot: B samples of T frames, on any device; every tensor of the draw begins with (B, T).
        frame: height and width of the samples.
        mixing: whether soft edges mix as light does, or as sRGB values.
    """
    canvases, draw = shoot
    batch, frames = canvases.place_maps.shape[:2]
    flat: SceneDraw = _join(draw)
    layer = _film_people(canvases, frame, batch * frames, mixing == "linear")
    layer = blur_by_motion(layer, flat.motion, mixing == "linear")
    layer, background, distractor = _film_place(canvases, frame, layer, mixing == "linear")
    unit = pixel_unit(frame)
    place_maps = canvases.place_maps.flatten(0, 1)
    plate = film_plate(_each_frame(canvases.plate, frames), place_maps, flat.plate, background, layer.alpha)
    background = _light(background, layer, flat)
    background = expose(blur(background, flat.source.blur, unit), flat.source.sensor.exposure)
    layer = blur_layer(layer, flat.person_blur, unit, mixing == "linear")
    layer = layer._replace(foreground=expose(layer.foreground, flat.source.sensor.exposure))
    source = _record(composite(layer, background, mixing == "linear"), flat.source, frames)
    image = blur(add_lamp(plate.image, flat.lighting, in_plate=True), flat.plate_take.blur, unit).clamp(0, 1)
    image = _record(expose(image, flat.plate_take.sensor.exposure), flat.plate_take, frames) * plate.coverage
    has_prior = canvases.has_person_prior.repeat_interleave(frames)[:, None, None, None].to(source.dtype)
    sample = Sample(
        source,
        image,
        plate.coverage,
        layer.alpha,
        layer.foreground,
        background,
        distractor * (1 - layer.alpha),
        has_prior,
    )
    return Sample(*(each.unflatten(0, (batch, frames)) for each in sample))


def _light(place: Tensor, layer: Layer, draw: SceneDraw) -> Tensor:
    """The place in the light of the shot, with what the person does to it."""
    place = add_lamp(light_place(place, layer, draw.light), draw.lighting, in_plate=False)
    place = add_contact_shadow(place, layer.alpha, draw.lighting)
    return add_reflection(place, layer, draw.lighting)


def _record(image: Tensor, draw: TakeDraw, frames: int) -> Tensor:
    """What sensor and codec leave of a picture."""
    image = quantise(add_noise(image, draw), draw.sensor.step)
    return compress_clips(image, draw.compression, draw.sensor.predicts, frames)


def _film_people(canvases: Canvases, frame: tuple[int, int], count: int, linear_light: bool) -> Layer:
    frames = canvases.place_maps.shape[1]
    points = frame_points(frame, canvases.place.device)
    people = sample(canvases.people.flatten(0, 1), canvases.people_maps.flatten(0, 1), points, "border")
    # Frame t of sample b is picture b T + t; persons stay in order within it.
    owner = canvases.owner[:, None] * frames + torch.arange(frames, device=canvases.owner.device)
    order = torch.argsort(owner.flatten(), stable=True)
    return stack_people(people[order], owner.flatten()[order], count, linear_light)


def _film_place(canvases: Canvases, frame: tuple[int, int], layer: Layer, linear_light: bool) -> Occluded:
    """The place, the persons without what its furniture and near objects hide of them, and where distractors are."""
    frames = canvases.place_maps.shape[1]
    points = frame_points(frame, canvases.place.device)
    seen = sample(_each_frame(canvases.place, frames), canvases.place_maps.flatten(0, 1), points, "reflection")
    place, furniture = seen.split((3, 1), dim=1)
    layer = layer._replace(alpha=layer.alpha * (1 - furniture))
    return occlude(canvases.distractors, canvases.place_maps, points, layer, place, linear_light)


def _each_frame(canvas: Tensor, frames: int) -> Tensor:
    return canvas if frames == 1 else canvas.repeat_interleave(frames, dim=0)


def _join(draw: Any) -> Any:
    """Draws with samples and frames in one dimension."""
    if isinstance(draw, Tensor):
        return draw.flatten(0, 1)
    return type(draw)(*(_join(each) for each in draw))
