"""One function over many jobs, in processes that may fail or die without the others."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from ...interrupt import Interrupt, interrupts_held

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Job, Result]):
    """What came of a job: its result, or in one sentence why there is none."""

    job: Job
    result: Result | None
    failure: str | None


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int, interrupt: Interrupt
) -> Iterator[Outcome[Job, Result]]:
    """Run ``function`` on each job and give what came of it, in the order in which they end.

    A job that raises, or whose process dies (as of too little memory), fails alone. After a first Ctrl-C no job is
    begun, and those at work are finished; if the consumer stops early or a second Ctrl-C comes, they are ended. What a
    job warns of is warned of here.

    Args:
        function: of a module, by whose name the processes find it: they inherit no state of this one (forkserver), and
            have one thread each.
        jobs: what can be pickled.
        workers: number of processes; with 1, or a single job, the work is done in this process.
        interrupt: entered by the caller.
    """
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            if interrupt.requested:
                return
            yield _outcome(job, *_attempt(function, job))
        return
    waiting = list(reversed(jobs))
    busy: dict[Connection, tuple[Any, Job]] = {}
    idle = [_start(function) for _ in range(min(workers, len(jobs)))]
    everyone = list(idle)
    try:
        while True:
            while waiting and idle and not interrupt.requested:
                process, connection = idle.pop()
                busy[connection] = (process, waiting.pop())
                connection.send(busy[connection][1])
            if not busy:
                return
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                process, job = busy.pop(ready)
                try:
                    outcome = _outcome(job, *ready.recv())
                    idle.append((process, ready))
                except (EOFError, ConnectionResetError):
                    process.join()
                    outcome = Outcome(job, None, f"its process ended ({_why(process.exitcode)})")
                    if waiting and not interrupt.requested:
                        idle.append(_start(function))
                        everyone.append(idle[-1])
                yield outcome
    finally:
        for process, connection in everyone:
            connection.close()
            if any(process is worker for worker, _ in busy.values()):
                process.terminate()
        for process, _ in everyone:
            process.join()


def _start(function: Callable[[Any], Any]) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # torch is imported once, not by each process
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs), daemon=True)
    with interrupts_held():
        process.start()
    theirs.close()
    return process, ours


def _serve(function: Callable[[Any], Any], connection: Connection) -> None:
    """Do the jobs that come, until there is nobody to send them."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that unfinished files are removed
    torch.set_num_threads(1)
    while True:
        try:
            job = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        connection.send(_attempt(function, job))


def _attempt(function: Callable[[Any], Any], job: Any) -> tuple[Any, str | None, list[str]]:
    """The result, or why there is none; and what there was to warn of."""
    result, failure = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(job)
        except (ValueError, OSError) as error:
            failure = " ".join(str(error).split()) or type(error).__name__
        except Exception as error:  # one job does not stop the others, whatever happens to it
            failure = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return result, failure, [str(warning.message) for warning in caught if warning.category is UserWarning]


def _outcome(job: Any, result: Any, failure: str | None, warned: list[str]) -> Outcome[Any, Any]:
    for message in warned:
        warnings.warn(message, stacklevel=3)  # for the consumer, not for a process that nobody sees
    return Outcome(job, result, failure)


def _why(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"killed by {name}{', out of memory perhaps' if name == 'SIGKILL' else ''}"
    return f"exit status {exit_code}"
