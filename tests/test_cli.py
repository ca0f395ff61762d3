"""The `uticket` command prints what the library computes, and refuses in one line."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import uticket_lite as ut
from uticket_lite import cli

UTICKET = Path(sys.executable).parent / "uticket"


@pytest.fixture
def run(capsys):
    """Run `uticket` with words; returns its exit code, stdout and stderr."""

    def run_uticket(*words):
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as stop:  # argparse's own way to refuse
            code = stop.code
        return code, *capsys.readouterr()

    return run_uticket


@pytest.fixture
def state_dict(tmp_path):
    """A file of a network's weights without spike sparsities or positions."""
    rng = np.random.default_rng(0)
    file = tmp_path / "net.safetensors"
    masks = {f"conv{i}.weight": rng.random((20, 4, 3, 3)) < 0.1 for i in (1, 2, 10)}
    save_file({name: mask.astype(np.float32) for name, mask in masks.items()}, file)
    return file


def nan_as_null(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def test_simulate_prints_the_report_as_json(run):
    options = ["--strategy", "uticket", "--pe", "8", "--seed", "3", "--cycles", "weights"]
    code, out, err = run("simulate", "digits-lth", "--round", 9, "--json", *options)
    assert (code, err) == (0, "")
    found = json.loads(out, parse_constant=no_constant)
    ticket, pes = ut.load_ticket("digits-lth", round=9), ut.Accelerator(8)
    report = ut.simulate(ticket, pes, "uticket", 3, cycles="weights")
    figures = ("utilization", "latency", "work", "idle", "energy")
    assert found == {
        "ticket": {"name": "digits-lth", "round": 9, "timesteps": 4},
        "accelerator": {"n_pe": 8, "mapping": "output-channel"},
        "seed": 3,
        "cycles": "weights",
        "strategy": "uticket",
        **{name: getattr(report, name) for name in figures},
        "sparsity": report.ticket.sparsity,
        "price": report.price,
        "layers": report.layers.reset_index().to_dict("records"),
    }


def test_compare_prints_the_comparison_as_json(run):
    options = ["--mapping", "input-channel", "--pe", 4, "--json"]
    code, out, _ = run("compare", "digits-uticket", *options)
    assert code == 0
    found = json.loads(out, parse_constant=no_constant)
    pes = ut.Accelerator(4, "input-channel")
    table = ut.compare(ut.load_ticket("digits-uticket"), pes)
    assert found["strategies"] == table.reset_index().to_dict("records")
    assert found["accelerator"] == {"n_pe": 4, "mapping": "input-channel"}
    _, out, _ = run("compare", "digits-lth", "--strategy", "sort", "none", "--json")
    assert [row["strategy"] for row in json.loads(out)["strategies"]] == ["sort", "none"]


def test_what_is_not_known_is_null(run, state_dict):
    _, out, _ = run("simulate", state_dict, "--json")
    found = json.loads(out, parse_constant=no_constant)
    report = ut.simulate(ut.Ticket.from_safetensors(state_dict), ut.Accelerator())
    assert found["energy"] is None
    assert found["ticket"]["round"] is None
    layers = report.layers.reset_index().to_dict("records")
    for row, layer in zip(found["layers"], layers, strict=True):
        assert row == {name: nan_as_null(value) for name, value in layer.items()}
    _, out, _ = run("compare", state_dict, "--json")
    rows = json.loads(out, parse_constant=no_constant)["strategies"]
    assert {row["energy"] for row in rows} == {None}


def test_people_read_figures_with_units_and_a_row_per_layer(run):
    code, out, err = run("simulate", "digits-lth")
    assert (code, err) == (0, "")
    report = ut.simulate(ut.load_ticket("digits-lth"), ut.Accelerator())
    for line in (
        f"utilization  {report.utilization:.3f}\n",
        f"latency      {report.latency:,} cycles\n",
        f"work         {report.work:,} PE-cycles\n",
        f"idle         {report.idle:,} PE-cycles\n",
        f"energy       {report.energy:,.0f} times one PE's dynamic energy per input spike\n",
    ):
        assert line in out
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["conv2", "conv3", "conv4"]


def test_people_read_a_row_per_strategy(run):
    _, out, _ = run("compare", "digits-lth")
    assert [line.split()[0] for line in out.splitlines()[-len(ut.STRATEGIES) :]] == list(
        ut.STRATEGIES
    )


def test_people_are_told_what_a_state_dict_does_not_know(run, state_dict):
    _, out, _ = run("simulate", state_dict)
    assert "a state dict's cycles are those of one output position and timestep" in out
    assert "energy       not known: no spike sparsity" in out
    assert [line.split()[0] for line in out.splitlines()[-2:]] == ["conv2", "conv10"]
    assert "nan" not in out.lower()


def test_balance_writes_the_balanced_ticket(run, tmp_path):
    file = tmp_path / "b.safetensors"
    options = ["--out", file, "--pe", 8, "--seed", 5]
    code, out, err = run("balance", "digits-lth", "--round", 10, *options)
    assert (code, err) == (0, "")
    ticket = ut.load_ticket("digits-lth", round=10)
    wanted, found = ut.balance(ticket, ut.Accelerator(8), "uticket", 5), ut.load_ticket(file)
    for name, mask in wanted.masks().items():
        assert (found.masks()[name] == mask).all()
    assert found.provenance["balanced"]["strategy"] == "uticket"
    before, after = (ut.simulate(t, ut.Accelerator(8)) for t in (ticket, found))
    assert f"utilization {before.utilization:.3f} -> 1.000" in out
    assert f"latency {before.latency:,} -> {after.latency:,} cycles" in out
    _, out, _ = run("simulate", file, "--pe", 8, "--json")
    assert json.loads(out)["utilization"] == 1


def test_balance_replaces_a_file_only_when_told_to(run, tmp_path):
    file = tmp_path / "t.safetensors"
    ut.synthetic_ticket("digits").save(file)
    before = file.read_bytes()
    code, out, err = run("balance", file, "--out", file)
    assert (code, out) == (2, "")
    assert "exists; name another file, or replace it by --force" in err
    assert file.read_bytes() == before
    assert run("balance", file, "--out", file, "--force")[0] == 0
    assert ut.simulate(ut.load_ticket(file), ut.Accelerator()).utilization == 1
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["simulate", "digits-ltj"], "'digits-ltj' is not known.*mean 'digits-lth'"),
        (["simulate", "digits-lth", "--round", "99"], "rounds 0 to 14, not 99"),
        (["simulate", "none.safetensors"], "no ticket or state dict file at none.safetensors"),
        (["simulate", "digits-lth", "--strategy", "srot"], "choose one of: .*Did you mean 'sort'"),
        (["simulate", "digits-lth", "--cycles", "clock"], "choose one of: full, weights"),
        (["simulate", "digits-lth", "--mapping", "rows"], "output-channel, input-channel"),
        (["simulate", "digits-lth", "--pe", "0"], "must be 1 or more, not 0"),
        (["simulate", "digits-lth", "--pe", "x"], "argument --pe: invalid int value: 'x'"),
        (["simulate", "digits-lth", "--seed", "-1"], "seed must be 0 or more"),
        (["compare", "digits-lth", "--strategy", "none", "srot"], "'srot' is not known"),
        (
            ["simulate", "digits-lth", "--strategy", "sort", "--mapping", "input-channel"],
            "no effect with mapping 'input-channel'",
        ),
        (["simulate"], "required: TICKET"),
        ([], "required: command"),
        (["simualte", "digits-lth"], "invalid choice: 'simualte'"),
    ],
)
@pytest.mark.parametrize("json_too", [False, True])
def test_bad_input_is_refused_in_one_line(run, words, problem, json_too):
    code, out, err = run(*words, *(["--json"] if json_too and words else []))
    assert (code, out) == (2, "")
    assert err.startswith("uticket: ")
    assert err.count("\n") == 1
    assert re.search(problem, err)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["digits-lth", "--strategy", "sort"], "'sort' changes order, not masks.*balance with"),
        (["digits-lth", "--strategy", "utiket"], "mean 'uticket'"),
        (["digits-lth", "--mapping", "rows"], "'rows' is not known"),
        (["digits-ltj"], "mean 'digits-lth'"),
        (["digits-lth", "--out", "{}/b.npz"], "must end in .safetensors"),
        (["digits-lth", "--out", "{}/none/b.safetensors"], "no folder .*none to write b.safe"),
        (["digits-lth", "--out", "{}/dir.safetensors", "--force"], "is a folder"),
    ],
)
def test_bad_input_writes_nothing(run, tmp_path, options, problem):
    (tmp_path / "dir.safetensors").mkdir()
    words = [word.format(tmp_path) for word in options]
    code, out, err = run("balance", "--out", tmp_path / "b.safetensors", *words)
    assert (code, out) == (2, "")
    assert os.listdir(tmp_path) == ["dir.safetensors"]
    assert re.search(problem, err)


def test_damaged_files_are_refused_in_one_line(run, tmp_path):
    file = tmp_path / "t.safetensors"
    ut.synthetic_ticket("digits").save(file)
    content = file.read_bytes()
    for bad in (b"", content[:50], content[:-1], b"{}" * 100):
        file.write_bytes(bad)
        code, out, err = run("simulate", file)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "cannot be read as a ticket or state dict" in err
    code, _, err = run("simulate", file, "--round", 3)
    assert (code, err[:33]) == (2, "uticket: --round 3 goes with a re")


@pytest.mark.parametrize("command", ["simulate", "compare", "balance"])
def test_help_names_every_strategy_it_takes(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    for name, strategy in ut.STRATEGIES.items():
        listed = f"  {name:<18} {strategy.label}" in out
        assert listed == (command != "balance" or strategy.changes == "mask")
    if command != "balance":
        for words in (*ut.MAPPINGS, "PE-cycles", "one PE's dynamic energy per input spike"):
            assert words in out


def test_its_version_is_what_a_report_of_a_fault_needs(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert told.startswith(f"uticket-lite {ut.__version__}, Python {sys.version.split()[0]}, ")


def test_interrupting_exits_with_130(run, monkeypatch):
    def interrupted(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("uticket_lite.cli.tickets.simulate", interrupted)
    assert run("simulate", "digits-lth") == (130, "", "")


def test_a_reader_who_has_seen_enough_is_no_error():
    """As in `uticket … | head`, with a reader that is gone before the first line."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [UTICKET, "compare", "digits-lth"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == b""


def test_running_tickets_does_not_load_torch(state_dict, tmp_path):
    code = f"""import sys
from uticket_lite import cli
cli.main(["simulate", {str(state_dict)!r}])
cli.main(["compare", "digits-lth"])
cli.main(["balance", "digits-lth", "--out", {str(tmp_path / "b.safetensors")!r}])
assert "torch" not in sys.modules"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
