"""After alignment a frame runs on its device without the host waiting for it: warp, prior, network, edges, packing.

The meta device holds no values, so whatever asks for one fails there. It lets devices mix, however, and copies to the
host would go unnoticed: a dispatch mode watches for both. What mixes types is found on the CPU in bf16.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from howard.align import AlignedPlate, AlignmentStatus, PlateAligner
from howard.align.pictures import size_of
from howard.align.torch_renderer import TorchRenderer
from howard.compositing.edge_controls import EdgeControls
from howard.compositing.temporal_filter import MovedFrame
from howard.matting import MattingPredictor, WeightsMetadata
from howard.media import Frame, to_depth
from howard.pipeline import AlignedFrame
from howard.pipeline.frame_finisher import ComposeSettings, compose_tensors, make_layers
from howard.pipeline.frame_tensors import matte_frame, solve_frame_edges

METADATA = WeightsMetadata("efficientnet_lite0", 16, (16, 12, 8), ("coverage",), person_prior=True)
ALL_LAYERS = ("matte", "foreground", "plate", "coverage", "shadow", "confidence")
# Operations whose result, or its shape, the host has to wait for.
WAITING = {
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "equal",
    "is_nonzero",
    "unique_dim",
    "_unique2",
    "bincount",
    "repeat_interleave",
}


class Watch(TorchDispatchMode):
    """Fails where tensors of two devices meet, or where the host waits for a device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        # A number is a tensor on the CPU without dimensions, and goes with any other.
        devices = {tensor.device.type for tensor in given if tensor.dim() or tensor.device.type != "cpu"}
        result = func(*args, **kwargs)
        if "meta" not in devices:
            made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
            is_upload = name in ("_to_copy", "to") and made[0].device.type == "meta"
            assert not is_upload or kwargs.get("non_blocking"), "an upload is waited for"
            return result
        assert devices == {"meta"} or name == "copy_", f"{name} is given tensors of {devices}"
        assert name not in WAITING, f"{name} waits for the device"
        if name in ("index", "index_put", "index_put_"):
            indices = [each for each in args[1] if isinstance(each, Tensor)]
            assert all(each.dtype != torch.bool for each in indices), "indexing by a mask waits for the device"
        for made in tree_leaves(result):
            assert not isinstance(made, Tensor) or made.device.type == "meta", f"{name} brings a tensor to the host"
        return result


class Scene(NamedTuple):
    """A source, and the layers and weights of its aligned plate."""

    source: np.ndarray
    layers: list[Any]
    weights: list[np.ndarray]
    changed: np.ndarray | None


@lru_cache
def align_scene(height: int, width: int) -> Scene:
    """A room seen three times, and somebody in front of it."""
    numbers = np.random.default_rng(0)
    noise = numbers.integers(0, 256, (height // 6 + 20, width // 6 + 20, 3), dtype=np.uint8)
    place = cv2.resize(noise, (width + 80, height + 80), interpolation=cv2.INTER_CUBIC)
    views = [place[40 + shift : 40 + shift + height, 30 + shift : 30 + shift + width] for shift in (0, 3, 9)]
    source = views[0].copy()
    source[height // 4 :, width // 3 : width // 2] = (200, 120, 80)
    pictures = [np.ascontiguousarray(view) for view in (source, *views[1:])]
    shot, *frames = (Frame(picture, at, at + 1, Fraction(at)) for at, picture in enumerate(pictures))
    layers = PlateAligner(frames, quality="best").fit(shot)
    return Scene(shot.image, layers, [np.ones((4, 6), np.float32)] * len(layers), layers[0].comparison.person)


def make_scene(height: int, width: int, dtype: type) -> Scene:
    """The scene in pictures of a type."""
    scene = align_scene(height, width)
    layers = [layer._replace(frame=to_depth(layer.frame, dtype)) for layer in scene.layers]
    return scene._replace(source=to_depth(scene.source, dtype), layers=layers)


def run_frame(scene: Scene, predictor: MattingPredictor, device: str, **settings: Any) -> dict[str, Tensor]:
    """The path of a frame on a device: everything that is brought down in the end."""
    renderer = TorchRenderer(device, 2**28)
    rendered = renderer.render(scene.layers, scene.weights, size_of(scene.source), scene.source.dtype)
    numbers = np.eye(3), (0,), (1.0,), np.ones(3), np.zeros(3), 100, 0.3, AlignmentStatus.GOOD
    plate = AlignedPlate(rendered.image, rendered.coverage, *numbers, changed=scene.changed)
    frame = matte_frame(AlignedFrame(Frame(scene.source, 0, 1, Fraction(0)), plate), predictor)
    grid = torch.zeros(1, 9, 16, 2, device=device)
    neighbour = MovedFrame(frame.tensors.source, frame.alpha, grid, grid[..., :1])
    edges = solve_frame_edges(frame._replace(neighbours=(neighbour,)))
    asked = ComposeSettings(depths=(np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)), **settings)
    return compose_tensors(frame.tensors, edges, asked) | make_layers(frame, ALL_LAYERS, edges, linear_light=True)


@pytest.mark.parametrize(
    ("height", "width", "dtype"), [(180, 320, np.uint8), (301, 203, np.uint16), (301, 203, np.float32)]
)
def test_a_frame_runs_without_waiting_for_the_device(height: int, width: int, dtype: type) -> None:
    scene = make_scene(height, width, dtype)
    predictor = MattingPredictor(METADATA.build(), METADATA, torch.device("meta"))
    with Watch():
        made = run_frame(scene, predictor, "meta", controls=EdgeControls(1.5, 0.1, 0.9, 2.0, 0.5))
        made |= {f"plain {name}": each for name, each in run_frame(scene, predictor, "meta").items()}
    assert all(each.device.type == "meta" for each in made.values())
    assert made["rgba uint8"].shape == made["plain rgba uint8"].shape == (height, width, 4)
    assert made["shadow"].shape == (height, width, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_same_path_mixes_no_types_in_half_precision(dtype: type) -> None:
    torch.manual_seed(0)
    scene = make_scene(301, 203, dtype)
    predictor = MattingPredictor(METADATA.build(), METADATA, torch.device("cpu"), "bf16")
    made = run_frame(scene, predictor, "cpu")
    assert made["rgba uint8"].dtype == (torch.float32 if dtype == np.float32 else torch.uint8)
    assert all(bool(torch.isfinite(each.float()).all()) for each in made.values())


@pytest.mark.parametrize(
    "wait",
    [
        lambda tensor: tensor.nonzero(),
        lambda tensor: tensor.cpu(),
        lambda tensor: tensor[tensor > 0],
        lambda tensor: tensor + torch.ones(3),
        lambda tensor: torch.ones(3).to("meta"),
        lambda tensor: tensor.sum().item(),
    ],
)
def test_the_watch_notices(wait: Any) -> None:
    tensor = torch.ones(3, device="meta")
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError)), Watch():
        wait(tensor)


DEVICES = [
    name for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if there
]


@pytest.mark.skipif(not DEVICES, reason="no GPU is at hand")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_device_gives_what_the_cpu_gives(device: str, dtype: type) -> None:
    torch.manual_seed(0)
    scene, network = make_scene(301, 480, dtype), METADATA.build()
    here, there = (
        run_frame(scene, MattingPredictor(network, METADATA, torch.device(name)), name) for name in ("cpu", device)
    )
    for name, expected in here.items():
        full = {torch.uint8: 255, torch.int32: 65535}.get(expected.dtype, 1)
        difference = (there[name].cpu().double() - expected.double()).abs().max() / full
        assert float(difference) <= 1 / 255 + 1e-6, name
