"""The multi-view loop: from a starting shape and calibrated masks to a mesh."""

from .._callable import make_callable
from ..checkpoint import load_checkpoint, save_checkpoint
from .initial import InitialMesh, initial_mesh, sphere_in_view
from .loop import fit
from .options import FitOptions
from .progress import Callback, ProgressBar, StageStart, Step, TensorBoard
from .result import FitResult, peak_memory_mb, score_views
from .run import NonFiniteError
from .schedule import Stage, schedule

__all__ = [
    "Callback",
    "FitOptions",
    "FitResult",
    "InitialMesh",
    "NonFiniteError",
    "ProgressBar",
    "Stage",
    "StageStart",
    "Step",
    "TensorBoard",
    "fit",
    "initial_mesh",
    "load_checkpoint",
    "peak_memory_mb",
    "save_checkpoint",
    "schedule",
    "score_views",
    "sphere_in_view",
]

make_callable(__name__, fit)
