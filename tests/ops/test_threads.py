"""Several Python threads, forked and spawned processes, loaders' workers; and the interpreter's lock is given up."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from every_op import NAMES, op

from invgraph import ops


@pytest.fixture(autouse=True)
def _several_kernel_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def forward_and_backward(call):
    leaves = call.leaves()
    outputs = call(**leaves)
    grads = torch.autograd.grad(sum(x.square().sum() for x in outputs), tuple(leaves.values()))
    return [x.detach() for x in outputs] + list(grads)


@pytest.mark.parametrize("name", NAMES)
def test_threads_at_once_give_what_one_gives(name):
    calls = [op(name, images=1 + k % 3).to((torch.float32, torch.float64)[k % 2]) for k in range(6)] * 4
    alone = [forward_and_backward(call) for call in calls]
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(forward_and_backward, calls))
    for a, b in zip(alone, together):
        assert all(torch.equal(x, y) for x, y in zip(a, b))


def test_the_interpreter_runs_on_while_a_kernel_does(monkeypatch):
    """A thread counts while the main thread is inside of one native call: impossible if the call held the lock.

    The switch interval is such that nobody is asked to give the lock up: between the two readings of the counter only
    the kernel can have done it.
    """
    kernel, arguments = ops._native.soft_silhouette_forward, []
    monkeypatch.setattr(ops._native, "soft_silhouette_forward", lambda *a: (arguments.append(a), kernel(*a))[1])
    points, faces = torch.rand(1, 6000, 2) * 256, torch.arange(6000).reshape(-1, 3)
    kept = ops.soft_silhouette(points, faces, (256, 256), 30.0)
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)  # gives the lock up, and waits for it

    alpha, transmittance = torch.empty_like(kept), torch.empty_like(kept)
    held = [*arguments[-1][:-2], alpha.data_ptr(), transmittance.data_ptr()]
    before = sys.getswitchinterval()
    thread = threading.Thread(target=count)
    thread.start()
    try:
        sys.setswitchinterval(1000.0)
        for _ in range(100):
            seen = counted[0]
            kernel(*held)
            if counted[0] > seen:
                break
        assert counted[0] > seen
    finally:
        sys.setswitchinterval(before)
        stop.set()
        thread.join()
    assert torch.equal(alpha, kept)


SCRIPT = """
import multiprocessing, sys, torch
from every_op import op
from test_threads import forward_and_backward

def work(k):
    torch.set_num_threads(2)
    return [x.numpy() for x in forward_and_backward(op("rasterize", images=1 + k))]

class Pictures(torch.utils.data.Dataset):
    def __len__(self): return 6
    def __getitem__(self, k): return torch.from_numpy(work(k % 2)[1][:1])

if __name__ == "__main__":
    torch.set_num_threads(3)
    here = [work(k) for k in range(3)]  # the pool of threads exists before the fork
    for method in sys.argv[1:]:
        with multiprocessing.get_context(method).Pool(2) as pool:
            there = pool.map(work, range(3))
        assert all((a == b).all() for x, y in zip(here, there) for a, b in zip(x, y)), method
        loader = torch.utils.data.DataLoader(Pictures(), num_workers=2, multiprocessing_context=method)
        pictures = list(loader)
        assert all((p[0].numpy() == here[k % 2][1][:1]).all() for k, p in enumerate(pictures)), method
    assert all((a == b).all() for a, b in zip(here[2], work(2)))
    print("fine")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_after_use(method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = os.path.dirname(__file__)
    path = os.pathsep.join([here, *sys.path])
    run = subprocess.run(
        [sys.executable, str(script), method],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "fine", "")


@pytest.mark.parametrize("last", ["pass", "t.join()", "import os; os._exit(0)"])
def test_the_interpreter_ends_cleanly(last):
    """At once after a call, with helper threads asleep, and after calls of another Python thread."""
    code = (
        "import threading, torch; from invgraph import ops\n"
        "torch.set_num_threads(4)\n"
        "p, f = torch.rand(1, 3000, 2) * 300, torch.arange(3000).reshape(-1, 3)\n"
        "draw = lambda: ops.soft_silhouette(p, f, (300, 300), 5.0)\n"
        "t = threading.Thread(target=draw); t.start(); draw()\n" + last
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
