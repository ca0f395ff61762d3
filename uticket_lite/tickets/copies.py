"""Weights in files that are not the network's own, though they are called as its layers are.

| beside `conv1.weight` | what |
|---|---|
| `ema.conv1.weight`, `model_ema.conv1`, `shadow.`, `swa.`, `best.`, `rewind.`, `init.` … | a copy |
| `teacher.conv1.weight` beside `student.conv1.weight` | the same |
| `module.conv1.weight` | the same network, wrapped |
| `exp_avg.conv1.weight`, `optimizer.…`, `grads.conv1.weight` | an optimizer's |
| `conv1.lora_A.weight`, `conv1.lora_B.default.weight` | factors of an update of low rank |

A file that holds nothing but a copy is taken for the network.
"""

import re
from collections.abc import Mapping

Shape = tuple[int, ...]

MOST = 8
"""Parts of a name that are looked at."""

_COPY = re.compile(
    r"(\w+_)?(ema|teacher)(_\w+)?|encoder_k|(momentum|target)_(encoder|model|net|network)|"
    r"(swa|shadow|averaged?|backup|initial|init|rewind|best)(_(model|net|network|state|weights))?"
)
_WRAPPERS = ("model", "net", "network", "module", "encoder")
_BESIDE = (
    *(*_WRAPPERS, "encoder_q", "student", "online", "online_encoder"),
    *(f"{whose}_{what}" for whose in ("student", "online") for what in _WRAPPERS[:3]),
)
_OPTIMIZER = re.compile(
    r"(\w+_)?(optim|optimizers?)(_\w+)?|exp_(avg|inf)(_sq)?|(momentum|velocity)_buffers?|square_avg|"
    r"grads?|gradients?"
)
_FACTOR = re.compile(r"(lora|loha|lokr|dora)_\w+")


def find_copies(layers: Mapping[str, Shape]) -> dict[str, str]:
    """Of layers (name to the shape of the weight), those that are not the network's own, to why.

    Copies are told by a part of their name and by another layer of the same shape that is called
    so without it.
    """
    found: dict[str, str] = {}
    copies: dict[tuple[str, ...], bool] = {}
    for name, shape in layers.items():
        parts = name.split(".")
        for at, part in enumerate(parts[:MOST]):
            if at + 1 < len(parts) and _OPTIMIZER.fullmatch(part.lower()):
                found[name] = f"an optimizer's, by its name ({part})"
            elif _FACTOR.fullmatch(part.lower()):
                found[name] = (
                    f"a factor of an update of low rank, by its name ({part}); what it adds is "
                    "not in its layer's weight: merge it before saving"
                )
            elif _COPY.fullmatch(part.lower()) or (part == "module" and at == 0):
                before, after = parts[:at], parts[at + 1 :]
                beside = [] if part == "module" else [[x] for x in _BESIDE if x != part]
                inner = [after, after[1:]] if after and after[0] in _WRAPPERS else [after]
                twins = ([*before, *x, *rest] for x in ([], *beside) for rest in inner)
                twin = any(layers.get(".".join(twin)) == shape for twin in twins if after)
                group = tuple(parts[: at + 1])
                copies[group] = copies.get(group, False) or twin
    for name in layers:
        parts = name.split(".")
        for at, part in enumerate(parts[:MOST]):
            if copies.get(tuple(parts[: at + 1])):
                found.setdefault(name, f"a copy of the network's, by its name ({part})")
    return found
