"""Rendering batches of training samples from canvases and sampled parameters; stills and clips, on any device."""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from howard.synthesis.camera_degradation import (
    add_noise,
    apply_exposure,
    apply_lens_blur,
    compress_clips,
    quantise_levels,
)
from howard.synthesis.camera_parameters import CameraParameters
from howard.synthesis.foreground_layers import (
    DistractorCanvases,
    OcclusionResult,
    RGBALayer,
    blur_layer,
    composite,
    composite_occluders,
    stack_people,
)
from howard.synthesis.motion_blur import apply_motion_blur
from howard.synthesis.plate_rendering import render_plate
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.scene_lighting import add_contact_shadow, add_lamp, add_reflection, add_shadow_and_cast
from howard.synthesis.scene_parameters import SceneParameters
from howard.synthesis.warping import pixel_coordinates, sample_canvas


class BatchCanvases(NamedTuple):
    """Canvases of B samples, uint8, with 3x3 maps from frame pixels to canvas pixels.

    ``people`` (M, T, 4, h, w) holds RGB and alpha of all M persons of the batch, with maps ``people_maps``
    (M, T, 3, 3). ``owner`` (M,) is the index of each person's sample: ascending, and from front to back within a
    sample. ``place`` (B, 4, h, w) is the place, with 255 in the fourth channel where a static occluder is.
    ``plate`` (B, 4, h, w) is the place for the plate, with 255 where it is covered. ``place_maps`` (B, T, 3, 3) is for
    both. ``has_person_prior`` (B,) bool is False for samples without a person prior, in which all that only the shot
    shows is the subject.
    """

    people: Tensor
    people_maps: Tensor
    owner: Tensor
    place: Tensor
    plate: Tensor
    place_maps: Tensor
    distractors: DistractorCanvases
    has_person_prior: Tensor


class RawBatch(NamedTuple):
    """A batch as data workers prepare it: canvases and parameters to render it from."""

    canvases: BatchCanvases
    parameters: SceneParameters


class Sample(NamedTuple):
    """A rendered batch of clips: float32 in [0, 1], sRGB-encoded, straight (not premultiplied).

    Apart from noise and compression, source = mix(foreground, background, alpha).
    """

    source: Tensor  # (B, T, 3, H, W)
    plate: Tensor  # (B, T, 3, H, W), with the errors of an aligned plate; 0 where not covered
    coverage: Tensor  # (B, T, 1, H, W), 0 or 1
    alpha: Tensor  # (B, T, 1, H, W), ground truth
    foreground: Tensor  # (B, T, 3, H, W), ground truth where alpha > 0
    background: Tensor  # (B, T, 3, H, W), the place in the source, with the person's shadow
    distractor: Tensor  # (B, T, 1, H, W), where a distractor is in the shot or in the plate, outside the subject
    has_person_prior: Tensor  # (B, T, 1, 1, 1), 1, or 0 for a sample without a person prior


@torch.no_grad()
def render_batch(raw_batch: RawBatch, frame: tuple[int, int], mixing: Literal["linear", "srgb"]) -> Sample:
    """Render a batch: warp, composite, light and degrade.

    Args:
        raw_batch: B samples of T frames, on any device; the parameters are tensors of (B, T, ...).
        frame: height and width of the samples.
        mixing: whether soft edges are composited in linear light or in sRGB values.
    """
    canvases, parameters = raw_batch
    batch, frames = canvases.place_maps.shape[:2]
    flat: SceneParameters = _merge_batch_and_time(parameters)
    layer = _render_people(canvases, frame, batch * frames, mixing == "linear")
    layer = apply_motion_blur(layer, flat.motion, mixing == "linear")
    layer, background, distractor = _render_background(canvases, frame, layer, mixing == "linear")
    unit = pixel_unit(frame)
    place_maps = canvases.place_maps.flatten(0, 1)
    plate = render_plate(_each_frame(canvases.plate, frames), place_maps, flat.plate, background, layer.alpha)
    background = _light_background(background, layer, flat)
    background = apply_exposure(apply_lens_blur(background, flat.source.blur, unit), flat.source.sensor.exposure)
    layer = blur_layer(layer, flat.person_blur, unit, mixing == "linear")
    layer = layer._replace(foreground=apply_exposure(layer.foreground, flat.source.sensor.exposure))
    source = _apply_sensor_and_codec(composite(layer, background, mixing == "linear"), flat.source, frames)
    image = apply_lens_blur(add_lamp(plate.image, flat.lighting, in_plate=True), flat.plate_camera.blur, unit).clamp(
        0, 1
    )
    image = (
        _apply_sensor_and_codec(apply_exposure(image, flat.plate_camera.sensor.exposure), flat.plate_camera, frames)
        * plate.coverage
    )
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


def _light_background(place: Tensor, layer: RGBALayer, parameters: SceneParameters) -> Tensor:
    """Add lamp, shadows and reflection to the place of the shot."""
    place = add_lamp(add_shadow_and_cast(place, layer, parameters.shadow), parameters.lighting, in_plate=False)
    place = add_contact_shadow(place, layer.alpha, parameters.lighting)
    return add_reflection(place, layer, parameters.lighting)


def _apply_sensor_and_codec(image: Tensor, parameters: CameraParameters, frames: int) -> Tensor:
    """Add noise, quantise the values, and compress."""
    image = quantise_levels(add_noise(image, parameters), parameters.sensor.step)
    return compress_clips(image, parameters.compression, parameters.sensor.predicts, frames)


def _render_people(canvases: BatchCanvases, frame: tuple[int, int], count: int, linear_light: bool) -> RGBALayer:
    """Warp all persons into the frame and composite those of each of ``count`` images."""
    frames = canvases.place_maps.shape[1]
    points = pixel_coordinates(frame, canvases.place.device)
    people = sample_canvas(canvases.people.flatten(0, 1), canvases.people_maps.flatten(0, 1), points, "border")
    # Frame t of sample b is image b T + t; the stable sort keeps the persons of an image in order.
    owner = canvases.owner[:, None] * frames + torch.arange(frames, device=canvases.owner.device)
    order = torch.argsort(owner.flatten(), stable=True)
    return stack_people(people[order], owner.flatten()[order], count, linear_light)


def _render_background(
    canvases: BatchCanvases, frame: tuple[int, int], layer: RGBALayer, linear_light: bool
) -> OcclusionResult:
    """Warp the place into the frame, and hide the persons behind static occluders and near objects."""
    frames = canvases.place_maps.shape[1]
    points = pixel_coordinates(frame, canvases.place.device)
    warped = sample_canvas(_each_frame(canvases.place, frames), canvases.place_maps.flatten(0, 1), points, "reflection")
    place, static_occluder = warped.split((3, 1), dim=1)
    layer = layer._replace(alpha=layer.alpha * (1 - static_occluder))
    return composite_occluders(canvases.distractors, canvases.place_maps, points, layer, place, linear_light)


def _each_frame(canvas: Tensor, frames: int) -> Tensor:
    return canvas if frames == 1 else canvas.repeat_interleave(frames, dim=0)


def _merge_batch_and_time(parameters: Any) -> Any:
    """Merge the first two dimensions of all tensors of the parameters: (B, T, ...) -> (B T, ...)."""
    if isinstance(parameters, Tensor):
        return parameters.flatten(0, 1)
    return type(parameters)(*(_merge_batch_and_time(each) for each in parameters))
