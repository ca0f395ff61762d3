"""A run that is killed and started again ends as if it had never stopped."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from few_digits import few_digits

from uticket_lite.edge.processors import processors
from uticket_lite.training import Settings, find_tickets, steps
from uticket_lite.training.checkpoint import load_checkpoint
from uticket_lite.training.directory import RunDirectory, checkpoint_file

SETTINGS = {
    "method": "uticket", "rounds": 3, "epochs": 3, "rewind_epoch": 1, "prune": 0.6
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A short run on a few digits, read from a file."""
    path = few_digits(tmp_path_factory.mktemp("data") / "few.npz", train=300, test=100)
    return Settings(dataset=path, **SETTINGS)


@pytest.fixture(scope="module")
def undisturbed(settings):
    return find_tickets(settings, progress=False)


def assert_alike(run, other):
    histories = (r.history.drop(columns="seconds") for r in (run, other))
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    for one, two in zip(run.tickets, other.tickets, strict=True):
        assert all((one.masks()[name] == mask).all() for name, mask in two.masks().items())
    assert run.trained
    for group in ("trained", "rewound"):
        one, two = getattr(run, group), getattr(other, group)
        assert not one or one.keys() == two.keys(), "what is read has no rewound weights"
        assert all((one[name] == two[name]).all() for name in one)


def test_killed_at_random_points(settings, undisturbed, tmp_path):
    out = tmp_path / "run"
    code = (
        "import sys; from uticket_lite.training import Settings, find_tickets; "
        f"find_tickets(Settings(dataset=sys.argv[1], **{SETTINGS!r}), out=sys.argv[2])"
    )
    command = [sys.executable, "-c", code, settings.dataset, str(out)]
    rng = random.Random(0)
    killed_on_the_way = 0
    for threads in (1, 2, 1, 2):  # by the environment, as a cluster sets them; not the run's own
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
        began = checkpoint_file(out).stat().st_mtime_ns if checkpoint_file(out).exists() else 0
        while process.poll() is None:  # until it has written a checkpoint of its own
            if checkpoint_file(out).exists() and checkpoint_file(out).stat().st_mtime_ns != began:
                break
            time.sleep(0.005)
        time.sleep(rng.random() * 0.4)
        process.send_signal(signal.SIGKILL)
        killed_on_the_way += process.wait() == -signal.SIGKILL
    assert killed_on_the_way >= 1
    assert_alike(find_tickets(settings, out=out, progress=False), undisturbed)


def test_what_torch_was_set_to_changes_nothing(settings, undisturbed):
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            assert_alike(find_tickets(settings, progress=False), undisturbed)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_threads_asked_for_are_used_and_recorded(settings):
    one_round = Settings(**{**settings.__dict__, "rounds": 1})
    run = find_tickets(one_round, progress=False, threads=2)
    assert list(run.history.threads) == [min(2, processors())]


class Killed(BaseException):
    """As a kill would, it leaves everything as it is."""


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 4, 5, 6, 9])
def test_killed_while_a_file_is_replaced(
    settings, undisturbed, tmp_path, monkeypatch, before, write
):
    replace, count = os.replace, 0

    def dying(source, target):
        nonlocal count
        count += 1
        if count == write and before:
            raise Killed
        replace(source, target)
        if count == write:
            raise Killed

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(Killed):
        find_tickets(settings, out=tmp_path, progress=False)
    monkeypatch.setattr(os, "replace", replace)
    assert_alike(find_tickets(settings, out=tmp_path, progress=False), undisturbed)


@pytest.mark.parametrize("write", [2, 4, 7])
def test_killed_within_an_epoch(settings, tmp_path, monkeypatch, write):
    """Of five steps; what is drawn at random, such as Cutout's squares, is drawn as before."""
    drawing = dataclasses.replace(settings, cutout=2, rounds=2, probe=0.9)
    undisturbed = find_tickets(drawing, progress=False)
    count = 0

    def dying(self, state, keep=RunDirectory.keep):
        nonlocal count
        keep(self, state)
        count += 1
        if count == write:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(steps, "PART_SECONDS", 0)
        patch.setattr(RunDirectory, "keep", dying)
        with pytest.raises(Killed):
            find_tickets(drawing, out=tmp_path, progress=False)
    _, state = load_checkpoint(checkpoint_file(tmp_path))
    assert (state.epoch, state.step) == divmod(write - 1, 5)
    resumed = find_tickets(drawing, out=tmp_path, progress=False)
    assert_alike(resumed, undisturbed)
    assert list(resumed.probes) == list(undisturbed.probes)


def test_a_finished_run_is_read_not_repeated(settings, undisturbed, tmp_path):
    first = find_tickets(settings, out=tmp_path, progress=False)
    again = find_tickets(settings, out=tmp_path, progress=False)
    assert again.history.equals(first.history), "even the seconds"
    assert all((again.trained[name] == value).all() for name, value in first.trained.items())


def test_another_runs_directory_is_left_alone(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("uticket_lite.training.steps.record", _stop)
    with pytest.raises(Killed):
        find_tickets(settings, out=tmp_path, progress=False)
    before = checkpoint_file(tmp_path).read_bytes()
    with pytest.raises(ValueError, match="other settings, .*seed 0 there, 1 here"):
        find_tickets(Settings(**{**settings.__dict__, "seed": 1}), out=tmp_path, progress=False)
    assert checkpoint_file(tmp_path).read_bytes() == before


def test_a_damaged_checkpoint_is_named(settings, tmp_path):
    checkpoint_file(tmp_path).write_bytes(b"damaged" * 100)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is damaged"):
        find_tickets(settings, out=tmp_path, progress=False)


def test_a_full_disk_keeps_the_last_checkpoint(settings, undisturbed, tmp_path, monkeypatch):
    sync, count = os.fsync, 0

    def full(descriptor):
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device.*Make room"):
        find_tickets(settings, out=tmp_path, progress=False)
    monkeypatch.setattr(os, "fsync", sync)
    assert_alike(find_tickets(settings, out=tmp_path, progress=False), undisturbed)


def _stop(setup, state):
    raise Killed
