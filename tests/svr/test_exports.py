"""What the room shows, and that showing it costs nothing."""

import subprocess
import sys


def test_names_are_there_and_training_is_imported_at_first_use():
    script = (
        "import sys, invgraph.svr as svr\n"
        "late = {'lightning', 'kornia', 'skimage', 'tensorboard', 'invgraph.svr.training', 'invgraph.svr.evaluation'}\n"
        "print(sorted(late & set(sys.modules)))\n"
        "missing = [name for name in svr.__all__ if not callable(getattr(svr, name))]\n"
        "print(missing, 'lightning' in sys.modules)\n"
        "from invgraph.svr import evaluate, predict, train\n"
        "print(evaluate.__name__, predict.__name__, train.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.splitlines() == ["[]", "[] False", "evaluate predict train"]
