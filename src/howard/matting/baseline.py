"""A plain U-Net over source and plate, for comparison: no pretrained encoder, no ASPP, no error map, no refiner.

After O. Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015, with batch
norm, and bilinear upsampling as in the matting network's decoder.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.coarse_network import CoarseMatte
from howard.matting.code_values import check_same_shape, resize
from howard.matting.matte import Matte, NetworkForeground
from howard.matting.network_operations import concat_channels
from howard.matting.person_maps import PersonMaps
from howard.matting.refiner import RefineSettings, coarse_only

_OUTPUTS = 1 + 3  # alpha, residual


class BaselineNetwork(nn.Module):
    """Predicts alpha and foreground residual; called as :class:`howard.matting.MattingNetwork`.

    Args:
        widths: channels at strides 1, 2, 4, ... of the coarse resolution.
    """

    extra_inputs: tuple[str, ...] = ()
    refiner = None

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 256)) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(_two_convolutions(before, after) for before, after in pairwise((6, *widths)))
        steps = [_two_convolutions(below + skip, skip) for skip, below in pairwise(widths)]
        self.decoder = nn.ModuleList([*steps[::-1], nn.Conv2d(widths[0], _OUTPUTS, 1)])

    def forward(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None = None,
        person: PersonMaps | None = None,
        *,
        coarse_scale: float,
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
    ) -> Matte:
        """Matte a batch: the coarse matte, upsampled. Coverage, person maps and refine settings are ignored.

        Shapes as :meth:`howard.matting.MattingNetwork.forward`.

        Raises:
            ValueError: shapes of source and plate differ.
        """
        check_same_shape(source, plate)
        height, width = source.shape[2:]
        coarse = self.coarse_matte(source, plate, coverage, person, coarse_scale=coarse_scale)
        upsampled = coarse_only(coarse, source.shape[2:])
        return Matte(upsampled.alpha, NetworkForeground(source, upsampled, (height, width)), coarse, upsampled.patches)

    def coarse_matte(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None,
        person: PersonMaps | None = None,
        *,
        coarse_scale: float,
    ) -> CoarseMatte:
        """The matte at 1 / ``coarse_scale`` of the image size; its error map is 0 and it has no hidden features."""
        size = max(1, round(source.shape[2] / coarse_scale)), max(1, round(source.shape[3] / coarse_scale))
        source, plate = resize(source, size), resize(plate, size)
        *steps, last = self.decoder
        x, skips = concat_channels(source, plate).to(next(self.parameters()).dtype), []
        for index, level in enumerate(self.encoder):
            x = level(x if index == 0 else F.max_pool2d(x, 2, ceil_mode=True))
            skips.append(x)
        for step, skip in zip(steps, skips[-2::-1], strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = step(concat_channels(x, skip))
        alpha, residual = last(x).to(source.dtype).split([1, 3], dim=1)
        zeros = source.new_zeros(len(source), 1, *source.shape[2:])
        return CoarseMatte(alpha.clamp(0, 1), residual, (source + residual).clamp(0, 1), zeros, zeros[:, :0])


def _two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        layers += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
