"""The `uticket` command with bad input and odd terminals: one line, nothing half-made."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import uticket_lite as ut
from uticket_lite import cli

COMMAND = [sys.executable, "-m", "uticket_lite.cli"]


def run(*words, **options):
    environment = {**os.environ, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, check=False, env=environment, text=True, **options)


def refused(capsys, *words):
    """In this process: exit code 2, nothing on stdout, one line on stderr."""
    try:
        code = cli.main([str(word) for word in words])
    except SystemExit as stop:  # argparse's own way to refuse
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    assert err.startswith("uticket: ")
    assert err.count("\n") == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # np.load leaks
def test_datasets_that_are_damaged_are_refused_before_anything_is_made(tmp_path, capsys):
    good = tmp_path / "good.npz"
    np.savez(good, **{name: np.zeros((4, 2, 2)) for name in ("train_images", "test_images")})
    file = tmp_path / "bad.npz"
    for content in (b"", good.read_bytes()[:60], good.read_bytes()[:-30], good.read_bytes()):
        file.write_bytes(content)
        refused(capsys, "train", "--dataset", file, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "digits-lth", "--pe", 10**12],
        ["simulate", "digits-lth", "--pe", 10**20],
        ["compare", "digits-lth", "--pe", -1],
        ["simulate", "digits-lth", "--seed", "9" * 5000],
        ["simulate", "digits-lth", "--round", 10**30],
        ["sweep", "digits-lth", "--pe", f"2-{10**12}", "--out", "{}/out"],
        ["sweep", "digits-lth", "--seed", f"1-{10**15}", "--out", "{}/out"],
        ["simulate", "x" * 5000 + ".safetensors"],
        ["simulate", "."],
        ["simulate", "nul\udcff.safetensors"],
        ["train", "--rounds", 10**30, "--prune", 2, "--out", "{}/out"],
    ],
)
def test_numbers_and_names_out_of_bounds_are_refused(words, tmp_path, capsys):
    refused(capsys, *(str(word).format(tmp_path) for word in words))
    assert not (tmp_path / "out").exists()


def test_a_closed_stdout_is_no_error():
    for closing in (">&-", ">&- 2>&-"):
        command = " ".join([*COMMAND, "simulate", "digits-lth", closing])
        done = subprocess.run(["sh", "-c", command], check=False, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_under_stdout_is_said():
    with open("/dev/full", "w") as full:
        done = run("simulate", "digits-lth", stdout=full)
    assert done.returncode == 2
    assert done.stderr == "uticket: [Errno 28] No space left on device\n"


def test_terminals_without_letters_get_escapes(tmp_path):
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert "PEs \\xb7 latency" in run("simulate", "--help", env=ascii_only).stdout
    file = tmp_path / "é.safetensors"
    done = run("balance", "digits-lth", "--out", file, env=ascii_only)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9.safetensors: utilization" in done.stdout
    ticket = ut.load_ticket(file)
    ut.Ticket(
        dict(zip(["é1", "ü\x1b]0;x\x07", "日本"], ticket.layers.values(), strict=False))
    ).save(file)
    done = run("simulate", file, env=ascii_only)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u65e5\\u672c" in done.stdout
    done = run("simulate", file, env={"PYTHONIOENCODING": "utf-8"}, encoding="utf-8")
    assert "日本" in done.stdout
    assert not set(done.stdout) & {"\x1b", "\x07"}
    assert run("simulate", "日本", env=ascii_only).returncode == 2


def test_checkpoints_and_sharded_files_are_read(tmp_path, capsys):
    weight = torch.zeros(8, 4, 3, 3)
    weight[:, 0] = 1
    torch.save({"state_dict": {"a.weight": weight, "b.weight": weight}}, tmp_path / "t.pth.tar")
    (tmp_path / "t.safetensors.index.json").write_text(
        '{"weight_map": {"a.weight": "1.safetensors", "b.weight": "2.safetensors"}}'
    )
    for shard, name in (("1", "a.weight"), ("2", "b.weight")):
        save_file({name: weight.numpy()}, tmp_path / f"{shard}.safetensors")
    for file in ("t.pth.tar", "t.safetensors.index.json"):
        assert cli.main(["simulate", str(tmp_path / file), "--json"]) == 0
        assert '"nonzeros": 72' in capsys.readouterr().out


def test_unexpected_errors_are_one_line_too_unless_asked_for_more(monkeypatch, capsys):
    def broken(*words, **options):
        raise KeyError("layer\x1b[31m")

    monkeypatch.setattr("uticket_lite.cli.tickets.simulate", broken)
    assert cli.main(["simulate", "digits-lth"]) == 2
    said = capsys.readouterr().err
    assert said == "uticket: KeyError: 'layer\\x1b[31m' (UTICKET_TRACEBACK=1 shows where)\n"
    monkeypatch.setenv("UTICKET_TRACEBACK", "1")
    with pytest.raises(KeyError):
        cli.main(["simulate", "digits-lth"])


def test_interrupted_before_the_first_round_nothing_is_claimed(monkeypatch, capsys, tmp_path):
    import uticket_lite.training as training
    from uticket_lite.training.record import LotteryRun

    monkeypatch.setattr(training, "find_tickets", lambda s, **_: LotteryRun(s, {}))
    assert cli.main(["train", "--out", str(tmp_path / "out")]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("uticket: interrupted before the first round was finished")


def test_what_a_command_needs_and_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("uticket_lite.teach")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert cli.main(["course", str(tmp_path / "course")]) == 0, "a copy of files needs nothing"
    assert len(list((tmp_path / "course").glob("*.ipynb"))) > 10
    capsys.readouterr()
    page = tmp_path / "class.html"
    assert cli.main(["predictions", str(tmp_path / "some.json"), "--out", str(page)]) == 2
    said = capsys.readouterr().err
    assert "needs ipywidgets" in said
    assert "uticket-lite[course]" in said
    assert not page.exists()
