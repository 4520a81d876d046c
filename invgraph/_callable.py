"""Modules that are called: ``ig.render(...)`` and ``ig.fit(...)``, whose names are also their rooms'."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(module: str, function: Callable[..., Any]) -> None:
    """Let ``module(...)`` call ``function``.

    Importing ``invgraph.render.clip`` binds the module ``invgraph.render`` in the package, over the function of that
    name. A module that can be called makes both spellings work whichever came first.
    """

    class CallableModule(ModuleType):
        __wrapped__ = staticmethod(function)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    CallableModule.__call__.__doc__ = function.__doc__
    sys.modules[module].__class__ = CallableModule
