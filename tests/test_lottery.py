"""The lottery loop: exact pruning, zeros that stay zero, runs that reproduce."""

import json
import math
import os
import re
from dataclasses import asdict, fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from few_digits import few_digits

import uticket_lite as ut
from uticket_lite import cli
from uticket_lite.training import RECIPES, Settings, find_tickets, steps
from uticket_lite.training.datasets import DATASETS, load_dataset
from uticket_lite.training.early import divergence_by_timestep, early_timesteps
from uticket_lite.training.loop import (
    LOSSES,
    batch_sizes,
    cosine,
    evaluate,
    make_optimizer,
    train_epoch,
)
from uticket_lite.training.networks import make_network, prunable
from uticket_lite.training.pruning import apply_masks, prune_smallest
from uticket_lite.training.record import versions

SHORT = {"dataset": "few digits", "rounds": 3, "epochs": 1, "rewind_epoch": 1, "prune": 0.6}


@pytest.fixture(scope="module", autouse=True)
def few(tmp_path_factory):
    path = few_digits(tmp_path_factory.mktemp("data") / "few.npz", train=300, test=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, SHORT["dataset"], lambda: load_dataset(path))
        yield


def short_run(**options):
    return find_tickets(Settings(**{**SHORT, **options}), progress=False)


@pytest.fixture(scope="module")
def uticket_run():
    return short_run(method="uticket")


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


def test_pruning_by_layer_takes_the_same_share_of_each():
    torch.manual_seed(0)
    weights = {"a": torch.randn(40), "b": 100 * torch.randn(80)}
    masks = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()}
    pruned = prune_smallest(weights, masks, 0.25, scope="layer")
    assert {name: int(mask.sum()) for name, mask in pruned.items()} == {"a": 30, "b": 60}


def test_ties_are_pruned_to_the_exact_number_too():
    weights = {"a": torch.ones(10)}
    masks = prune_smallest(weights, {"a": torch.ones(10, dtype=torch.bool)}, 0.25)
    assert masks["a"].tolist() == [False] * 2 + [True] * 8


def test_pruned_weights_stay_exactly_zero():
    torch.manual_seed(0)
    network, data = make_network("digits", timesteps=4), load_dataset("digits")
    layers = prunable(network)
    masks = {name: torch.rand_like(layer.weight) < 0.1 for name, layer in layers.items()}
    apply_masks(layers, masks)
    optimizer = make_optimizer(network)
    for epoch in range(2):  # in the second, momentum is there from the start
        generator = torch.Generator().manual_seed(epoch)
        train_epoch(
            network,
            optimizer,
            data,
            masks,
            batch=256,
            learning_rate=lambda _: 0.1,
            generator=generator,
        )
    for name, layer in layers.items():
        assert (layer.weight[~masks[name]] == 0).all()
        assert (layer.weight[masks[name]] != 0).all()


def test_learning_rate_falls_as_a_cosine():
    """As torch's own schedule does."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for epoch in range(10):
        assert cosine(0.2, epoch, 10) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("anneal", ["epoch", "step"])
def test_the_learning_rate_falls_after_every_epoch_or_step(anneal, monkeypatch):
    rates, step = [], torch.optim.SGD.step

    def watched(optimizer, *given):
        rates.extend(group["lr"] for group in optimizer.param_groups)
        return step(optimizer, *given)

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    settings = Settings(rounds=1, epochs=2, rewind_epoch=0, batch=200, anneal=anneal)
    images = find_tickets(settings, progress=False).images["train"]
    epoch = math.ceil(images / 200)
    done = [k // epoch if anneal == "epoch" else k / epoch for k in range(2 * epoch)]
    assert rates == pytest.approx([cosine(settings.learning_rate, k, 2) for k in done])


def test_spike_sparsity_is_the_share_of_zero_inputs():
    torch.manual_seed(0)
    network, data = make_network("digits", timesteps=4), load_dataset("digits")
    accuracy, spikes = evaluate(network, data)
    seen = []
    prunable(network)["conv2"].register_forward_pre_hook(lambda m, x: seen.append(x[0]))
    network.eval()
    with torch.no_grad():
        guesses = network(data.prepare(data.test_images)).argmax(1)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}, "binary spikes"
    assert spikes["conv2"] == pytest.approx(1 - seen[0].mean().item(), abs=1e-6)
    assert accuracy == pytest.approx((guesses == data.test_labels).float().mean().item(), abs=0.006)


def test_every_round_is_pruned_balanced_and_recorded(uticket_run):
    history = uticket_run.history
    assert list(history["round"]) == [0, 1, 2]
    assert history["sparsity"].is_monotonic_increasing
    assert (history["utilization"] == 1).all()
    assert (history["utilization_before_balancing"][1:] < 1).all()
    for row, ticket in zip(history.itertuples(), uticket_run.tickets, strict=True):
        assert ticket.provenance["accuracy"] == row.accuracy
        assert ticket.counted == ("conv2", "conv3", "conv4")
        assert ticket.layers["conv3"].positions == 16
        assert ut.simulate(ticket, ut.Accelerator(16)).utilization == 1


def test_trained_weights_are_zero_where_the_ticket_is(uticket_run):
    last = uticket_run.tickets[-1].masks()
    network = make_network("digits")
    network.load_state_dict(uticket_run.trained)
    for name, layer in prunable(network).items():
        assert ((layer.weight != 0).numpy() == last[name]).all()


def test_the_same_seed_gives_the_same_tickets(uticket_run):
    again = short_run(method="uticket")
    for one, other in zip(uticket_run.tickets, again.tickets, strict=True):
        assert all((one.masks()[name] == mask).all() for name, mask in other.masks().items())
    same = again.history.drop(columns="seconds")
    assert same.equals(uticket_run.history.drop(columns="seconds"))
    other = short_run(method="uticket", seed=1)
    assert other.history["latency"].iloc[-1] != uticket_run.history["latency"].iloc[-1]


def test_lottery_tickets_are_nested_and_exact():
    run = short_run(rounds=4)
    total = sum(layer.size for layer in run.tickets[0].layers.values())
    alive = total
    for before, after in zip(run.tickets, run.tickets[1:], strict=False):
        alive -= int(0.6 * alive)
        assert sum(layer.nonzeros for layer in after.layers.values()) == alive
        old, new = before.masks(), after.masks()
        assert all((new[name] <= old[name]).all() for name in new)


def test_what_is_carried_decides_how_sparse_it_gets():
    """The balanced mask regrows weights that the next round prunes again; the original does not."""
    balanced = short_run(method="uticket", rounds=5, prune=0.7)
    original = short_run(method="uticket", rounds=5, prune=0.7, carry="original")
    assert balanced.history["utilization"].iloc[-1] == 1
    assert original.history["utilization"].iloc[-1] == 1
    assert original.history["sparsity"].iloc[-1] > balanced.history["sparsity"].iloc[-1]
    ladder = [1 - 0.3**r for r in range(5)]
    carried = original.history["latency_before_balancing"]
    assert carried.is_monotonic_decreasing
    assert original.history["sparsity"].iloc[-1] == pytest.approx(ladder[-1], abs=0.005)
    assert (original.history["sparsity"] <= np.array(ladder) + 1e-9).all(), "never sparser than LTH"


def test_the_released_carry_takes_its_threshold_from_balanced_weights_and_drops_for_good():
    torch.manual_seed(0)
    weights = {"a": torch.randn(400)}
    before, balanced = (torch.rand(400) < 0.5 for _ in range(2))
    state = SimpleNamespace(masks={"a": balanced}, unbalanced={"a": before}, network={})
    setup = SimpleNamespace(
        settings=Settings(method="uticket", carry="released"), weights=lambda network: weights
    )
    size = weights["a"].abs()
    threshold = size[balanced].sort()[0][int(0.25 * int(balanced.sum()))]
    kept = steps.prune(setup, state)["a"]
    assert torch.equal(kept, before & balanced & (size >= threshold))
    assert (before & ~balanced & (size >= threshold)).any(), "dropped ones, however large"


@pytest.mark.parametrize("method", ["uticket-magnitude", "row-balanced", "regrow-only"])
def test_any_strategy_that_changes_masks_may_take_u_tickets_place(method):
    run = short_run(method=method, rounds=2)
    assert run.history["utilization"].iloc[-1] == 1


def test_early_tickets_search_with_fewer_timesteps_and_end_with_all():
    run = short_run(early_kl=100.0)
    assert list(run.history["timesteps"]) == [1, 1, 4]


def test_timesteps_are_chosen_by_divergence():
    torch.manual_seed(0)
    network, data = make_network("digits", timesteps=4), load_dataset("digits")
    images = data.prepare(data.test_images[:50])
    for _ in range(30):
        network(images)  # gives batch norm its statistics, so that neurons spike
    divergences = divergence_by_timestep(network, images)
    with torch.no_grad():
        network.eval()
        last = network(images).softmax(1)
        first = network.scores(images)[0].softmax(1)
    by_hand = (last * (last / first).log()).sum(1).mean().item()
    assert divergences[0] == pytest.approx(by_hand, rel=1e-4)
    assert divergences[-1] == 0
    assert early_timesteps(network, images, divergences[0] + 1e-6) == 1
    assert early_timesteps(network, images, 1e-9) == 4


def test_interrupting_keeps_the_finished_rounds(monkeypatch):
    calls = []

    def stop_in_round_1(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(*arguments)

    monkeypatch.setattr(steps, "evaluate", stop_in_round_1)
    run = short_run()
    assert len(run.tickets) == len(run.history) == 1
    assert run.trained


def test_the_command_writes_tickets_that_load(tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["train", "--rounds", "2", "--epochs", "2", "--out", str(out)]) == 0
    assert "wrote 2 tickets" in capsys.readouterr().out
    ticket = ut.load_ticket(out / "round-01.safetensors")
    about = json.loads((out / "history.json").read_text())
    assert about["rounds"][1]["sparsity"] == ticket.provenance["sparsity"]
    assert about["settings"]["seed"] == 0
    assert about["versions"]["torch"] == torch.__version__
    assert about["images"] == {"train": 1437, "test": 360}
    assert [row["threads"] for row in about["rounds"]] == [1, 1], "whatever the machine has"
    assert not list(out.glob("checkpoint*"))
    kept = tmp_path / "kept"
    command = ["record", str(out), "--out", str(kept), "--masks-from", "1", "--no-weights"]
    assert cli.main(command) == 0
    assert sorted(path.name for path in kept.iterdir()) == [
        "history.json",
        "round-00.safetensors",
        "round-01.safetensors",
    ]
    assert about.pop("sha256").keys() == {"weights.safetensors"}
    assert json.loads((kept / "history.json").read_text()) == about
    again = (kept / "round-01.safetensors").read_bytes()
    assert again == (out / "round-01.safetensors").read_bytes()
    with pytest.raises(ValueError, match="only how many"):
        ut.load_ticket(kept / "round-00.safetensors").masks()
    assert cli.main(["record", str(tmp_path), "--out", str(kept)]) == 2
    assert "no finished run in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "lht"], "method 'lht'.*mean 'lth'"),
        (["--network", "lenet"], "network 'lenet'.*digits"),
        (["--precision", "float8"], "precision 'float8'.*bfloat16"),
        (["--rewind-epoch", "5", "--epochs", "2"], "rewind_epoch=5 is after the 2 epochs"),
        (["--dataset", "mnist"], "dataset 'mnist'.*digits"),
        (["--rounds", "0"], "rounds must be 1 or more, not 0"),
        (["--epochs", "1"], "rewind_epoch=2 is after the 1 epochs"),
        (["--carry", "none"], "carry 'none'.*balanced, original"),
        (["--scope", "row"], "scope 'row'.*global, layer"),
        (["--n-pe", "0"], "n_pe .* 1 or more, not 0"),
    ],
)
def test_bad_options_write_nothing(options, words, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["train", "--out", str(out), *options]) == 2
    assert re.search(words, capsys.readouterr().err)
    assert not out.exists()


def test_lamp_compares_shares_of_what_is_left():
    """Against the definition, loop by loop (Lee et al. 2021, Eq. 1)."""
    torch.manual_seed(0)
    weights = {"a": torch.randn(6, 5), "b": 0.01 * torch.randn(40), "c": torch.randn(3)}
    masks = {name: torch.rand(weight.shape) < 0.8 for name, weight in weights.items()}
    scores = {}
    for name, weight in weights.items():
        alive = [(i, w * w) for i, w in enumerate(weight.flatten().double().tolist())]
        alive = [(i, s) for i, s in alive if masks[name].flatten()[i]]
        for i, square in alive:
            scores[name, i] = square / sum(other for _, other in alive if other >= square)
    k = int(0.6 * len(scores))
    kept = set(sorted(scores, key=scores.get)[k:])
    pruned = prune_smallest(weights, masks, 0.6, scope="lamp")
    found = {(n, i) for n, mask in pruned.items() for i in mask.flatten().nonzero()[:, 0].tolist()}
    assert found == kept
    assert all(mask.any() for mask in pruned.values()), "no layer is emptied"


def test_the_loss_of_each_timestep_is_the_mean_of_their_cross_entropies():
    scores, labels = torch.randn(3, 5, 10), torch.arange(5)
    each = [torch.nn.functional.cross_entropy(step, labels) for step in scores]
    assert LOSSES["each-timestep"](scores, labels).item() == pytest.approx(sum(each).item() / 3)
    of_mean = torch.nn.functional.cross_entropy(scores.mean(0), labels)
    assert LOSSES["mean-score"](scores, labels).item() == pytest.approx(of_mean.item())


def test_a_last_batch_of_one_image_joins_the_one_before():
    assert batch_sizes(9, 4) == [4, 5]
    assert batch_sizes(10, 4) == [4, 4, 2]
    assert batch_sizes(8, 4) == [4, 4]
    assert batch_sizes(1, 4) == [1]
    assert batch_sizes(3, 1) == [1, 1, 1]


def tiny(path, train=9, shape=(3, 32, 32)):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (train, *shape)).astype(np.uint8)
    np.savez(
        path,
        train_images=images,
        train_labels=np.arange(train) % 3,
        test_images=images[:2],
        test_labels=[0, 1],
    )
    return path


def test_one_image_left_over_is_trained_and_batches_of_one_are_refused_at_once(tmp_path):
    data = tiny(tmp_path / "nine.npz")
    common = dict(dataset=data, network="vgg9", timesteps=1, rounds=1, epochs=1, rewind_epoch=0)
    assert len(find_tickets(Settings(**common, batch=4), progress=False).rows) == 1
    with pytest.raises(ValueError, match="batch norm cannot learn from one .*use batch=2 or more"):
        find_tickets(Settings(**common, batch=1), out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_images_that_networks_cannot_take_are_refused_at_once(tmp_path):
    """They are laid out for squares, of any size."""
    data = tiny(tmp_path / "wide.npz", shape=(3, 8, 32))
    with pytest.raises(ValueError, match=r"images of shape \(9, 3, 8, 32\) are not square"):
        find_tickets(Settings(dataset=data, network="vgg9"), out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_what_was_validated_is_what_is_kept():
    settings = Settings(
        dataset=Path("some.npz"), timesteps=np.int64(2), learning_rate=np.float32(1), prune=0
    )
    kept = (settings.dataset, settings.timesteps, settings.learning_rate, settings.prune)
    assert kept == ("some.npz", 2, 1.0, 0.0)
    assert [type(value) for value in kept] == [str, int, float, float]
    json.dumps(asdict(settings))
    for name, value in (("learning_rate", 0), ("early_kl", float("nan")), ("probe", 1)):
        with pytest.raises(ValueError, match=f"{name} must"):
            Settings(**{name: value})
    for name, value in (("timesteps", 2.5), ("seed", True), ("prune", "much")):
        with pytest.raises(TypeError, match=f"{name} must"):
            Settings(**{name: value})


def test_help_and_docstring_say_of_every_setting_what_its_declaration_does(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for declared in fields(Settings):
        assert f"--{declared.name.replace('_', '-')} " in shown
        assert f"    {declared.name}: {declared.metadata['help']}" in Settings.__doc__
        for name in declared.metadata["names"]():
            assert name in shown.replace("- ", "-")


def test_the_released_recipe(tmp_path):
    path = tiny(tmp_path / "cifar.npz")
    settings = RECIPES["released"].settings(dataset=path)
    assert asdict(settings) == {
        **asdict(Settings(dataset=path)),
        "network": "vgg16",
        "init": "kaiming",
        "neuron": "input-decay",
        "loss": "each-timestep",
        "norm": "stepwise",
        "cutout": 16,
        "carry": "released",
        "batch": 128,
        "learning_rate": 0.1,
        "timesteps": 4,
        "epochs": 300,
        "rewind_epoch": 20,
    }
    short = RECIPES["released"].settings(dataset=path, network="resnet19", epochs=30, init="torch")
    assert (short.rewind_epoch, short.init, short.network) == (2, "torch", "resnet19")
    assert RECIPES["released"].otherwise
    with pytest.raises(ValueError, match="setting 'epoch' is not known.*mean 'epochs'"):
        RECIPES["released"].settings(epoch=1)


def test_a_strategy_of_ones_own_balances_as_the_same_method_does(uticket_run, tmp_path):
    """As a Strategy object or as a function; and each round is there as soon as it ends."""

    def mine(ticket, accelerator, seed):
        return ut.balance(ticket, accelerator, "uticket", seed=seed)

    seen = []
    run = find_tickets(
        Settings(**SHORT),
        progress=False,
        strategy=mine,
        out=tmp_path,
        after_round=lambda so_far: seen.append(len(so_far.tickets)),
    )
    assert seen == [1, 2, 3]
    assert run.strategy.endswith("mine")
    assert run.history["latency"].equals(uticket_run.history["latency"])
    assert json.loads((tmp_path / "history.json").read_text())["strategy"] == run.strategy
    with pytest.raises(ValueError, match="other settings.*strategy"):
        find_tickets(Settings(**SHORT), progress=False, out=tmp_path)
    with pytest.raises(ValueError, match="'uticket' and a strategy of your own cannot both"):
        find_tickets(Settings(method="uticket"), strategy=mine)
    with pytest.raises(ValueError, match="'sort' changes no mask"):
        find_tickets(Settings(), strategy=ut.STRATEGIES["sort"])
    with pytest.raises(TypeError, match="balancing must give a Ticket, not None"):
        find_tickets(Settings(**SHORT), progress=False, strategy=lambda *given: None)


def test_threads_are_capped_to_what_the_container_grants(tmp_path, monkeypatch, capsys):
    from uticket_lite.edge import processors
    from uticket_lite.training.threads import using_threads

    before = torch.get_num_threads()
    monkeypatch.setattr(processors, "CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(processors, "MINE", tmp_path / "mine")
    (tmp_path / "mine").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert processors.processors() == min(2, os.cpu_count())
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert processors.processors() == 1
    with using_threads(4096):
        assert torch.get_num_threads() == 1
    assert "4096 threads asked for, 1 granted" in capsys.readouterr().err
    assert torch.get_num_threads() == before
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert processors.processors() >= 1


def test_the_build_of_torch_is_recorded_not_only_its_version(monkeypatch):
    """What PyPI's metadata leave out."""
    monkeypatch.setattr(torch, "__version__", "2.13.0+cu130")
    assert versions()["torch"] == "2.13.0+cu130"
