"""The lottery loop: exact pruning, zeros that stay zero, runs that reproduce."""

import json
import re

import pytest
import torch

import uticket_lite as ut
from uticket_lite import cli
from uticket_lite.shapes import CONV_SHAPES
from uticket_lite.training import Settings, find_tickets
from uticket_lite.training.datasets import load_dataset
from uticket_lite.training.loop import evaluate, train
from uticket_lite.training.networks import make_network, prunable
from uticket_lite.training.pruning import apply_masks, prune_smallest

SHORT = {"rounds": 3, "epochs": 1, "rewind_epoch": 1, "prune": 0.6}


@pytest.fixture(scope="module")
def short_run():
    return find_tickets(Settings(method="uticket", **SHORT), progress=False)


def test_exactly_k_of_the_smallest_alive_weights_are_pruned():
    torch.manual_seed(0)
    weights = {"a": torch.randn(7, 5), "b": torch.randn(11)}
    masks = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()}
    alive = 46
    for _ in range(6):
        masks = prune_smallest(weights, masks, 0.25)
        alive -= int(0.25 * alive)
        kept = torch.cat([weights[name][mask].abs() for name, mask in masks.items()])
        gone = torch.cat([weights[name][~mask].abs() for name, mask in masks.items()])
        assert kept.numel() == alive
        assert kept.min() > gone.max()


def test_ties_are_pruned_to_the_exact_number_too():
    weights = {"a": torch.ones(10)}
    masks = prune_smallest(weights, {"a": torch.ones(10, dtype=torch.bool)}, 0.25)
    assert masks["a"].sum() == 8


def test_pruned_weights_stay_exactly_zero():
    torch.manual_seed(0)
    network, data = make_network("digits", timesteps=4), load_dataset("digits")
    layers = prunable(network)
    masks = {name: torch.rand_like(layer.weight) < 0.1 for name, layer in layers.items()}
    apply_masks(layers, masks)
    train(
        network, data, masks, epochs=1, batch=256, learning_rate=0.1,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    for name, layer in layers.items():
        assert (layer.weight[~masks[name]] == 0).all()
        assert (layer.weight[masks[name]] != 0).all()


def test_network_has_the_layers_of_its_shape_table():
    layers = prunable(make_network("digits", timesteps=4))
    for conv in CONV_SHAPES["digits"]:
        assert tuple(layers[conv.name].weight.shape) == conv.weights
    assert list(layers) == ["conv1", "conv2", "conv3", "conv4", "linear1"]


def test_spike_sparsity_is_the_share_of_zero_inputs():
    torch.manual_seed(0)
    network, data = make_network("digits", timesteps=4), load_dataset("digits")
    _, spikes = evaluate(network, data)
    seen = []
    prunable(network)["conv2"].register_forward_pre_hook(lambda m, x: seen.append(x[0]))
    network.eval()
    network(data.test_images)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}, "binary spikes"
    assert spikes["conv2"] == pytest.approx(1 - seen[0].mean().item(), abs=1e-6)


def test_every_round_is_pruned_balanced_and_recorded(short_run):
    history = short_run.history
    assert list(history["round"]) == [0, 1, 2]
    assert history["sparsity"].is_monotonic_increasing
    assert (history["utilization"] == 1).all()
    assert (history["utilization_before_balancing"][1:] < 1).all()
    for row, ticket in zip(history.itertuples(), short_run.tickets, strict=True):
        assert ticket.provenance["accuracy"] == row.accuracy
        assert ticket.counted == ("conv2", "conv3", "conv4")
        assert ut.simulate(ticket, ut.Accelerator(16)).utilization == 1


def test_the_same_seed_gives_the_same_tickets(short_run, tmp_path):
    again = find_tickets(Settings(method="uticket", **SHORT), progress=False)
    for one, other in zip(short_run.tickets, again.tickets, strict=True):
        assert all((one.masks()[name] == mask).all() for name, mask in other.masks().items())
    seconds = ["seconds"]
    assert again.history.drop(columns=seconds).equals(short_run.history.drop(columns=seconds))


def test_interrupting_keeps_the_finished_rounds(monkeypatch):
    from uticket_lite.training import lottery

    def stop_in_round_1(*arguments, calls=[]):  # noqa: B006
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(*arguments)

    monkeypatch.setattr(lottery, "evaluate", stop_in_round_1)
    run = find_tickets(Settings(**SHORT), progress=False)
    assert len(run.tickets) == len(run.history) == 1


def test_the_command_writes_tickets_that_load(tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["train", "--rounds", "2", "--epochs", "2", "--out", str(out)]) == 0
    assert "wrote 2 tickets" in capsys.readouterr().out
    ticket = ut.load_ticket(out / "round-01.safetensors")
    about = json.loads((out / "history.json").read_text())
    assert about["rounds"][1]["sparsity"] == ticket.provenance["sparsity"]
    assert about["settings"]["seed"] == 0
    assert about["versions"]["torch"] == torch.__version__


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "lht"], "method 'lht'.*mean 'lth'"),
        (["--network", "lenet"], "network 'lenet'.*digits"),
        (["--dataset", "mnist"], "dataset 'mnist'.*digits"),
        (["--rounds", "0"], "rounds must be 1 or more, not 0"),
        (["--epochs", "1"], "rewind_epoch=2 is after the 1 epochs"),
    ],
)
def test_bad_options_write_nothing(options, words, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["train", "--out", str(out), *options]) == 2
    assert re.search(words, capsys.readouterr().err)
    assert not out.exists()
