"""Training data: collections of people and places, their splits, and the data set of synthesised samples.

:class:`howard.data.datamodule.MattingDataModule` makes batches of them.
"""

from howard.data.image_files import read_image
from howard.data.people_collections import PersonClip, find_people
from howard.data.place_collections import Place, find_places

__all__ = ["PersonClip", "Place", "find_people", "find_places", "read_image"]
