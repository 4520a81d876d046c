"""Memory of commands that run for long."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of <malloc.h>
_NEVER, _NONE = -1, 0


def keep_freed_memory() -> None:
    """Let this process keep what it frees, where the C library can be told to.

    Steps of a training ask for the same large pieces again and again, gradients of the weights above all. glibc gives
    those back to the system, and taking them anew, page by page (11,000 of them), was a seventh of a step.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_MAX, _NONE)
            mallopt(_TRIM_THRESHOLD, _NEVER)
