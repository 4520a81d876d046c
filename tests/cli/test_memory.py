import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from invgraph.cli.memory import keep_freed_memory
{first}
np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what memory is kept is told to glibc")
def test_memory_that_is_freed_is_taken_again():
    taken = {}
    for first in ("", "keep_freed_memory()"):
        run = subprocess.run([sys.executable, "-c", FAULTS.format(first=first)], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        taken[first] = int(run.stdout)
    assert taken["keep_freed_memory()"] < 0.1 * taken[""]
