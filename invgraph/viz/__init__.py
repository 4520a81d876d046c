"""Looking at results: shaded pictures, error overlays, contact sheets, their files, the turntable video, the report."""

from .chart_file import save_chart
from .files import save_picture
from .overlay import overlay
from .report import ViewPictures, write_report
from .shading import shade, shaded
from .sheet import contact_sheet
from .turntable import guess_up, orbit_cameras, turntable

__all__ = [
    "ViewPictures",
    "contact_sheet",
    "guess_up",
    "orbit_cameras",
    "overlay",
    "save_chart",
    "save_picture",
    "shade",
    "shaded",
    "turntable",
    "write_report",
]
