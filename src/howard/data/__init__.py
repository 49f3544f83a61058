"""Collections of people and places, and their splits; :mod:`howard.data.datamodule` makes batches of them."""

from howard.data.people import PersonClip, find_people
from howard.data.pictures import read_picture
from howard.data.places import Place, find_places

__all__ = ["PersonClip", "Place", "find_people", "find_places", "read_picture"]
