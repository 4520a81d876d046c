"""How a primitive takes part in autograd outside of ``torch.compile``: reverse mode, ``torch.func``, and errors else.

``torch.library.register_autograd`` serves compiled graphs, but not the transforms of ``torch.func``, and it detaches
silently in forward mode. A ``torch.autograd.Function`` with a batching rule does both rightly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

Gradient = Callable[..., Any]
ImageDims = Mapping[str, int | tuple[int, ...]]


def refuse(name: str) -> Gradient:
    """A gradient that is none."""

    def gradient(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(f"{name} has no derivative: invgraph's primitives can be differentiated once")

    return gradient


def callable_of(
    op: Any,
    kernel: Callable[..., Any],
    setup: Callable[..., None] | None,
    gradient: Gradient,
    image_dims: ImageDims,
) -> Callable[..., Any]:
    """A callable as ``op``, differentiable by ``gradient`` and batched by ``torch.func.vmap``.

    Args:
        op: an overload of ``torch.ops.invgraph``.
        kernel: what it does on the CPU: called without torch's dispatcher where nothing but autograd looks on, which
            saves more time than a small drawing takes.
        setup: ``setup(ctx, inputs, output)`` saves what the gradient needs; None: nothing.
        gradient: ``gradient(ctx, *grads)``.
        image_dims: for each argument that begins with the images of the batch, its number of dimensions. A batch of
            calls becomes one call with more images where all that differs between them is in these arguments, and a
            loop of calls elsewhere.
    """
    name = op._schema.name
    fold = _Fold(name, [argument.name for argument in op._schema.arguments], image_dims)

    class Primitive(torch.autograd.Function):
        """Takes the primitive's arguments, lists of tensors opened, and as the last how long those lists are."""

        @staticmethod
        def forward(*flat: Any) -> Any:
            return op(*_closed(flat))

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            if setup is not None:
                setup(ctx, inputs[:-1], output)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return *gradient(ctx, *grads), None

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            raise RuntimeError(f"{name} has no forward-mode derivative; use reverse mode (backward, grad, jacrev)")

        @staticmethod
        def vmap(info: Any, in_dims: tuple[Any, ...], *flat: Any) -> tuple[Any, Any]:
            batched = [isinstance(a, Tensor) and d is not None for a, d in zip(flat, in_dims)]
            moved = [a.movedim(d, 0) if b else a for a, d, b in zip(flat, in_dims, batched)]
            images = fold.images(moved, batched)
            count = info.batch_size
            if images is None:
                parts = [Primitive.apply(*(a[k] if b else a for a, b in zip(moved, batched))) for k in range(count)]
                if isinstance(parts[0], Tensor):
                    return torch.stack(parts), 0
                return tuple(torch.stack(some) for some in zip(*parts)), (0,) * len(parts[0])
            one_call = [
                (a if b else a.expand(count, *a.shape)).flatten(0, 1) if i else a
                for a, b, i in zip(moved, batched, images, strict=True)
            ]
            out = Primitive.apply(*one_call)
            if isinstance(out, Tensor):
                return out.unflatten(0, (count, len(out) // count)), 0
            return tuple(x.unflatten(0, (count, len(x) // count)) for x in out), (0,) * len(out)

    Primitive.__name__ = Primitive.__qualname__ = name.split("::")[1]

    class Plain(torch.autograd.Function):
        """The kernel alone, for arguments that :func:`_is_plain`."""

        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            output = kernel(*args)
            if setup is not None:
                setup(ctx, args, output)
            return output

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return gradient(ctx, *grads)

    Plain.__name__ = Plain.__qualname__ = Primitive.__name__

    def call(*args: Any) -> Any:
        if torch.compiler.is_compiling():
            return op(*args)
        if _is_plain(args):
            if torch.is_grad_enabled() and any(isinstance(a, Tensor) and a.requires_grad for a in args):
                return Plain.apply(*args)
            return kernel(*args)
        return Primitive.apply(*_opened(args))

    return call


def _is_plain(args: Sequence[Any]) -> bool:
    """Whether all tensors are ordinary ones on the CPU, and no transform, mode or tracer wants to see the call."""
    if (
        torch._C._are_functorch_transforms_active()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._get_tracing_state() is not None
        or forward_ad._current_level >= 0
    ):
        return False
    for a in args:
        if type(a) is Tensor or type(a) is Parameter:
            if not a.is_cpu or a.layout is not torch.strided or a.is_neg():
                return False
        elif isinstance(a, (Tensor, list, tuple)):
            return False
    return True


class _Fold:
    """Which calls of a batch can be one call with more images."""

    def __init__(self, operation: str, names: Sequence[str], image_dims: ImageDims) -> None:
        self.is_backward = operation.endswith("_backward")
        self.names = names
        self.dims = {k: v if isinstance(v, tuple) else (v,) for k, v in image_dims.items()}

    def images(self, values: Sequence[Any], batched: Sequence[bool]) -> list[bool] | None:
        """For each argument whether it begins with images; None where the calls must stay apart."""
        names = [name for name, count in zip(self.names, values[-1]) for _ in range(count or 1)]
        result = []
        for name, value, own in zip(names, values, batched):
            dims = self.dims.get(name, ())
            is_image = isinstance(value, Tensor) and value.dim() - own in dims
            if own and not is_image:  # faces, ranges, or what the images of a call share
                return None
            if self.is_backward and dims and not is_image and value is not None:
                return None  # its gradient would be that of all calls together
            result.append(is_image)
        return [*result, False]


def _opened(args: Sequence[Any]) -> tuple[Any, ...]:
    """All arguments without lists of tensors, then the length of each such list, 0 for what is none."""
    lists = tuple(len(a) if isinstance(a, (list, tuple)) and a and isinstance(a[0], Tensor) else 0 for a in args)
    if not any(lists):
        return *args, lists
    flat: list[Any] = []
    for a, count in zip(args, lists):
        flat.extend(a) if count else flat.append(a)
    return *flat, lists


def _closed(flat: Sequence[Any]) -> Sequence[Any]:
    """The arguments that :func:`_opened` opened."""
    *flat, lists = flat
    if not any(lists):
        return flat
    rest = iter(flat)
    return [[next(rest) for _ in range(count)] if count else next(rest) for count in lists]
