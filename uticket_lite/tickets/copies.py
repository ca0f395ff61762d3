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

_COPY = re.compile(
    r"(\w+_)?(ema|teacher)(_\w+)?|encoder_k|(momentum|target)_(encoder|model|net|network)|"
    r"(swa|shadow|averaged?|backup|initial|init|rewind|best)(_(model|net|network|state|weights))?"
)
_BESIDE = ("model", "net", "network", "module", "student", "online", "encoder_q", "encoder")
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
        for at, part in enumerate(parts):
            if at + 1 < len(parts) and _OPTIMIZER.fullmatch(part.lower()):
                found[name] = f"an optimizer's, by its name ({part})"
            elif _FACTOR.fullmatch(part.lower()):
                found[name] = (
                    f"a factor of an update of low rank, by its name ({part}); what it adds is "
                    "not in its layer's weight: merge it before saving"
                )
            elif _COPY.fullmatch(part.lower()) or (part == "module" and at == 0):
                before, after = parts[:at], parts[at + 1 :]
                beside = () if part == "module" else (x for x in _BESIDE if x != part)
                inner = [after, after[1:]] if after and after[0] in _BESIDE else [after]
                twins = [[*before, *rest] for rest in inner]
                twins += [[*before, x, *after] for x in beside]
                twin = any(layers.get(".".join(twin)) == shape for twin in twins if after)
                group = tuple(parts[: at + 1])
                copies[group] = copies.get(group, False) or twin
    for name in layers:
        parts = name.split(".")
        for at, part in enumerate(parts):
            if copies.get(tuple(parts[: at + 1])):
                found.setdefault(name, f"a copy of the network's, by its name ({part})")
    return found
