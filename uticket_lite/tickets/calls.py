"""Which convolutions and linear functions a torch network calls while it runs, and from where.

Functions are watched, not modules: whatever a layer does to its weight first (masks, norms,
parametrizations, fake quantization), what arrives at the function is what it computes with.
"""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uticket_lite.tickets.ties import Ties

if TYPE_CHECKING:
    from torch import Tensor, nn

FUNCTIONS = ("conv1d", "conv2d", "conv3d", "convolution", "linear")


@dataclass(frozen=True)
class Call:
    """One call of a convolution or linear function.

    weight: as it arrives. owner, part: name and module of the innermost part that runs. given:
    shape of the input, before the layer pads it. made: shape of the output.
    """

    owner: str
    part: "nn.Module"
    weight: "Tensor"
    given: tuple[int, ...]
    made: tuple[int, ...]

    @property
    def linear(self) -> bool:
        """Whether it is no convolution."""
        return self.weight.ndim == 2

    def positions(self, batch_dims: int | None) -> int:
        """Output positions of one sample of the batch, at one time."""
        return self._count(self.made, batch_dims)

    def input_positions(self, batch_dims: int | None) -> int:
        """The same of the input."""
        return self._count(self.given, batch_dims)

    def _count(self, shape: tuple[int, ...], batch_dims: int | None) -> int:
        if self.linear:
            return math.prod(shape[1 if batch_dims is None else batch_dims : -1])
        return math.prod(shape[2 - self.weight.ndim :])


@contextmanager
def watching(
    module: "nn.Module",
    note: Callable[[Call], str],
    follow: Callable[[Any, Any], None],
    ties: Ties,
) -> Iterator[set[str]]:
    """Report each call to `note`, which names its layer, what other functions are given and make
    to `follow`, and what tensors meet to `ties` while the context lasts; yields the names of
    parts that ran.

    Compiled parts run as if they were not.
    """
    from torch import Tensor, compiler, jit
    from torch.overrides import TorchFunctionMode

    running: list[tuple[str, nn.Module, list[Tensor], int]] = [("", module, [], 0)]
    calls = 0
    ran: set[str] = set()

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = function(*args, **(kwargs or {}))
            name = str(getattr(function, "__name__", "")).split(".")[0]
            if name not in FUNCTIONS:
                ties.function(name, function, args, kwargs or {}, result)
                follow((args, kwargs or {}), result)
            else:
                self.see(name, result, *args, **(kwargs or {}))
            return result

        def see(self, name: str, made: Tensor, *args: Any, **kwargs: Any) -> None:
            given = args[0] if args else kwargs["input"]
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            last = args[-1] if len(args) > (8 if name == "convolution" else 6) else 1
            if name == "convolution" and (args[6] if len(args) > 6 else kwargs["transposed"]):
                return
            owner, part, before, _ = running[-1]
            entered = given
            if hasattr(part, "padding_mode"):
                leading = given.shape[: 2 - weight.ndim]
                same = (x for x in before if x.shape[: 2 - weight.ndim] == leading)
                given = next(same, given)
            groups = 1 if name == "linear" else kwargs.get("groups", last)
            call = Call(owner, part, weight, tuple(given.shape), tuple(made.shape))
            layer = note(call)
            ties.layer(layer, entered, made, groups, -1 if call.linear else 1 - weight.ndim)
            nonlocal calls
            calls += 1

    def enter(name: str) -> Callable[..., None]:
        def push(part: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
            running.append((name, part, tensors, calls))
            ran.add(name)

        return push

    def leave(part: Any, given: Any, made: Any) -> None:
        *_, before = running.pop()
        if calls == before:
            ties.part(given, made)

    # Nothing can have been compiled unless dynamo is there, and asking for it is slow.
    eager = "torch._dynamo" in sys.modules
    with ExitStack() as stack:
        for name, part in module.named_modules():
            if not isinstance(part, jit.ScriptModule):
                stack.callback(part.register_forward_pre_hook(enter(name), with_kwargs=True).remove)
                stack.callback(part.register_forward_hook(leave, always_call=True).remove)
        stack.enter_context(compiler.set_stance("force_eager") if eager else nullcontext())
        stack.enter_context(Watch())
        yield ran
