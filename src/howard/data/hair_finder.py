"""Hair masks by the person prior's class for hair."""

from functools import lru_cache

import numpy as np
import torch

from howard.matting.person_prior import CLASSES, PersonPrior, load_person_prior
from howard.matting.prior_views import box_from_mask, crop_views, place_maps
from howard.synthesis import Person
from howard.synthesis.head import find_head

_HAIR = CLASSES.index("hair")
# Long side of the masks in pixels.
_LONGEST = 384
# Side of the view in head radii: head, shoulders and long hair, about as large as in the portraits the prior knows.
_VIEW = 7.0
# How far the view's centre lies below the head's, in head radii.
_BELOW = 1.2
# sRGB value behind the cut-out person that the prior is shown: between dark and bright hair.
_GREY = 0.5


@torch.no_grad()
def find_hair_by_prior(person: Person) -> np.ndarray:
    """A person's hair, (h, w) uint8 in [0, 255] over the whole picture, with a long side of at most 384 pixels.

    The prior sees the head and its surroundings, or the whole person where the silhouette shows no head.
    """
    alpha = torch.from_numpy(person.alpha / np.float32(255))[None, None]
    image = torch.from_numpy(person.foreground / np.float32(255)).permute(2, 0, 1)[None]
    head = find_head(person.alpha)
    if head is None:
        box = box_from_mask(alpha)
    else:
        left, top = head.centre + head.radius * np.array([-_VIEW / 2, _BELOW - _VIEW / 2])
        box = torch.tensor([[left, top, _VIEW * head.radius]], dtype=torch.float32)
    view = crop_views(alpha * image + (1 - alpha) * _GREY, box).contiguous(memory_format=torch.channels_last)
    probabilities = _prior()(view).logits.softmax(dim=1)[:, _HAIR : _HAIR + 1]
    height, width = person.alpha.shape
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    placed = place_maps(probabilities, box, size, (height / size[0], width / size[1]))
    return (255 * placed.maps[0, 0]).round().byte().numpy()


@lru_cache(maxsize=1)
def _prior() -> PersonPrior:
    return load_person_prior().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
