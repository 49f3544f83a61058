"""Hair masks by the person prior's class for hair."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from howard.matting.person_prior import CLASSES, PersonPrior, load_person_prior
from howard.matting.prior_views import box_from_mask, crop_views, place_maps
from howard.synthesis import Person
from howard.synthesis.placement import find_head

_HAIR = CLASSES.index("hair")
# Long side of the masks in pixels.
_LONGEST = 384
# Side of the view in head radii: head, shoulders and long hair, about as large as in the portraits the prior knows.
_VIEW = 7.0
# How far the view's centre lies below the head's, in head radii.
_BELOW = 1.2
# sRGB value behind the cut-out person that the prior is shown: between dark and bright hair.
_GREY = 0.5


def find_hair_by_prior(person: Person) -> np.ndarray:
    """A person's hair, (h, w) uint8 in [0, 255] over the whole picture, with a long side of at most 384 pixels.

    The prior sees the head and its surroundings, or the whole person where the silhouette shows no head.
    """
    return find_hair_of_many([person], torch.device("cpu"))[0]


@torch.no_grad()
def find_hair_of_many(people: Sequence[Person], device: torch.device) -> list[np.ndarray]:
    """The same for several people, by one pass of the prior on a device."""
    views, boxes = zip(*(_view(person, device) for person in people), strict=True)
    batch = torch.cat(views).contiguous(memory_format=torch.channels_last)
    probabilities = _prior(device)(batch).logits.softmax(dim=1)[:, _HAIR : _HAIR + 1]
    return [_place(*each) for each in zip(probabilities.split(1), boxes, people, strict=True)]


def _view(person: Person, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """What the prior is shown of a person, (1, 3, 256, 256) in [0, 1], and the box it lies in, (1, 3)."""
    alpha = torch.tensor(person.alpha, device=device)[None, None].float() / 255
    image = torch.tensor(person.foreground, device=device).permute(2, 0, 1)[None].float() / 255
    head = find_head(person.alpha)
    if head is None:
        box = box_from_mask(alpha)
    else:
        left, top = head.centre + head.radius * np.array([-_VIEW / 2, _BELOW - _VIEW / 2])
        box = torch.tensor([[left, top, _VIEW * head.radius]], dtype=torch.float32, device=device)
    return crop_views(alpha * image + (1 - alpha) * _GREY, box), box


def _place(probabilities: torch.Tensor, box: torch.Tensor, person: Person) -> np.ndarray:
    """The view's probabilities over the whole picture."""
    height, width = person.alpha.shape
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    placed = place_maps(probabilities, box, size, (height / size[0], width / size[1]))
    return (255 * placed.maps[0, 0]).round().byte().cpu().numpy()


@lru_cache(maxsize=2)
def _prior(device: torch.device) -> PersonPrior:
    return load_person_prior().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
