"""Sweeps on a cluster of separate processes: the same rows, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite.cli import main
from uticket_lite.simulation import chunks

pytest.importorskip("pyarrow")
distributed = pytest.importorskip("distributed")

STRATEGIES = ["none", "shuffle", "lpt", "uticket"]
ARRIVED = []
"""In a worker: one entry for each time that a `Counted` arrived there."""


@dataclass(frozen=True)
class Counted(ut.Strategy):
    """Notes when it arrives in a process, and so when the question does."""

    def __setstate__(self, state):
        ARRIVED.append(os.getpid())
        self.__dict__.update(state)


@dataclass(frozen=True)
class Killer(ut.Strategy):
    """Kills every process it runs in, except the one that asked."""

    asked: int = 0

    def order(self, counts, starts, rng):
        if os.getpid() != self.asked:
            os.kill(os.getpid(), signal.SIGKILL)


class Cluster:
    """A scheduler and workers, each a process, on loopback."""

    def __init__(self, folder):
        self.file, self.processes = folder / "scheduler.json", []
        scheduler = "dask_scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0"
        self.scheduler = self._start(*scheduler)
        deadline = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.client = distributed.Client(scheduler_file=str(self.file), timeout=60)

    def _start(self, program, *options):
        """Without the memory manager, which drops copies of workers that idle, as they do where
        the machine is busy: tickets would travel again."""
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1"]
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [*command, "--scheduler-file", str(self.file), *options],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__START": "False",
            },
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def add_workers(self, number):
        workers = [
            self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
            for _ in range(number)
        ]
        self.client.wait_for_workers(len(self.client.nthreads()) + number, timeout=120)
        return workers

    def close(self):
        self.client.close(timeout=1)
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "SECONDS", 0.02)


def run(**options):
    return ut.sweep("digits-lth", range(1, 20), strategies=STRATEGIES, seeds=[0, 5, 2], **options)


@pytest.fixture(scope="module")
def alone():
    return run()


def after_files(folder, number, then):
    """Call `then` in another thread, once the folder holds that many files of rows."""

    def watch():
        while len(list(folder.glob("*.parquet"))) < number:
            time.sleep(0.002)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_one_two_and_four_workers_and_threads_find_the_same(cluster, alone, tmp_path):
    pd.testing.assert_frame_equal(run(workers=3), alone)
    for more in (1, 1, 2):
        cluster.add_workers(more)
        number = len(cluster.client.nthreads())
        pd.testing.assert_frame_equal(run(client=cluster.client), alone)
        folder = tmp_path / str(number)
        pd.testing.assert_frame_equal(run(client=cluster.client, folder=folder), alone)
    assert number == 4

    # The question, and so the tickets, arrive in each process at most once.
    counted = Counted("counted", "", "order", "", "")
    many = {"seeds": range(200), "strategies": counted}  # more chunks than one worker gets to
    ut.sweep("digits-lth", range(1, 200), client=cluster.client, **many)
    arrived = cluster.client.run(lambda: len(__import__("test_cluster").ARRIVED))
    assert set(arrived.values()) <= {0, 1}
    assert sum(arrived.values()) > 1, "several workers took part"


def test_the_command_line_runs_on_a_cluster(cluster, alone, tmp_path, capsys):
    given = ["sweep", "digits-lth", "--pe", "1-19", "--seed", "0", "5", "2"]
    given += ["--strategy", *STRATEGIES, "--scheduler", cluster.client.scheduler.address]
    assert main([*given, "--out", str(tmp_path / "rows")]) == 2
    assert "has no workers; start one" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    cluster.add_workers(1)
    assert main([*given, "--out", str(tmp_path / "rows")]) == 0
    assert "dashboard: http://127.0.0.1:" in capsys.readouterr().out
    read = pd.read_parquet(tmp_path / "rows")
    pd.testing.assert_frame_equal(read, alone, check_categorical=False)


@pytest.mark.parametrize("survivors", [0, 1])
def test_a_worker_killed_on_the_way_loses_nothing(cluster, alone, tmp_path, survivors):
    """Not even if it was the only one, once another one comes."""
    victim = cluster.add_workers(1 + survivors)[0]

    def kill():
        victim.kill()
        if not survivors:
            cluster._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")

    thread = after_files(tmp_path, 2, kill)
    table = run(client=cluster.client, folder=tmp_path)
    thread.join()
    assert victim.wait() == -signal.SIGKILL
    pd.testing.assert_frame_equal(table, alone)


def test_a_scheduler_that_dies_is_told_of_and_the_rows_so_far_are_kept(cluster, alone, tmp_path):
    cluster.add_workers(2)
    thread = after_files(tmp_path, 2, cluster.scheduler.kill)
    with pytest.raises(ConnectionError, match=r"scheduler at tcp://127.*is lost.*run it again"):
        run(client=cluster.client, folder=tmp_path)
    thread.join()
    so_far = pd.read_parquet(tmp_path)
    assert 0 < len(so_far) < len(alone)
    pd.testing.assert_frame_equal(run(folder=tmp_path), alone)


def test_a_chunk_that_kills_workers_is_told_of(cluster):
    cluster.add_workers(4)  # the scheduler tries a task on four before it gives up
    killer = Killer("killer", "", "order", "", "", asked=os.getpid())
    with pytest.raises(ChildProcessError, match="died of the same chunk"):
        ut.sweep("digits-lth", strategies=killer, client=cluster.client)
