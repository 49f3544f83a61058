"""The codec: JPEG's own tables for stills, differences from frame to frame for clips."""

import cv2
import numpy as np
import torch

from howard.synthesis.camera_degradation import compress, compress_clips

SIZE = (48, 64)


def picture(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def a_clip(frames: int) -> torch.Tensor:
    """A smooth pattern that moves a pixel a frame, (frames, 3, H, W)."""
    waves = 0.5 + 0.3 * torch.sin(torch.linspace(0, 9, SIZE[1]) + torch.linspace(0, 3, SIZE[0])[:, None])
    return torch.stack([waves.roll(time, dims=1).expand(3, -1, -1) for time in range(frames)])


def test_compression_grows_with_its_strength_and_spares_what_was_not_drawn() -> None:
    rows = torch.linspace(0, 3, SIZE[0])[:, None]
    image = (0.5 + 0.3 * torch.sin(rows + torch.linspace(0, 9, SIZE[1]))).expand(4, 3, *SIZE) * 0.9 + 0.1 * picture(4)
    coded = compress(image, torch.tensor([0.0, 0.02, 0.5, 2.0]))
    errors = (coded - image).abs().mean(dim=(1, 2, 3)).tolist()
    assert errors[0] == 0
    assert errors == sorted(errors)
    assert errors[2] < 0.08


def test_compression_of_grey_agrees_with_jpeg() -> None:
    """At quality 50 the tables are JPEG's own."""
    image = cv2.GaussianBlur(picture()[0, 0].numpy(), (0, 0), 2)
    image = ((image - image.min()) / np.ptp(image)).astype(np.float32)
    _, code = cv2.imencode(".jpg", np.round(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])
    expected = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE) / 255
    coded = compress(torch.from_numpy(image).expand(1, 3, *SIZE), torch.ones(1))[0, 0].numpy()
    ours, theirs = (np.abs(each - image).mean() for each in (coded, expected))
    assert 0.8 < ours / theirs < 1.25


def test_sides_need_not_be_multiples_of_a_block() -> None:
    image = picture()[..., :37, :51]
    assert compress(image, torch.ones(1)).shape == image.shape


def test_a_clip_that_is_not_predicted_is_compressed_frame_by_frame() -> None:
    clip, strength = a_clip(3), torch.full((3,), 0.7)
    assert torch.equal(compress_clips(clip, strength, torch.zeros(3), 3), compress(clip, strength))


def test_the_first_frame_is_a_still_and_stills_are_not_predicted() -> None:
    clip, strength, yes = a_clip(4), torch.full((4,), 0.7), torch.ones(4)
    torch.testing.assert_close(compress_clips(clip, strength, yes, 4)[0], compress(clip, strength)[0])
    assert torch.equal(compress_clips(clip, strength, yes, 1), compress(clip, strength))


def test_differences_are_quantised_by_the_same_steps() -> None:
    """However long the clip, errors stay those of one quantisation: they do not add up."""
    clip, strength = a_clip(12), torch.full((12,), 0.5)
    coded = compress_clips(clip, strength, torch.ones(12), 12)
    errors = (coded - clip).abs().mean(dim=(1, 2, 3))
    still = (compress(clip, strength) - clip).abs().mean()
    assert errors[1:].max() < 2.5 * still
    assert not torch.allclose(coded[1:], compress(clip, strength)[1:])


def test_what_changes_too_little_is_not_coded() -> None:
    clip = a_clip(1).repeat(3, 1, 1, 1) + 0.002 * picture(3)
    coded = compress_clips(clip, torch.full((3,), 2.0), torch.ones(3), 3)
    assert torch.equal(coded[2], coded[1])


def test_only_the_chosen_clips_are_predicted() -> None:
    clips, strength = torch.cat([a_clip(3), a_clip(3).flip(3)]), torch.tensor([0.7] * 3 + [0.5] * 3)
    coded = compress_clips(clips, strength, torch.tensor([0.0] * 3 + [1.0] * 3), 3)
    assert torch.equal(coded[:3], compress(clips, strength)[:3])
    alone = compress_clips(clips[3:], strength[3:], torch.ones(3), 3)
    torch.testing.assert_close(coded[3:], alone, atol=1e-6, rtol=0)
