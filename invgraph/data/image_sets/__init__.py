"""Data sets of many shapes in pictures: the files of SoftRas/NMR, the folders of Occupancy Networks and of DVR."""

from .choy import ChoyShapes
from .dvr import DvrShapes
from .image_set import ImageSet, open_image_set
from .nmr import NmrShapes
from .nmr_frame import nmr_cameras, nmr_voxels
from .nmr_pictures import nmr_pictures
from .nmr_writer import PicturesReport
from .pictured_meshes import PictureOptions, picture_meshes
from .splits import check_splits

__all__ = [
    "ChoyShapes",
    "DvrShapes",
    "ImageSet",
    "NmrShapes",
    "PictureOptions",
    "PicturesReport",
    "check_splits",
    "nmr_cameras",
    "nmr_pictures",
    "nmr_voxels",
    "open_image_set",
    "picture_meshes",
]
