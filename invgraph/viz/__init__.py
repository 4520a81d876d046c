"""Looking at results: shaded pictures, error overlays, contact sheets, their files, the turntable video, the pages."""

from .chart_file import save_chart
from .files import save_picture
from .gallery import Card, Group, Panel, Table, write_gallery
from .overlay import overlay
from .report import ViewPictures, write_report
from .scatter import class_colors, scatter
from .shading import shade, shaded
from .sheet import contact_sheet
from .turntable import guess_up, orbit_cameras, turntable

__all__ = [
    "Card",
    "Group",
    "Panel",
    "Table",
    "ViewPictures",
    "class_colors",
    "contact_sheet",
    "guess_up",
    "orbit_cameras",
    "overlay",
    "save_chart",
    "save_picture",
    "scatter",
    "shade",
    "shaded",
    "turntable",
    "write_gallery",
    "write_report",
]
