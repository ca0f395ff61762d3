"""Advice in errors works: what a message says to do is done, to the letter, and goes."""

import contextlib
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.numpy import save_file
from torch import nn

import uticket_lite as ut
from uticket_lite import cli, explore
from uticket_lite.teach import keeping
from uticket_lite.training import Settings
from uticket_lite.training.datasets import from_npz
from uticket_lite.training.setup import _balance

LTH = ut.load_ticket("digits-lth")
COUNTS = ("vgg16-cifar10-lth", 0)
PES = ut.Accelerator(16)
WEIGHT = np.random.default_rng(0).normal(size=(8, 4, 3, 3)).astype(np.float32)
KEPT = (np.random.default_rng(1).random(WEIGHT.shape) < 0.2).astype(np.float32)
OPPOSITE = 1 - KEPT
OPPOSITE[0, 0] = 0  # says nothing of some that are zero, too
IMAGES = torch.zeros(2, 3, 8, 8)


class Mine(ut.Strategy):
    """Filters in an order of its own."""

    def order(self, counts, starts, rng):
        return np.arange(len(counts))


class Dice(Mine):
    """Drawn where no seed reaches."""

    def order(self, counts, starts, rng):
        np.random.random()
        return np.arange(len(counts))


class OwnDice(Mine):
    """Drawn as it should be."""

    def order(self, counts, starts, rng):
        rng.random()
        return np.arange(len(counts))


class Twice(nn.Module):
    """One layer at two sizes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(self.conv(x)[..., ::2, ::2])


class Unused(nn.Module):
    """A layer that does not run."""

    def __init__(self):
        super().__init__()
        self.conv, self.other = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)

    def forward(self, x):
        return self.conv(x)


def mine(name, kind=Mine, changes="order"):
    return kind(name, name, changes, "", "")


def net(**tensors):
    """A file with these tensors; `__` stands for a dot."""
    save_file(
        {name.replace("__", "."): array for name, array in tensors.items()}, "net.safetensors"
    )
    return "net.safetensors"


def read(**tensors):
    return ut.Ticket.from_safetensors(net(**tensors))


def pth(content):
    torch.save(content, "net.pth")
    return ut.Ticket.from_checkpoint("net.pth")


def uticket(*words):
    """The command; ValueError with what it says where it refuses."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = cli.main([str(word) for word in words])
    if code:
        raise ValueError(said.getvalue())


def sweep(**options):
    return ut.sweep("digits-lth", 4, strategies="none", progress=False, **options)


def made(folder):
    os.makedirs(folder, exist_ok=True)
    return folder


def linear(**options):
    return ut.Ticket.from_model(nn.Linear(5, 4), torch.zeros(2, 3, 5), **options)


ADVICE = {
    "a layer in two ties": (
        lambda: tied(["a", "b"], ["b", "c"]),
        "join its groups into one",
        lambda: tied(["a", "b", "c"]),
    ),
    "a ragged list": (
        lambda: ut.Ticket.from_arrays({"a": [[1, 2], [3]]}),
        "give an array",
        lambda: ut.Ticket.from_arrays({"a": np.array([[1, 2], [3, 0]])}),
    ),
    "options for what is a ticket": (
        lambda: ut.Ticket.from_safetensors(
            LTH.save("t.safetensors") or "t.safetensors", timesteps=2
        ),
        "give the path alone",
        lambda: ut.Ticket.from_safetensors("t.safetensors"),
    ),
    "a mask that keeps zeros": (
        lambda: read(a__weight=WEIGHT * KEPT, a__mask=OPPOSITE),
        "give Ticket.from_arrays its opposite",
        lambda: ut.Ticket.from_arrays({"a": WEIGHT * KEPT}, masks={"a": 1 - OPPOSITE}),
    ),
    "masks that keep nothing": (
        lambda: read(a__weight=WEIGHT, a__mask=0 * KEPT),
        "give Ticket.from_arrays weights and their opposite as masks=",
        lambda: ut.Ticket.from_arrays({"a": WEIGHT}, masks={"a": 1 - 0 * KEPT}),
    ),
    "a mask of what is pruned": (
        lambda: read(a__weight=WEIGHT, a__drop_mask=1 - KEPT),
        "save what is kept, as NAME.mask, or set the pruned weights to 0",
        lambda: (
            read(a__weight=WEIGHT, a__mask=KEPT),
            read(a__weight=WEIGHT * KEPT, a__drop_mask=1 - KEPT),
        ),
    ),
    "masks of nobody": (
        lambda: read(a__weight=WEIGHT, b__weight=WEIGHT + 1, masks__0=KEPT, masks__1=KEPT.copy()),
        "give weights and masks by name to Ticket.from_arrays",
        lambda: ut.Ticket.from_arrays({"a": WEIGHT, "b": WEIGHT}, masks={"a": KEPT, "b": KEPT}),
    ),
    "masks of another name": (
        lambda: pth({"state_dict": {"a.weight": torch.ones(4, 4)}, "masks": {"b": torch.eye(3)}}),
        "save each beside its weight, as NAME.mask",
        lambda: pth({"a.weight": torch.ones(4, 4), "a.mask": torch.eye(4)}),
    ),
    "masks in sets": (
        lambda: pth({"state_dict": {"a.weight": torch.ones(4, 4)}, "masks": {"a": {1, 2}}}),
        r"write the weights alone \(and masks beside them as NAME.mask\)",
        lambda: read(a__weight=np.ones((4, 4)), a__mask=np.eye(4)),
    ),
    "a whole network": (
        lambda: pth(nn.Linear(3, 3)),
        r'save_file\(model.state_dict\(\), "net.safetensors"\)',
        lambda: ut.Ticket.from_safetensors(
            safetensors.torch.save_file(nn.Linear(3, 3).state_dict(), "net.safetensors")
            or "net.safetensors"
        ),
    ),
    "magnitudes of a mask": (
        lambda: ut.magnitude_ladder(LTH),
        "make the ticket from weights, not from masks",
        lambda: ut.magnitude_ladder(ut.Ticket.from_arrays({"a": WEIGHT})),
    ),
    "what is no module": (
        lambda: ut.Ticket.from_model({"a": WEIGHT}, IMAGES),
        "weights alone go to Ticket.from_arrays",
        lambda: ut.Ticket.from_arrays({"a": WEIGHT}),
    ),
    "a scripted network": (
        lambda: ut.Ticket.from_model(torch.jit.script(nn.Conv2d(3, 4, 3)), IMAGES),
        "give the module it was made of",
        lambda: ut.Ticket.from_model(nn.Conv2d(3, 4, 3), IMAGES),
    ),
    "tokens or a batch": (
        lambda: linear(),
        "Give batch_dims=1 .* or batch_dims=2",
        lambda: (linear(batch_dims=1), linear(batch_dims=2)),
    ),
    "a layer at two sizes": (
        lambda: ut.Ticket.from_model(Twice(), IMAGES),
        "say which with Ticket.from_arrays",
        lambda: ut.Ticket.from_arrays({"conv": WEIGHT}, positions={"conv": 64}),
    ),
    "a layer that did not run": (
        lambda: ut.Ticket.from_model(Unused(), IMAGES, counted=["other"]),
        "count one that did run: conv",
        lambda: ut.Ticket.from_model(Unused(), IMAGES, counted=["conv"]),
    ),
    "filters that vary too much": (
        lambda: ut.synthetic_ticket("vgg16", sparsity=0.02, filter_cov=40),
        "take a smaller filter_cov or a higher sparsity",
        lambda: (
            ut.synthetic_ticket("vgg16", sparsity=0.02, filter_cov=0.3),
            ut.synthetic_ticket("vgg16", sparsity=0.9999, filter_cov=40),
        ),
    ),
    "balancing by an order": (
        lambda: ut.balance(LTH, PES, "sort"),
        "Run it with simulate, or balance with one of: uticket,",
        lambda: (ut.simulate(LTH, PES, "sort"), ut.balance(LTH, PES, "uticket")),
    ),
    "cycles past 64 bits": (
        lambda: ut.simulate(long(), PES).latency,
        "look at cycles='weights' instead",
        lambda: ut.simulate(long(), PES, cycles="weights").latency,
    ),
    "a mapping that a strategy cannot": (
        lambda: ut.simulate(LTH, ut.Accelerator(16, "input-channel"), "sort"),
        "use mapping 'output-channel', or another strategy",
        lambda: (
            ut.simulate(LTH, ut.Accelerator(16, "output-channel"), "sort"),
            ut.simulate(LTH, ut.Accelerator(16, "input-channel"), "uticket"),
        ),
    ),
    "masks that only counts are known of": (
        lambda: ut.sweep([COUNTS], strategies=["none", "uticket"], progress=False),
        "take a later round, or sweep it by itself with strategies that leave masks alone",
        lambda: (
            ut.sweep([(COUNTS[0], 14)], strategies=["none", "uticket"], progress=False),
            ut.sweep([COUNTS], strategies=["none", "sort"], progress=False),
        ),
    ),
    "a barrier that PEs run past": (
        lambda: spikes("fifo-d", "position"),
        "take barrier 'wave' or 'layer'",
        lambda: (spikes("fifo-d", "wave"), spikes("fifo-d", "layer")),
    ),
    "two strategies of one name": (
        lambda: ut.compare(LTH, PES, [mine("a"), mine("a")]),
        "rename one of them",
        lambda: ut.compare(LTH, PES, [mine("a"), mine("b")]),
    ),
    "a name of the package's": (
        lambda: ut.simulate(LTH, PES, mine("sort")),
        "give your strategy another name",
        lambda: ut.simulate(LTH, PES, mine("mysort")),
    ),
    "numbers that no seed reaches": (
        lambda: ut.simulate(LTH, PES, mine("dice", Dice)),
        r"draw from the rng that order\(\) and balance\(\) are given",
        lambda: ut.simulate(LTH, PES, mine("dice", OwnDice)),
    ),
    "an order that says it is a mask": (
        lambda: mine("a", changes="mask"),
        r"order\(\) with 'order'",
        lambda: mine("a", changes="order"),
    ),
    "a class": (
        lambda: ut.simulate(LTH, PES, Mine),
        "make one of it first",
        lambda: ut.simulate(LTH, PES, mine("a")),
    ),
    "rows without a folder": (
        lambda: sweep(collect=False),
        "folder='rows', say",
        lambda: sweep(collect=False, folder="rows"),
    ),
    "a folder in no folder": (
        lambda: sweep(folder="no/rows"),
        "no folder no to make rows in; make it first",
        lambda: sweep(folder=f"{made('no')}/rows"),
    ),
    "the folder of another sweep": (
        lambda: (sweep(folder="rows"), sweep(folder="rows", seeds=1)),
        "name another folder, or delete this one",
        lambda: (
            sweep(folder="other", seeds=1),
            shutil.rmtree("rows"),
            sweep(folder="rows", seeds=1),
        ),
    ),
    "a folder of other things": (
        lambda: sweep(folder=(Path(made("full"), "x").touch() or "full")),
        "name a new one",
        lambda: sweep(folder="new"),
    ),
    "too many states for a file": (
        lambda: explore.workload("digits-lth").export(
            "p.html", ["round", "n_pe", "strategy", "versus"]
        ),
        r"Leave a control out, or give fewer values, n_pe=\[4, 16, 64\] say",
        lambda: (
            explore.workload("digits-lth").export("p.html", ["round", "n_pe"]),
            explore.workload("digits-lth").export("p.html", ["round"], n_pe=[4, 16, 64]),
        ),
    ),
    "a state of other controls": (
        lambda: setattr(explore.workload("digits-lth"), "state", {"n_pe": 8}),
        r"write replace\(explorer.state, …\)",
        lambda: replaced(explore.workload("digits-lth"), n_pe=8),
    ),
    "a control where it cannot stand": (
        lambda: setattr(explore.workload("digits-lth"), "link", "workload?n_pe=700"),
        r"nearest: 64",
        lambda: setattr(explore.workload("digits-lth"), "link", "workload?n_pe=64"),
    ),
    "rounds of your own ticket": (
        lambda: explore.rounds(LTH),
        r"explore.workload\(ticket\) opens a ticket of your own",
        lambda: explore.workload(LTH),
    ),
    "an explorer of a path": (
        lambda: explore.workload(Path("t.safetensors")),
        r"ut.load_ticket\(name, round\) and ut.load_ticket\(path\) give tickets",
        lambda: (
            explore.workload(ut.load_ticket("digits-lth", 3)),
            LTH.save("t.safetensors"),
            explore.workload(ut.load_ticket("t.safetensors")),
        ),
    ),
    "what follows rounds": (
        lambda: explore.rounds("digits-lth", opens=LTH),
        r"write opens=explore.workload\(\)",
        lambda: explore.rounds("digits-lth", opens=explore.workload()),
    ),
    "two balancers of a run": (
        lambda: _balance(Settings(method="uticket"), ut.STRATEGIES["row-balanced"]),
        "leave method at 'lth'",
        lambda: _balance(Settings(method="lth"), ut.STRATEGIES["row-balanced"]),
    ),
    "images without labels": (
        lambda: from_npz(arrays(train_images=IMAGES)),
        "it must have train_images, train_labels, test_images, test_labels",
        lambda: from_npz(arrays(**DIGITS)),
    ),
    "images of unlike sizes": (
        lambda: from_npz(arrays(**DIGITS | {"test_images": np.zeros((4, 9, 9))})),
        "they must have the same channels, height and width",
        lambda: from_npz(arrays(**DIGITS)),
    ),
    "an index that is none": (
        lambda: sharded("[]"),
        'it must be JSON with a table "weight_map", tensor to file',
        lambda: sharded(f'{{"weight_map": {{"a.weight": "{net(a__weight=WEIGHT)}"}}}}'),
    ),
    "predictions that are none": (
        lambda: (Path("predictions.json").write_text("[]"), keeping.read()),
        "move it away, and a new one is begun",
        lambda: (os.rename("predictions.json", "away"), keeping.read()),
    ),
    "export: no folder": (
        lambda: uticket("export", "rounds", "--out", "no/page.html"),
        "no folder no to write page.html in; make it first",
        lambda: uticket("export", "rounds", "--out", f"{made('no')}/page.html"),
    ),
    "export: a file that is there": (
        lambda: (Path("p.html").touch(), uticket("export", "rounds", "--out", "p.html")),
        "name another file, or replace it by --force",
        lambda: (
            uticket("export", "rounds", "--out", "q.html"),
            uticket("export", "rounds", "--out", "p.html", "--force"),
        ),
    ),
    "balance: a file that is there": (
        lambda: (Path("t.safetensors").touch(), uticket(*BALANCE, "t.safetensors")),
        "name another file, or replace it by --force",
        lambda: (
            uticket(*BALANCE, "u.safetensors"),
            uticket(*BALANCE, "t.safetensors", "--force"),
        ),
    ),
    "balance: a folder": (
        lambda: uticket(*BALANCE, made("f.safetensors")),
        "is a folder; name a file",
        lambda: uticket(*BALANCE, "f.safetensors/t.safetensors"),
    ),
    "sweep: a round that is none": (
        lambda: uticket("sweep", "digits-lth:last", "--out", "rows"),
        "write digits-lth:14, say",
        lambda: uticket("sweep", "digits-lth:14", "--strategy", "none", "--out", "rows"),
    ),
}
DIGITS = {
    f"{which}_{what}": np.zeros((4, 8, 8) if what == "images" else 4, int)
    for which in ("train", "test")
    for what in ("images", "labels")
}
BALANCE = ("balance", "digits-lth", "--strategy", "uticket", "--out")


def long():
    most = 2**31 - 1
    return ut.Ticket.from_arrays({"a": WEIGHT}, positions={"a": most}, timesteps=most)


def arrays(**named):
    np.savez("set.npz", **named)
    return "set.npz"


def sharded(index):
    Path("net.safetensors.index.json").write_text(index)
    return ut.Ticket.from_safetensors("net.safetensors.index.json")


def tied(*groups):
    return ut.Ticket.from_arrays({name: WEIGHT for name in "abc"}, ties=groups)


def spikes(strategy, barrier):
    layer = LTH.layers["conv2"]
    given = ut.load_spikes("digits-lth")["conv2"][0]
    return ut.simulate_spikes(layer, given, PES, strategy=strategy, barrier=barrier, padding=1)


def replaced(explorer, **changes):
    explorer.state = replace(explorer.state, **changes)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("what", ADVICE)
def test_advice_is_followed_and_works(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong, words, right = ADVICE[what]
    with pytest.raises((ValueError, TypeError, OSError), match=words):
        wrong()
    right()
