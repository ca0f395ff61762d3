"""A sweep's rows are on disk while it runs, and an interruption costs what was running."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite.cli import main
from uticket_lite.cli.sweep import numbers
from uticket_lite.simulation import chunks, workers
from uticket_lite.simulation.rows import Rows

pytest.importorskip("pyarrow")

STRATEGIES = ["none", "shuffle", "lpt", "uticket"]


@dataclass(frozen=True)
class Dies(ut.Strategy):
    """Kills the process it runs in, unless that is the one that asked."""

    asked: int = 0

    def order(self, counts, starts, rng):
        if os.getpid() != self.asked:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "SECONDS", 0.01)


@pytest.fixture(scope="module")
def ticket():
    return ut.synthetic_ticket("digits", 0.95, filter_cov=0.5)


def run(ticket, **options):
    return ut.sweep(
        {"t": ticket}, range(1, 20), strategies=STRATEGIES, seeds=[0, 5, 2],
        gating=list(ut.GATINGS), **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(ticket):
    return run(ticket)


@pytest.mark.parametrize(
    "where",
    [{}, {"workers": 3}, {"workers": 2, "processes": True}],
    ids=["one", "threads", "processes"],
)
@pytest.mark.parametrize("on_disk", [False, True])
def test_the_table_is_the_same_wherever_it_is_computed(ticket, whole, tmp_path, where, on_disk):
    table = run(ticket, folder=tmp_path / "rows" if on_disk else None, **where)
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    if on_disk:
        read = pd.read_parquet(tmp_path / "rows")
        pd.testing.assert_frame_equal(read, whole, check_exact=True, check_categorical=False)
        assert len(list((tmp_path / "rows").glob("*.parquet"))) > 3


def test_an_interrupted_sweep_goes_on_and_computes_nothing_twice(
    ticket, whole, tmp_path, monkeypatch
):
    write, run_chunk, ran = Rows.write, workers.run_chunk, []

    def interrupted(rows, span, encoded):
        if len(list(rows.folder.glob("*.parquet"))) == 3:
            raise KeyboardInterrupt
        write(rows, span, encoded)

    monkeypatch.setattr(Rows, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(ticket, folder=tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert len(before) == 3
    so_far = pd.read_parquet(tmp_path)
    assert 0 < len(so_far) < len(whole)

    monkeypatch.setattr(Rows, "write", write)
    monkeypatch.setattr(
        workers, "run_chunk", lambda *given: (ran.append(given[1]), run_chunk(*given))[1]
    )
    pd.testing.assert_frame_equal(run(ticket, folder=tmp_path), whole)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert before.items() <= after.items()
    points = [p for first, last in ran for p in range(first, last)]
    assert len(points) == (len(whole) - len(so_far)) / len(ut.GATINGS)

    ran.clear()
    run(ticket, folder=tmp_path)
    assert not ran, "all is there"


def test_ctrl_c_leaves_whole_files_says_so_and_the_command_goes_on(tmp_path):
    """SIGINT, as the terminal sends it."""
    rows = tmp_path / "rows"
    command = [
        sys.executable, "-m", "uticket_lite.cli", "sweep", "digits-lth", "--strategy", "shuffle",
        "uticket", "--pe", "2-32", "--seed", "0-9", "--out", str(rows),
    ]  # fmt: skip
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list(rows.glob("*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"interrupted; the rows so far are in {rows}" in said
    assert "Traceback" not in said
    assert not out
    so_far = pd.read_parquet(rows)
    assert 0 < len(so_far) < 2 * 31 * 10
    asked = dict(n_pe=range(2, 33), strategies=["shuffle", "uticket"], seeds=range(10))
    whole = ut.sweep({"digits-lth": "digits-lth"}, **asked, folder=rows, progress=False)
    assert len(whole) == 2 * 31 * 10
    pd.testing.assert_frame_equal(whole[: len(so_far)], so_far, check_categorical=False)


def test_an_interrupt_is_answered_between_chunks_and_the_second_at_once():
    with chunks.interrupts() as check:
        check()
        signal.raise_signal(signal.SIGINT)  # nothing is half done
        with pytest.raises(KeyboardInterrupt):
            check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_killed_sweep_leaves_whole_files_and_goes_on(tmp_path):
    """SIGKILL, in the middle; the same command again."""
    rows = tmp_path / "rows"
    command = [
        sys.executable, "-m", "uticket_lite.cli", "sweep", "digits-lth", "--strategy", "shuffle",
        "uticket", "--pe", "2-32", "--seed", "0-59", "--out", str(rows),
    ]  # fmt: skip
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(rows.glob("*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL, "it was killed, it did not end"
    so_far = pd.read_parquet(rows)
    assert 0 < len(so_far) < 2 * 31 * 60
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"wrote {rows}" in done.stdout
    table = pd.read_parquet(rows)
    assert len(table) == 2 * 31 * 60
    pd.testing.assert_frame_equal(
        table[:31].reset_index(drop=True),
        ut.sweep("digits-lth", range(2, 33), strategies=["shuffle", "uticket"])[:31],
        check_categorical=False,
    )


def test_files_that_are_not_whole_are_computed_again(ticket, whole, tmp_path):
    run(ticket, folder=tmp_path)
    files = sorted(tmp_path.glob("*.parquet"))
    files[1].write_bytes(files[1].read_bytes()[:100])
    files[2].write_bytes(b"")
    (tmp_path / f".{files[3].name}.part").write_bytes(files[3].read_bytes()[:50])
    first, last = files[0].stem.split("-")[1:]
    files[0].rename(tmp_path / f"points-{first}-{int(last) + 1:012d}.parquet")  # a row too few
    pd.testing.assert_frame_equal(run(ticket, folder=tmp_path), whole)


def test_files_that_overlap_count_once(ticket, whole, tmp_path):
    """As after two sweeps at a time into one folder."""
    run(ticket, folder=tmp_path)
    table = whole.iloc[3:12]  # points 1 to 3
    table.to_parquet(tmp_path / f"points-{1:012d}-{4:012d}.parquet", index=False)
    pd.testing.assert_frame_equal(run(ticket, folder=tmp_path), whole)


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"n_pe": [4, 9]}, "n_pe"),
        ({"seeds": 1}, "seeds"),
        ({"strategies": "sort"}, "strategies"),
        ({"strategies": [ut.Strategy("none2", "", "nothing", "", "", each=2)]}, "strategies"),
        ({"mappings": "input-channel"}, "mappings"),
        ({"gating": "ungated"}, "gating"),
        ({"cycles": "weights"}, "cycles"),
        ({"tickets": ("digits-lth", 3)}, "tickets"),
    ],
)
def test_another_question_in_the_same_folder_is_refused(tmp_path, changed, differs):
    question = {"tickets": "digits-lth", "n_pe": [4, 8], "strategies": "none"}
    ut.sweep(**question, folder=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=f"another sweep: {differs} differ .* another folder"):
        ut.sweep(**{**question, **changed}, folder=tmp_path)
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_changed_strategy_of_the_same_name_is_another_question(tmp_path):
    def mine(each):
        return ut.Strategy("mine", "", "schedule", "", "", each=each)

    ut.sweep("digits-lth", strategies=mine(2), folder=tmp_path)
    with pytest.raises(ValueError, match="strategies differ"):
        ut.sweep("digits-lth", strategies=mine(3), folder=tmp_path)


def test_folders_that_cannot_hold_a_sweep_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for folder, error, message in (
        (tmp_path, ValueError, "holds other things"),
        (tmp_path / "none" / "rows", FileNotFoundError, "no folder .* make it first"),
        (tmp_path / "notes.txt", NotADirectoryError, "is a file"),
    ):
        with pytest.raises(error, match=message):
            ut.sweep("digits-lth", strategies="none", folder=folder)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_without_collecting_the_rows_are_in_the_folder_alone(ticket, whole, tmp_path):
    table = run(ticket, folder=tmp_path, collect=False)
    assert list(table) == list(whole)
    assert table.empty
    assert len(pd.read_parquet(tmp_path)) == len(whole)
    with pytest.raises(ValueError, match="collect=False needs a folder"):
        run(ticket, collect=False)


def test_a_worker_process_that_dies_is_told_of(ticket):
    dies = Dies("dies", "", "order", "", "", asked=os.getpid())
    with pytest.raises(ChildProcessError, match="worker process died"):
        ut.sweep(ticket, strategies=dies, workers=2, processes=True)


def test_command_line_writes_what_the_function_returns(tmp_path, capsys):
    code = main(
        ["sweep", "digits-lth:3", "digits-lth", "--pe", "2-6:2", "16", "--seed", "0-1",
         "--strategy", "none", "shuffle", "--gating", "paper", "ungated", "--workers", "2",
         "--out", str(tmp_path / "rows")]
    )  # fmt: skip
    assert code == 0
    assert "read_parquet" in capsys.readouterr().out
    expected = ut.sweep(
        {"digits-lth:3": ("digits-lth", 3), "digits-lth": "digits-lth"}, [2, 4, 6, 16],
        strategies=["none", "shuffle"], seeds=[0, 1], gating=["paper", "ungated"],
    )  # fmt: skip
    table = pd.read_parquet(tmp_path / "rows")
    pd.testing.assert_frame_equal(table, expected, check_categorical=False)


def test_command_line_says_what_is_wrong(tmp_path, capsys):
    for given, message in (
        (["digits-lth:x"], "'x' is no round; write digits-lth:14"),
        (["digits-lth", "--strategy", "srot"], "Did you mean 'sort'"),
        (["digits-lth", "--workers", "0"], "workers must be 1 or more"),
    ):
        assert main(["sweep", *given, "--out", str(tmp_path / "rows")]) == 2
        assert message in capsys.readouterr().err
    for wrong in ("a", "2-x", "4:0"):
        with pytest.raises(Exception, match="is no number, and no range as 2-64 or 2-64:2"):
            numbers(wrong)
    assert not list(tmp_path.iterdir())
    assert np.array_equal(numbers("2-10:4"), [2, 6, 10])
