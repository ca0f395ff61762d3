"""A ladder of sparsities equals pruning the weights anew at every rung."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import uticket_lite as ut

SHAPES = {"a": (6, 3, 3, 3), "b": (10, 6, 3, 3), "c": (5, 90)}


def weights(seed: int, *, decimals: int = 8) -> dict[str, np.ndarray]:
    """Random weights, a fifth of them pruned; few decimals make many magnitudes equal."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.standard_normal(shape).round(decimals) for name, shape in SHAPES.items()}
    return {name: array * (rng.random(array.shape) > 0.2) for name, array in arrays.items()}


def pruned(arrays: dict[str, np.ndarray], sparsity: float) -> dict[str, np.ndarray]:
    """All layers below one threshold, the obvious way."""
    magnitudes = np.sort(np.concatenate([np.abs(array).ravel() for array in arrays.values()]))
    k = int(sparsity * magnitudes.size)
    threshold = magnitudes[k] if k < magnitudes.size else np.inf
    return {
        name: (array != 0) & (np.abs(array.astype(np.float32)) >= np.float32(threshold))
        for name, array in arrays.items()
    }


@given(
    seed=st.integers(0, 99),
    decimals=st.sampled_from([1, 8]),
    sparsities=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    strategy=st.sampled_from(["none", "sort", "lpt", "uticket"]),
    mapping=st.sampled_from(list(ut.MAPPINGS)),
)
def test_every_rung_equals_pruning_anew(seed, decimals, sparsities, strategy, mapping):
    arrays = weights(seed, decimals=decimals)
    accelerator = ut.Accelerator(4, mapping)
    if ut.STRATEGIES[strategy].objection(accelerator):
        strategy = "none"
    ladder = ut.magnitude_ladder(ut.Ticket.from_arrays(arrays), sparsities)
    for sparsity, rung in zip(sparsities, ladder, strict=True):
        masks = pruned(arrays, sparsity)
        for name, mask in rung.masks().items():
            assert np.array_equal(mask, masks[name])
        ours, anew = (
            ut.simulate(ticket, accelerator, strategy)
            for ticket in (rung, ut.Ticket.from_arrays(masks))
        )
        assert ours.figures == pytest.approx(anew.figures, nan_ok=True)
        assert ours.price == anew.price


def test_rungs_need_no_masks_before_somebody_asks():
    ladder = ut.magnitude_ladder(ut.Ticket.from_arrays(weights(0)))
    for rung in ladder:
        assert ut.simulate(rung, ut.Accelerator(4), "sort").layers["nonzeros"].sum() > 0
    assert not any("bits" in vars(layer) for rung in ladder for layer in rung.layers.values())


def test_the_default_ladder_climbs_from_the_tickets_own_sparsity():
    ticket = ut.Ticket.from_arrays(weights(0))
    sparsities = [rung.sparsity for rung in ut.magnitude_ladder(ticket)]
    assert sparsities[0] == ticket.sparsity
    assert sparsities == sorted(sparsities)
    assert sparsities[-1] == pytest.approx(0.999, abs=1 / sum(map(np.prod, SHAPES.values())))


def test_where_nothing_is_left_there_is_one_rung():
    nothing = ut.Ticket.from_arrays({name: 0.0 * array for name, array in weights(0).items()})
    (rung,) = ut.magnitude_ladder(nothing)
    assert rung.sparsity == 1
    for strategy in ut.STRATEGIES:
        report = ut.simulate(rung, ut.Accelerator(4), strategy)
        assert (report.latency, report.utilization, report.price["touched"]) == (0, 1, 0)
        assert not np.isnan(list(report.price.values())).any()


def test_exactly_the_share_asked_for_is_pruned():
    ticket = ut.Ticket.from_arrays(weights(0))
    total = sum(layer.size for layer in ticket.layers.values())
    for sparsity, rung in zip(
        (0.5, 0.9, 1.0), ut.magnitude_ladder(ticket, (0.5, 0.9, 1)), strict=True
    ):
        assert round(rung.sparsity * total) == int(sparsity * total)


def test_a_rung_can_be_saved_and_regrown_by_magnitude(tmp_path):
    (rung,) = ut.magnitude_ladder(ut.Ticket.from_arrays(weights(0)), [0.9])
    rung.save(tmp_path / "rung.safetensors")
    loaded = ut.load_ticket(tmp_path / "rung.safetensors")
    assert all(np.array_equal(loaded.masks()[name], mask) for name, mask in rung.masks().items())
    plain, balanced = (
        ut.simulate(rung, ut.Accelerator(5), strategy) for strategy in ("none", "uticket-magnitude")
    )
    assert balanced.layers.loc["b", "idle"] == 0 < plain.layers.loc["b", "idle"]


def test_masks_alone_cannot_be_pruned_by_magnitude():
    ticket = ut.Ticket.from_arrays({"conv2": np.ones((4, 4), bool)})
    with pytest.raises(ValueError, match="conv2; make the ticket from weights"):
        ut.magnitude_ladder(ticket)
    with pytest.raises(ValueError, match=r"sparsity must lie in \[0, 1\], not 1.5"):
        ut.magnitude_ladder(ut.Ticket.from_arrays(weights(0)), [1.5])


def test_rungs_and_balanced_tickets_keep_what_is_known_of_a_layer():
    weights = np.random.default_rng(0).standard_normal((8, 4, 3, 3))
    ticket = ut.Ticket.from_arrays(
        {"conv2": weights},
        positions={"conv2": 16},
        input_positions={"conv2": 64},
        spike_sparsity={"conv2": 0.5},
    )
    rung = ut.magnitude_ladder(ticket, [0.8])[0]
    strategies = (name for name, s in ut.STRATEGIES.items() if s.changes == "mask")
    balanced = [ut.balance(rung, ut.Accelerator(4), name) for name in strategies]
    for layer in (changed.layers["conv2"] for changed in (rung, *balanced)):
        assert (layer.positions, layer.input_positions, layer.spike_sparsity) == (16, 64, 0.5)
