"""The recorded digit tickets show the fall of utilization and its recovery."""

import hashlib
import json
import re
import shlex
from dataclasses import asdict

import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_digits

import uticket_lite as ut
from uticket_lite.tickets.recorded import DATA, runs_with_spikes, spikes_file
from uticket_lite.training import LotteryRun, Settings, load_network, record_spikes
from uticket_lite.training.datasets import load_dataset
from uticket_lite.training.record import write_spikes

PES = ut.Accelerator(16)


@pytest.mark.parametrize("name", ut.recorded_tickets())
def test_history_is_that_of_the_tickets(name):
    history = ut.load_history(name)
    settings = json.loads((DATA / name / "history.json").read_text())["settings"]
    assert len(history) == settings["rounds"]
    for row in history.itertuples():
        ticket = ut.load_ticket(name, round=row.round)
        assert ticket.provenance["accuracy"] == row.accuracy
        report = ut.simulate(ticket, PES, cycles="weights")
        assert report.utilization == pytest.approx(row.utilization)
        assert report.latency == row.latency
        sizes = [layer.size for layer in ticket.layers.values()]
        alive = [layer.nonzeros for layer in ticket.layers.values()]
        assert 1 - sum(alive) / sum(sizes) == pytest.approx(row.sparsity)
        spikes = [ticket.layers[name].spike_sparsity for name in ticket.counted]
        assert sum(spikes) / len(spikes) == pytest.approx(row.spike_sparsity)


@pytest.mark.parametrize("seed", range(5))
def test_plain_pruning_leaves_pes_waiting_and_uticket_does_not(seed):
    lth, uticket = (
        runs[runs["seed"] == seed]
        for runs in (ut.load_seeds(f"digits-{method}") for method in ("lth", "uticket"))
    )
    assert 0.97 < lth["sparsity"].iloc[-1] < 0.99
    assert lth["utilization"].iloc[1] > 0.9
    assert lth["utilization"].iloc[-1] < 0.45
    assert (uticket["utilization"] == 1).all()
    assert uticket["latency"].iloc[-1] < 0.75 * lth["latency"].iloc[-1]


def test_accuracy_survives_balancing():
    """Within about a point at every sparsity, in the mean of five seeds."""
    lth, uticket = (
        ut.load_seeds(f"digits-{method}").groupby("round")["accuracy"].mean()
        for method in ("lth", "uticket")
    )
    assert lth.iloc[0] > 0.98
    assert (lth - uticket).abs().max() < 0.015


def test_runs_start_alike():
    lth, uticket = (ut.load_history(name) for name in ("digits-lth", "digits-uticket"))
    assert lth["accuracy"][0] == uticket["accuracy"][0]
    settings = [
        json.loads((DATA / name / "history.json").read_text())["settings"]
        for name in ("digits-lth", "digits-uticket")
    ]
    assert {key for key in settings[0] if settings[0][key] != settings[1][key]} == {"method"}


def test_unknown_names_and_rounds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'digits-ltj'.*mean 'digits-lth'"):
        ut.load_ticket("digits-ltj")
    with pytest.raises(ValueError, match="digits-lth has rounds 0 to 14, not 15"):
        ut.load_ticket("digits-lth", round=15)
    with pytest.raises(ValueError, match="round=3 goes with a recorded ticket's name"):
        ut.load_ticket(tmp_path / "x.safetensors", round=3)
    for load in (ut.load_history, ut.load_seeds):
        with pytest.raises(ValueError, match="choose one of: digits-lth"):
            load("digits")


def test_all_files_are_those_that_the_index_lists():
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    listed = {path: digest for digest, path in (line.split("  ") for line in lines)}
    files = [
        f for f in DATA.rglob("*") if f.is_file() and f.name not in ("SHA256SUMS", "README.md")
    ]
    assert listed.keys() == {f"./{file.relative_to(DATA).as_posix()}" for file in files}
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert listed[f"./{file.relative_to(DATA).as_posix()}"] == digest, f"{file}: make index"
    assert sum(file.stat().st_size for file in files) < 40e6


@pytest.mark.parametrize("name", runs_with_spikes())
def test_recorded_spikes_are_those_of_the_recorded_network(name, tmp_path):
    """But for single ones, where another processor adds in another order."""
    images = load_dataset("digits")
    third = record_spikes(load_network(name), images.prepare(images.test_images[:3])[2])
    write_spikes(LotteryRun.read(DATA / name), tmp_path, 3)
    written, kept = load_file(spikes_file(tmp_path)), ut.load_spikes(name)
    assert kept.keys() == written.keys() == third.keys()
    for layer, spikes in third.items():
        assert (written[layer][2] == spikes).all(), layer
        assert (kept[layer][2] != spikes).mean() < 0.001, layer
        assert kept[layer].dtype == spikes.dtype == "uint8"


def test_runs_without_spikes_are_refused():
    with pytest.raises(ValueError, match="'vgg16-cifar10-lth'.*digits-lth, digits-uticket"):
        ut.load_spikes("vgg16-cifar10-lth")


@pytest.mark.parametrize("name", ut.recorded_tickets())
def test_it_is_said_how_each_run_was_trained(name):
    about = json.loads((DATA / name / "history.json").read_text())
    images = about["images"]
    if about["settings"]["dataset"] == "digits":
        assert images["train"] + images["test"] == len(load_digits().target)
    else:  # all of them, or as many as the file's name says; see the table in README.md
        assert images["train"] == 50_000 or str(images["train"]) in about["settings"]["dataset"]
        assert images["test"] >= 1_000
    settings = about["settings"]
    ticket = ut.load_ticket(name)
    assert {**settings, **ticket.provenance["settings"]} == settings
    assert not ticket.counts_only
    assert name in (DATA / "README.md").read_text()


def said_in_readme() -> dict[str, tuple[dict[str, str], int]]:
    """Of each run that README.md gives commands for: its options, and the first round of which
    masks are kept. A command stands for both methods."""
    readme, runs = (DATA / "README.md").read_text(), {}
    train = re.findall("^uticket train (.*)\nuticket record (.*)$", readme, re.MULTILINE)
    for line, recorded in train:
        words = shlex.split(line)
        said = {k[2:].replace("-", "_"): v for k, v in zip(words[::2], words[1::2], strict=True)}
        kept = re.search("--out data/(\\S+)-lth .*--masks-from (\\d+)", recorded)
        for method in ("lth", "uticket"):
            runs[f"{kept[1]}-{method}"] = {**said, "method": method}, int(kept[2])
    return runs


def test_the_readme_says_how_networks_were_trained():
    """`make tickets` trains the digits; of the others it gives commands and images."""
    commands, readme = said_in_readme(), (DATA / "README.md").read_text()
    others = [name for name in ut.recorded_tickets() if not name.startswith("digits")]
    assert set(commands) == set(others)
    for name in others:
        about = json.loads((DATA / name / "history.json").read_text())
        options, masks_from = commands[name]
        ran = {key: str(value) for key, value in about["settings"].items()}
        said = {key: str(value) for key, value in asdict(Settings()).items()} | options
        assert {key: said[key] for key in ran} == ran
        images = about["images"]
        assert f"| `{name}` | {images['train']:,} | {images['test']:,} |" in readme
        rounds = ut.load_history(name)["round"]
        counts_only = [ut.load_ticket(name, number).counts_only for number in rounds]
        assert counts_only == [number < masks_from for number in rounds]
        other = name.replace("uticket", "lth")
        first, others = (ut.load_history(run).iloc[0].drop("seconds") for run in (name, other))
        assert first.equals(others), "trained once, however long it took to look at it"
