"""Several runs at once, on processes and on a real Dask cluster: the tickets of each run alone."""

import dataclasses
import os
import signal
import threading
import time

import pandas as pd
import pytest
from few_digits import few_digits

import uticket_lite as ut
from uticket_lite.training import Settings, find_tickets, find_tickets_many
from uticket_lite.training.directory import checkpoint_file


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    path = few_digits(tmp_path_factory.mktemp("data") / "few.npz", train=200, test=50)
    common = dict(dataset=path, epochs=4, rewind_epoch=1, prune=0.6)
    return {
        "lth-0": Settings(**common, rounds=3),
        "lth-1": Settings(**common, rounds=2, seed=1),
        "uticket-0": Settings(**common, rounds=2, method="uticket"),
    }


@pytest.fixture(scope="module")
def alone(settings, tmp_path_factory):
    return {name: find_tickets(one, progress=False) for name, one in settings.items()}


def assert_alike(runs, alone):
    assert runs.keys() == alone.keys()
    for name, run in runs.items():
        histories = (r.history.drop(columns="seconds") for r in (run, alone[name]))
        pd.testing.assert_frame_equal(*histories, check_exact=True)
        for mine, his in zip(run.tickets, alone[name].tickets, strict=True):
            assert all((mask == his.masks()[layer]).all() for layer, mask in mine.masks().items())
        assert run.trained.keys() == alone[name].trained.keys() != set()
        assert all((alone[name].trained[key] == value).all() for key, value in run.trained.items())


def kill_the_one_that_trains(directory, find_pid, killed):
    """SIGKILL to the process that has written a checkpoint in the directory, once."""
    file = checkpoint_file(directory)
    while not file.exists():
        time.sleep(0.01)
    began = file.stat().st_mtime_ns
    while file.exists() and file.stat().st_mtime_ns == began:
        time.sleep(0.01)
    pid = find_pid(directory / ".lock")
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)


def holder(lock):
    """The process that has the file open."""
    for process in os.listdir("/proc"):
        try:
            links = [
                os.readlink(f"/proc/{process}/fd/{fd}") for fd in os.listdir(f"/proc/{process}/fd")
            ]
        except (OSError, ValueError):
            continue
        if str(lock) in links:
            return int(process)
    return None


@pytest.fixture
def killer(tmp_path):
    killed = []
    arguments = (tmp_path / "lth-0", holder, killed)
    thread = threading.Thread(target=kill_the_one_that_trains, args=arguments, daemon=True)
    thread.start()
    return killed


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="finds workers in /proc")


@needs_proc
def test_processes_one_of_them_killed(settings, alone, tmp_path, killer):
    runs = find_tickets_many(settings, out=tmp_path, processes=2, progress=False)
    assert len(killer) == 1
    assert_alike(runs, alone)
    again = find_tickets_many(settings, out=tmp_path, progress=False)
    assert_alike(again, alone)


@needs_proc
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_of_processes_one_of_them_killed(settings, alone, tmp_path, killer):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        runs = find_tickets_many(settings, out=tmp_path, client=client, progress=False)
    assert len(killer) == 1
    assert_alike(runs, alone)


def test_a_strategy_written_in_a_notebook_reaches_the_workers(settings, tmp_path):
    class Mine(ut.Strategy):
        def balance(self, layer, accelerator, rng):
            return ut.STRATEGIES["uticket"].balance(layer, accelerator, rng)

    mine = Mine("mine", "", "mask", "", "")
    one = dataclasses.replace(settings["uticket-0"], method="lth", epochs=1)
    runs = find_tickets_many({"a": one}, out=tmp_path, processes=1, strategy=mine, progress=False)
    assert runs["a"].strategy == "mine"
    by_name = find_tickets(dataclasses.replace(one, method="uticket"), progress=False)
    for mine_too, his in zip(runs["a"].tickets, by_name.tickets, strict=True):
        assert all((mask == his.masks()[name]).all() for name, mask in mine_too.masks().items())


def test_strategies_by_the_names_of_runs(settings, tmp_path):
    one = dataclasses.replace(settings["lth-0"], rounds=1, epochs=1, rewind_epoch=0)
    given = {"b": ut.STRATEGIES["uticket"]}
    runs = find_tickets_many({"a": one, "b": one}, out=tmp_path / "runs", processes=2,
                             strategy=given, progress=False)  # fmt: skip
    assert {name: run.strategy for name, run in runs.items()} == {"a": None, "b": "uticket"}
    with pytest.raises(ValueError, match="run 'c' is not known; choose one of: a"):
        find_tickets_many({"a": one}, out=tmp_path / "none", strategy={"c": given["b"]})
    assert not (tmp_path / "none").exists()


def test_names_that_are_no_directories_are_refused(settings, tmp_path):
    for name in ("", "..", "a/b"):
        with pytest.raises(ValueError, match="the name of a run is that of its directory"):
            find_tickets_many({name: settings["lth-0"]}, out=tmp_path)
    with pytest.raises(TypeError, match="settings of 'a' must be of type Settings"):
        find_tickets_many({"a": {"seed": 0}}, out=tmp_path)
    assert not list(tmp_path.iterdir())
