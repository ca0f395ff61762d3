"""Numbers and names of NumPy, pandas or torch are kept as Python's; what is none is refused."""

import pickle
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import uticket_lite as ut
from uticket_lite.training import Settings

TICKET, PES = ut.synthetic_ticket("digits"), ut.Accelerator(4)
LAYER = TICKET.layers["conv2"]
SPIKES = np.ones((1, 32, 4, 4), np.uint8)
MASK = np.eye(8, 6)
SCALED = {"work": 2.0, "idle": 3.0, "spike_sparsity": 0.5, "leak_ratio": 0.25}


def arrays(positions, inputs, timesteps, spikes):
    known = {"positions": {"a": positions}, "input_positions": {"a": inputs}}
    known["spike_sparsity"] = {"a": spikes}
    return ut.Ticket.from_arrays({"a": MASK}, timesteps=timesteps, **known)


FUNCTIONS = {
    "Accelerator": (ut.Accelerator, {"n_pe": 4, "mapping": "input-channel"}),
    "from_arrays": (arrays, {"positions": 4, "inputs": 9, "timesteps": 2, "spikes": 0.5}),
    "simulate": (
        lambda **given: ut.simulate(TICKET, PES, **given),
        {"strategy": "shuffle", "seed": 3, "cycles": "weights"},
    ),
    "balance": (lambda **given: ut.balance(TICKET, PES, **given), {"seed": 3}),
    "compare": (lambda seed: ut.compare(TICKET, PES, ["shuffle"], seed), {"seed": 3}),
    "synthetic_ticket": (
        ut.synthetic_ticket,
        {"network": "digits", "sparsity": 0.5, "filter_cov": 0.5, "seed": 3, "timesteps": 2},
    ),
    "load_ticket": (ut.load_ticket, {"name_or_path": "digits-lth", "round": 3}),
    "magnitude_ladder": (
        lambda sparsity: ut.magnitude_ladder(ut.Ticket.from_arrays({"a": MASK}), [sparsity])[0],
        {"sparsity": 0.5},
    ),
    "pe_energy": (ut.pe_energy, SCALED),
    "simulate_spikes": (
        lambda **given: ut.simulate_spikes(LAYER, SPIKES, PES, **given),
        {"barrier": "wave", "strategy": "none", "seed": 3, "stride": 1, "padding": 1},
    ),
    "sweep": (
        lambda **given: ut.sweep({"t": TICKET}, strategies="none", **given),
        {"n_pe": 4, "seeds": 3, "mappings": "output-channel", "gating": "paper", "workers": 1},
    ),
    "Settings": (
        Settings,
        {"network": "digits", "dataset": "digits", "rounds": 3, "prune": 0.5, "seed": 2,
         "learning_rate": 0.5, "timesteps": 2, "cutout": 0, "early_kl": 0.5, "n_pe": 4},
    ),
}  # fmt: skip
CASES = [(name, argument) for name, (_, given) in FUNCTIONS.items() for argument in given]


def kinds(value):
    if isinstance(value, str):
        return [np.str_(value)]
    like = [np.float32(value), np.array(value), torch.tensor(value), pd.Series([value])[0]]
    return [*like, np.int64(value), np.uint8(value)] if isinstance(value, int) else like


def wrong(value):
    always = [b"3", {}, 1j, object(), [[]], np.array([[1, 2]])]
    if isinstance(value, str):
        return [*always, 3, "", np.array([value, value])]
    return [
        *always,
        str(value),
        True,
        np.True_,
        torch.tensor(True),
        np.array(True),
        float("nan"),
        float("inf"),
        10**400,
        -5,
        pd.NA,
        torch.ones(2),
        *([value + 0.5, Decimal("0.5")] if isinstance(value, int) else []),
    ]


def seen(result):
    """What can be compared, types included."""
    if isinstance(result, pd.DataFrame):
        return result.to_csv()
    if isinstance(result, ut.Ticket):
        counts = [layer.counts.tolist() for layer in result.layers.values()]
        return repr([counts, result.timesteps, dict(result.provenance), *result.layers.values()])
    return repr(result)


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_numbers_and_names_of_any_kind_are_kept_as_pythons(name, argument):
    function, given = FUNCTIONS[name]
    wanted = seen(function(**given))
    for value in kinds(given[argument]):
        assert seen(function(**{**given, argument: value})) == wanted, repr(value)


# Work and idle of `pe_energy` may be arrays of whatever numbers.
@pytest.mark.parametrize(("name", "argument"), [c for c in CASES if c[0] != "pe_energy"])
def test_what_is_no_such_number_or_name_is_refused(name, argument):
    function, given = FUNCTIONS[name]
    for value in wrong(given[argument]):
        with pytest.raises((TypeError, ValueError)):
            function(**{**given, argument: value})


def test_paths_are_taken_wherever_names_of_files_are(tmp_path):
    TICKET.save(tmp_path / "t.safetensors")
    data = tmp_path / "few.npz"
    assert pickle.loads(pickle.dumps(Settings(dataset=data))).dataset == str(data)
    table = ut.sweep(tmp_path / "t.safetensors", strategies="none")
    assert list(table.ticket) == [str(tmp_path / "t.safetensors")]
    two = ut.sweep([("digits-lth", np.int64(3)), (Path("digits-lth"), 4.0)], strategies="none")
    assert list(two.ticket) == ["digits-lth round 3", "digits-lth round 4"]


def test_energy_is_computed_of_numbers_alone():
    for argument in SCALED:
        for value in ("3", None, 1j, b"1", [[1], [2, 3]], {}):
            with pytest.raises((TypeError, ValueError), match=f"^{argument}"):
                ut.pe_energy(**{**SCALED, argument: value})
    for argument, value in (("spike_sparsity", 1.5), ("leak_ratio", -1), ("idle_ratio", "1")):
        with pytest.raises((TypeError, ValueError), match=argument):
            ut.pe_energy(**{**SCALED, argument: value})
    assert np.isnan(ut.pe_energy(**{**SCALED, "spike_sparsity": float("nan")}))
