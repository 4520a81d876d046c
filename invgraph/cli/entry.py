"""From ``sys.argv`` to an exit status: picks the command, parses its options, turns errors into one sentence."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .output import lasting_output

# command -> what it does, for the overview. Its module and class have its name: "fit-points" is
# invgraph.cli.fit_points.FitPoints, "data sample" invgraph.cli.data_sample.DataSample. Only the chosen command's module
# is imported, so that the overview and mistyped commands answer at once.
COMMANDS = {
    "fit": "Reconstruct a closed mesh from masks and cameras.",
    "fit-points": "Fit a field to a point cloud or a mesh, and extract its surface.",
    "compare": "Score a mesh against the true one; prints JSON.",
    "render": "Draw a mesh's alpha, depth, normals and colours from a data set's cameras.",
    "train": "Train a network that turns one picture into a mesh, from silhouettes.",
    "predict": "Reconstruct objects from one picture each, by a trained network.",
    "eval": "Evaluate a single-view network, beside baselines.",
    "doctor": "Check a data set: what is wrong, and what is risky.",
    "data sample": "Sample meshes into a data set of shapes: occupancies, point clouds, voxels.",
    "data pack": "Pack a data set of shapes into one HDF5 file.",
    "data pictures": "Draw meshes into a data set in pictures: 24 views, voxels and points of each.",
    "data shapes": "Make a data set of shapes in pictures: 24 views, voxels and points of each.",
}
OK, USAGE, INTERRUPTED = 0, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments after the program's name; ``sys.argv[1:]`` by default.

    Returns:
        Exit status: 0 done; 2 wrong usage, bad input or an output that cannot be written (one sentence on stderr; a
        traceback too if ``INVGRAPH_DEBUG=1``); 130 interrupted from the keyboard.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help"):
        print(_overview(), file=sys.stdout if args else sys.stderr)
        return OK if args else USAGE
    if args[0] in ("-V", "--version"):
        from .. import __version__

        print(f"invgraph {__version__}")
        return OK
    group = {name: what for name, what in COMMANDS.items() if name.startswith(f"{args[0]} ")}
    if group and (len(args) == 1 or args[1] in ("-h", "--help")):
        print(_listed(group, args[0]), file=sys.stdout if args[1:] else sys.stderr)
        return OK if args[1:] else USAGE
    words = 2 if group else 1
    name = " ".join(args[:words])
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(COMMANDS)}."
        print(f"invgraph: error: unknown command {name!r}; {hint}", file=sys.stderr)
        return USAGE
    with _plain_warnings(), lasting_output():
        return _guarded(name, args[words:])


def _guarded(name: str, args: list[str]) -> int:
    """Parse and run a command; errors that are the user's to mend become one sentence and status 2."""
    try:
        status = _parse(name, args).run()
        sys.stdout.flush()  # a full disk or a closed pipe shows here, not at exit
        return status
    except SystemExit as stop:  # the parser has printed its help or its complaint
        return stop.code if isinstance(stop.code, int) else USAGE
    except KeyboardInterrupt:
        _complain(name, "interrupted")
        return INTERRUPTED
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get("INVGRAPH_DEBUG", "0") not in ("", "0"):
            import traceback

            traceback.print_exc()
        _complain(name, f"error: {_sentence(error)}")
        return USAGE


def _parse(name: str, args: list[str]) -> Any:
    """The command's dataclass, filled from its arguments."""
    import tyro

    words = name.replace("-", " ").split()
    module = importlib.import_module(f"{__package__}.{'_'.join(words)}")
    command = getattr(module, "".join(word.capitalize() for word in words))
    parse = getattr(command, "parse", None) or tyro.cli
    return parse(command, prog=f"invgraph {name}", args=args, config=(tyro.conf.FlagCreatePairsOff,))


def _sentence(error: Exception) -> str:
    """The error's message on one line; an operating system error as ``file: reason``."""
    if isinstance(error, OSError) and error.strerror:
        name = os.fsdecode(error.filename) if error.filename is not None else None
        return f"{name}: {error.strerror}" if name else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _complain(name: str, text: str) -> None:
    print(f"invgraph {name}: {text}", file=sys.stderr)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show the package's own warnings as one plain line; leave those of other libraries as they are."""
    ours, shown = Path(__file__).parents[1], warnings.showwarning

    def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
        if ours in Path(filename).parents:
            print(f"invgraph: warning: {' '.join(str(message).split())}", file=sys.stderr)
        else:
            shown(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _overview() -> str:
    return (
        "usage: invgraph COMMAND ...\n\n"
        "Inverse graphics by differentiable rendering: pictures in, 3D shape out.\n\n"
        f"{_listed(COMMANDS)}\n\n"
        "'invgraph COMMAND --help' lists a command's options; 'invgraph --version' says which version this is."
    )


def _listed(commands: Mapping[str, str], group: str = "") -> str:
    width = max(map(len, commands))
    lines = "\n".join(f"  {name:<{width}}  {what}" for name, what in commands.items())
    return f"commands{f' of {group!r}' if group else ''}:\n{lines}"
