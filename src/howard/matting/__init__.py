"""The matting network: source and plate to alpha and foreground (Lin et al., CVPR 2021)."""

from howard.matting.baseline import BaselineNetwork
from howard.matting.coarse_network import CoarseMatte, CoarseNetwork
from howard.matting.encoder_weights import load_imagenet_encoder, load_pretrained
from howard.matting.network import Matte, MattingNetwork, coarse_scale
from howard.matting.person_maps import PersonMaps
from howard.matting.predictor import MattingPredictor, load_matting
from howard.matting.refiner import RefineSettings
from howard.matting.weights import WeightsMetadata, load_network, save_weights

__all__ = [
    "BaselineNetwork",
    "CoarseMatte",
    "CoarseNetwork",
    "Matte",
    "MattingNetwork",
    "MattingPredictor",
    "PersonMaps",
    "RefineSettings",
    "WeightsMetadata",
    "coarse_scale",
    "load_imagenet_encoder",
    "load_matting",
    "load_network",
    "load_pretrained",
    "save_weights",
]
