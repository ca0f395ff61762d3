"""Tickets: which weights of a network survived pruning, and where they come from."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.edge.files import open_safetensors, write_atomically
from uticket_lite.tickets.file import pack_layers, read_layers
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.tracing import read_state_dict, trace

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Ticket:
    """Sparse masks of a network's layers, with what is known of their origin.

    layers: name to `Layer`, in the order in which the network runs them.
    timesteps: T, how often each weight meets the input.
    counted: names of the layers that `simulate` counts unless told otherwise.
    provenance: where the ticket comes from (JSON-like: seed, round, accuracy, …).
    """

    layers: Mapping[str, Layer]
    timesteps: int = 1
    counted: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a ticket needs at least one layer; none was given")
        whole_number("timesteps", self.timesteps)
        counted = self.names(self.counted or None)
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))
        object.__setattr__(self, "counted", counted)

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
        provenance: Mapping[str, Any] | None = None,
    ) -> "Ticket":
        """A ticket from dense masks or weights, name to array (K, C, …); 0 means pruned.

        masks: name to a mask that says what is pruned, where it is not the weights' zeros.
        positions: name to H_out·W_out; 1 for a layer not named (cycles of one position).
        input_positions: name to H_in·W_in, which memory accesses depend on; `positions` for a
        layer not named, as at stride 1. timesteps: T, default 1. spike_sparsity: name to the
        fraction of zero input spikes. counted: names to simulate; default every layer given.

        Raises TypeError or ValueError, naming the layer, for anything that is no mask.
        """
        positions, spikes = dict(positions or {}), dict(spike_sparsity or {})
        inputs = dict(input_positions or {})
        for what, names in (
            ("positions for layer", positions),
            ("input_positions for layer", inputs),
            ("spike_sparsity for layer", spikes),
        ):
            for name in names:
                one_of(what, name, arrays)
        layers = {
            name: Layer.from_array(array, positions.get(name, 1), spikes.get(name), name)
            for name, array in arrays.items()
        }
        for name, number in inputs.items():
            whole_number(f"layer {name!r}: input_positions", number)
            if number != layers[name].positions:
                layers[name] = replace(layers[name], input_positions=number)
        for name, mask in (masks or {}).items():
            masking = Layer.from_array(mask, name=one_of("mask for layer", name, layers))
            if masking.shape != layers[name].shape:
                raise ValueError(
                    f"layer {name!r}: its mask has shape {masking.shape}, "
                    f"its weight {layers[name].shape}; they must be the same"
                )
            layers[name] = replace(layers[name], bits=masking.bits)
        return cls(layers, timesteps, tuple(counted or ()), dict(provenance or {}))

    @classmethod
    def from_model(
        cls,
        module: "nn.Module",
        sample_input: Any,
        *,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
    ) -> "Ticket":
        """A ticket from a torch network, pruned or not, which runs `sample_input` once.

        timesteps: T. counted: names to simulate; default all convolutions but the first.
        `tracing.trace` says the rest.
        """
        return cls.from_arrays(**trace(module, sample_input, counted), timesteps=timesteps)

    @classmethod
    def from_safetensors(
        cls,
        path: str | os.PathLike[str],
        *,
        positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
    ) -> "Ticket":
        """A ticket from a network's weights, a state dict saved as safetensors.

        positions: name to H_out·W_out; 1 for a layer not named. timesteps: T. counted: names
        to simulate; default all convolutions but the first.
        `tracing.read_state_dict` says the rest. A file that `save` wrote is loaded as the ticket
        it is.
        """
        found = read_state_dict(path, counted)
        if found is not None:
            return cls.from_arrays(**found, positions=positions, timesteps=timesteps)
        if positions is not None or counted is not None or timesteps != 1:
            raise ValueError(
                f"{path} is a ticket, with its own positions, timesteps and counted layers; "
                "give the path alone"
            )
        return cls.load(path)

    def names(self, layers: Iterable[str] | None = None) -> tuple[str, ...]:
        """The layers' names, or `layers` if all of them exist (ValueError otherwise)."""
        if layers is None:
            return tuple(self.layers)
        return tuple(one_of("layer", name, self.layers) for name in layers)

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

    def filter_counts(self, names: tuple[str, ...]) -> np.ndarray:
        """Non-zeros of the filters of the named layers, one after the other, int64 (filters,)."""
        return self._once(
            "counts", names, lambda layers: np.concatenate([x.counts for x in layers])
        )

    def filter_starts(self, names: tuple[str, ...]) -> np.ndarray:
        """Where each named layer begins in `filter_counts`, int64 (layers + 1,)."""
        return self._once("starts", names, lambda xs: np.cumsum([0, *(x.shape[0] for x in xs)]))

    def sizes(self, names: tuple[str, ...]) -> np.ndarray:
        """Weights of each named layer, int64 (layers,)."""
        return self._once("sizes", names, lambda layers: np.array([x.size for x in layers]))

    def positions(self, names: tuple[str, ...]) -> np.ndarray:
        """Output positions of each named layer, int64 (layers,)."""
        return self._once("positions", names, lambda xs: np.array([x.positions for x in xs]))

    def _once(
        self, what: str, names: tuple[str, ...], make: Callable[[list[Layer]], np.ndarray]
    ) -> np.ndarray:
        """`make` of the named layers; kept, because moving a slider asks for it every time."""
        kept = self.__dict__.setdefault("_kept", {})
        if (what, names) not in kept:
            kept[what, names] = make([self.layers[name] for name in names])
        return kept[what, names]

    def masks(self) -> dict[str, np.ndarray]:
        """Dense boolean masks of all layers, name to array."""
        return {name: layer.to_dense() for name, layer in self.layers.items()}

    def __repr__(self) -> str:
        return (
            f"Ticket({len(self.layers)} layers, {len(self.counted)} counted, "
            f"{self.sparsity:.2%} sparse, T={self.timesteps})"
        )

    def save(self, path: str | os.PathLike[str], *, counts_only: bool = False) -> None:
        """Write the ticket as a safetensors file, whole or not at all; see `files`.

        counts_only: leave out which weights survived, keep how many in each filter; a dense
        round takes kilobytes then, but mask strategies and `input-channel` cannot run on it.
        Magnitudes are not written.
        """
        header = {
            "timesteps": self.timesteps,
            "counted": self.counted,
            "provenance": dict(self.provenance),
        }
        write_atomically(path, pack_layers(self.layers, header, counts_only))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ticket":
        """Read a ticket that `save` wrote.

        Raises FileNotFoundError, or ValueError for a truncated, damaged or foreign file.
        """
        with open_safetensors(path, "ticket", "tickets are files written by Ticket.save") as file:
            layers, header = read_layers(file)
            return cls(layers, header["timesteps"], tuple(header["counted"]), header["provenance"])
