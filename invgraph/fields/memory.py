"""How much memory is left, to refuse what cannot fit before it is tried."""

from __future__ import annotations

import os
from pathlib import Path


def available_memory() -> int | None:
    """Bytes that this process can still take: free or reclaimable, within the limit of its container; None: unknown."""
    found = [_unused_by_system(), _unused_by_group()]
    return min((n for n in found if n is not None), default=None)


def _unused_by_system() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    try:  # not Linux: all memory is the best guess there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _unused_by_group() -> int | None:
    """What the control group (version 2, as containers have it) leaves; None where it has no limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return None if limit == "max" else max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return None
