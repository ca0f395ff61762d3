"""Tickets: which weights of a network survived pruning, and where they come from."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from uticket_lite.edge.checks import fraction, instance, one_of, whole_number
from uticket_lite.edge.files import open_safetensors, write_atomically
from uticket_lite.tickets.checkpoint import read_checkpoint
from uticket_lite.tickets.file import pack_layers, read_layers
from uticket_lite.tickets.filters import Filters
from uticket_lite.tickets.layer import LARGEST, Layer
from uticket_lite.tickets.state_dict import read_state_dict
from uticket_lite.tickets.tracing import trace

if TYPE_CHECKING:
    from torch import nn


Known = dict[str, tuple[Mapping[str, Any] | None, Callable[[str, Any], Any]]]
"""Field of a layer to its value by layer, if given, and the check of one."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """Sparse masks of a network's layers, with what is known of their origin.

    layers: name to `Layer`, in the order in which the network runs them.
    timesteps: T, how often each weight meets the input.
    counted: names of the layers that `simulate` counts unless told otherwise.
    provenance: where the ticket comes from (JSON-like: seed, round, accuracy, …).
    ties: groups of layers whose filters are added to one another, filter by filter, as where a
    residual block ends: they can only be put into one order, all alike.

    Raises TypeError or ValueError for anything else.
    """

    layers: Mapping[str, Layer]
    timesteps: int = 1
    counted: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    ties: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a ticket needs at least one layer; none was given")
        for name, layer in self.layers.items():
            if not isinstance(name, str):
                raise TypeError(f"a layer's name must be a string, not {name!r}")
            if any("\ud800" <= letter <= "\udfff" for letter in name):  # no file can hold them
                raise ValueError(f"a layer's name must be text without half letters, not {name!a}")
            instance(f"layer {name!r}", layer, Layer, "ut.Layer.from_array(mask)")
        checked = {
            "layers": MappingProxyType({str(name): layer for name, layer in self.layers.items()}),
            "timesteps": whole_number("timesteps", self.timesteps, maximum=LARGEST),
            "counted": self.names(self.counted or None),
            "provenance": _json_like(self.provenance),
            "ties": tuple(map(self._tie, self.ties)),
        }
        vars(self).update(checked)
        tied = [name for tie in self.ties for name in tie]
        if len(set(tied)) < len(tied):
            raise ValueError(f"a layer is tied twice in {self.ties}; join its groups into one")

    def _tie(self, group: Iterable[str]) -> tuple[str, ...]:
        names = self.names(group)
        filters = {name: self.layers[name].shape[0] for name in names}
        if len(set(filters.values())) > 1:
            raise ValueError(f"tied layers must have equally many filters, not {filters}")
        return names

    def __reduce__(self) -> tuple[Any, ...]:
        # Views of dictionaries can be neither pickled nor copied.
        about = self.timesteps, self.counted, self.provenance, self.ties
        return Ticket, (dict(self.layers), *about)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, Any],
        *,
        masks: Mapping[str, Any] | None = None,
        positions: Mapping[str, int] | None = None,
        input_positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        spike_sparsity: Mapping[str, float] | None = None,
        counted: Iterable[str] | None = None,
        ties: Iterable[Iterable[str]] = (),
        provenance: Mapping[str, Any] | None = None,
    ) -> "Ticket":
        """A ticket from dense masks or weights, name to array (K, C, …); 0 means pruned. Any
        `Layer` is taken as it is, but for what is said of it here.

        masks: name to a mask that says what is pruned, where it is not the weights' zeros.
        positions: name to H_out·W_out; 1 for a layer not named (cycles of one position).
        input_positions: name to H_in·W_in, which memory accesses depend on; `positions` for a
        layer not named, as at stride 1. timesteps: T, default 1. spike_sparsity: name to the
        fraction of zero input spikes. counted: names to simulate; default every layer given.
        ties: groups of layers whose filters are added to one another.

        Raises TypeError or ValueError, naming the layer, for anything that is no mask.
        """
        layers = {
            name: array if isinstance(array, Layer) else Layer.from_array(array, name=name)
            for name, array in arrays.items()
        }
        whole = partial(whole_number, maximum=LARGEST)
        known: Known = {
            "positions": (positions, whole),
            "input_positions": (input_positions, whole),
            "spike_sparsity": (spike_sparsity, fraction),
        }
        for what, (given, check) in known.items():
            for name, value in (given or {}).items():
                one_of(f"{what} for layer", name, layers)
                checked = {what: check(f"layer {name!r}: {what}", value)}
                layers[name] = replace(layers[name], **checked)
        for name, mask in (masks or {}).items():
            masking = Layer.from_array(mask, name=one_of("mask for layer", name, layers))
            if masking.shape != layers[name].shape:
                raise ValueError(
                    f"layer {name!r}: its mask has shape {masking.shape}, "
                    f"its weight {layers[name].shape}; they must be the same"
                )
            layers[name] = replace(layers[name], mask=masking.bits)
        groups = tuple(tuple(group) for group in ties)
        return cls(layers, timesteps, tuple(counted or ()), dict(provenance or {}), groups)

    @classmethod
    def from_model(
        cls,
        module: "nn.Module",
        sample_input: Any,
        *,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
        batch_dims: int | None = None,
    ) -> "Ticket":
        """A ticket from a torch network, pruned or not, which runs `sample_input` once.

        timesteps: T. counted: names to simulate; default all convolutions but the first.
        batch_dims: leading dimensions of linear layers that are batch or time, where that
        cannot be told. `tracing.trace` says the rest.
        """
        found = trace(module, sample_input, counted, batch_dims)
        return cls.from_arrays(**found, timesteps=timesteps)

    @classmethod
    def from_safetensors(
        cls,
        path: str | os.PathLike[str],
        *,
        positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> "Ticket":
        """A ticket from a network's weights, a state dict saved as safetensors, larger than
        memory if need be; of a sharded one, `path` is its `.safetensors.index.json`.

        positions: name to H_out·W_out; 1 for a layer not named. timesteps: T. counted: names
        to simulate; default all convolutions but the first. progress: called while it reads
        with the weights read and all there are.
        `state_dict.read_state_dict` says the rest. A file that `save` wrote is loaded as the
        ticket it is.
        """
        found = read_state_dict(path, counted, progress)
        if found is not None:
            return cls.from_arrays(**found, positions=positions, timesteps=timesteps)
        if positions is not None or counted is not None or timesteps != 1:
            raise ValueError(
                f"{path} is a ticket, with its own positions, timesteps and counted layers; "
                "give the path alone"
            )
        return cls.load(path)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        *,
        positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
    ) -> "Ticket":
        """The same from a checkpoint that `torch.save` wrote (`.pth`, `.pt`, `.pth.tar`), such as
        those published with LoAS (Yin et al. 2024, arXiv 2407.14073). Needs torch; objects in
        the file are refused, as `checkpoint.read_checkpoint` says.
        """
        found = read_checkpoint(path, counted)
        return cls.from_arrays(**found, positions=positions, timesteps=timesteps)

    def names(self, layers: Iterable[str] | str | None = None) -> tuple[str, ...]:
        """The layers' names, or `layers` if all of them exist, at least one, none twice
        (ValueError otherwise)."""
        if layers is None:
            return tuple(self.layers)
        given = [layers] if isinstance(layers, str) else layers
        names = tuple(one_of("layer", name, self.layers) for name in given)
        if not names or len(set(names)) < len(names):
            what = "named twice in " if names else ""
            raise ValueError(f"layers must be one or more, each once; {what}{list(names)}")
        return names

    def with_layers(self, changed: Mapping[str, Layer], **provenance: Any) -> "Ticket":
        """A copy with some layers replaced and `provenance` added."""
        return replace(
            self,
            layers={**self.layers, **changed},
            provenance={**self.provenance, **provenance},
        )

    @property
    def counts_only(self) -> bool:
        """Whether only counts are known of a layer (see `Layer.counts_only`)."""
        return any(layer.counts_only for layer in self.layers.values())

    @property
    def sparsity(self) -> float:
        """Fraction of pruned weights over the counted layers."""
        layers = [self.layers[name] for name in self.counted]
        return 1 - sum(layer.nonzeros for layer in layers) / sum(layer.size for layer in layers)

    def filters(self, names: tuple[str, ...]) -> Filters:
        """Those of the named layers; kept, because moving a slider asks for them every time."""
        kept = self.__dict__.setdefault("_kept", {})
        if names not in kept:
            kept[names] = Filters.of({name: self.layers[name] for name in names}, self.ties)
        return kept[names]

    def masks(self) -> dict[str, np.ndarray]:
        """Dense boolean masks of all layers, name to array."""
        return {name: layer.to_dense() for name, layer in self.layers.items()}

    def __repr__(self) -> str:
        return (
            f"Ticket({len(self.layers)} layers, {len(self.counted)} counted, "
            f"{self.sparsity:.2%} sparse, T={self.timesteps})"
        )

    def save(self, path: str | os.PathLike[str], *, counts_only: bool = False) -> None:
        """Write the ticket as a safetensors file, whole or not at all; see `file`.

        counts_only: leave out which weights survived, keep how many in each filter, as for a
        ticket of which no more is known; a dense round takes kilobytes then, but mask strategies
        and `input-channel` cannot run on it. Magnitudes are not written.
        """
        header = {
            "timesteps": self.timesteps,
            "counted": self.counted,
            "provenance": self.provenance,
            **({"ties": self.ties} if self.ties else {}),
        }
        content = pack_layers(self.layers, header, counts_only or self.counts_only)
        write_atomically(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ticket":
        """Read a ticket that `save` wrote.

        Raises FileNotFoundError, or ValueError for a truncated, damaged or foreign file.
        """
        with open_safetensors(path, "ticket", "tickets are files written by Ticket.save") as file:
            layers, header = read_layers(file, os.path.getsize(path))
            about = header["timesteps"], header["counted"], header["provenance"]
            return cls(layers, *about, header.get("ties", ()))


def _json_like(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with what JSON can hold: NumPy's numbers become Python's, tuples lists."""
    try:
        return json.loads(json.dumps(dict(provenance), default=lambda number: number.item()))
    except (AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"provenance must be numbers, strings, lists and dictionaries by name: {error}"
        ) from None
