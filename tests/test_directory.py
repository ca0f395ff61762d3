"""A run owns its directory, tells whose it is, and says what is damaged and what to do."""

import json
import shutil
import subprocess
import sys

import pytest
from few_digits import few_digits

from uticket_lite import cli
from uticket_lite.edge.lock import locked
from uticket_lite.training import LotteryRun, Settings, find_tickets, steps
from uticket_lite.training.directory import checkpoint_file


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A run of a second or less."""
    path = few_digits(tmp_path_factory.mktemp("data") / "few.npz", train=60, test=60)
    return Settings(dataset=path, rounds=2, epochs=1, rewind_epoch=1, timesteps=1, probe=0.9)


@pytest.fixture(scope="module")
def whole(settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, find_tickets(settings, out=out, progress=False)


@pytest.fixture(scope="module")
def interrupted(settings, tmp_path_factory):
    """A run that was interrupted in its second round."""
    out = tmp_path_factory.mktemp("runs") / "interrupted"
    with pytest.MonkeyPatch.context() as patch:
        train, calls = steps.train, []

        def stop_in_round_1(setup, state):
            calls.append(state.round)
            if state.round == 1:
                raise KeyboardInterrupt
            return train(setup, state)

        patch.setattr(steps, "train", stop_in_round_1)
        find_tickets(settings, out=out, progress=False)
    assert calls == [0, 1]
    return out


def copy_of(run, tmp_path):
    return shutil.copytree(run, tmp_path / "copy")


def same(run, other):
    columns = ["seconds"]
    assert run.history.drop(columns=columns).equals(other.history.drop(columns=columns))
    assert run.trained.keys() == other.trained.keys() != set()
    assert all((other.trained[name] == value).all() for name, value in run.trained.items())


def test_probes_are_there_when_a_run_is_read_resumed_or_copied(
    whole, interrupted, settings, tmp_path
):
    out, run = whole
    assert sorted(run.probes) == [0, 1]
    assert run.probes[1].provenance["step"] == 1
    again = LotteryRun.read(out)
    resumed = find_tickets(settings, out=copy_of(interrupted, tmp_path), progress=False)
    again.save(tmp_path / "record")
    for other in (again, resumed, LotteryRun.read(tmp_path / "record")):
        same(run, other)
        assert sorted(other.probes) == [0, 1]
        for step, ticket in run.probes.items():
            seen = other.probes[step].layers
            for name, layer in ticket.layers.items():
                assert (seen[name].counts == layer.counts).all()


def test_the_directory_holds_what_the_layout_says(whole):
    out, run = whole
    assert sorted(file.relative_to(out).as_posix() for file in out.rglob("*")) == [
        "history.json",
        "probes",
        "probes/step-000000.safetensors",
        "probes/step-000001.safetensors",
        "round-00.safetensors",
        "round-01.safetensors",
        "weights.safetensors",
    ]
    assert all(row["threads"] >= 1 for row in run.rows)


HOLD = """
import sys, time
from pathlib import Path
from uticket_lite.edge.lock import locked
with locked(Path(sys.argv[1]), "a run"):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_second_run_is_refused_and_a_killed_owner_lets_go(settings, tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / ".lock")]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(ValueError, match="a run that is training in .* already; wait for it, or"):
        find_tickets(settings, out=tmp_path, progress=False)
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]
    owner.kill()
    owner.communicate()
    assert (tmp_path / ".lock").exists(), "left behind, but not locked"
    lock = tmp_path / ".lock"
    refused = pytest.raises(ValueError, match="there is a run already")
    with locked(lock, "a run"), refused, locked(lock, "a run"):
        pass
    assert not (tmp_path / ".lock").exists()


def test_other_settings_are_refused_before_anything_is_written(whole, interrupted, settings):
    other = Settings(**{**settings.__dict__, "seed": 1})
    for out in (whole[0], interrupted):
        before = {file: file.read_bytes() for file in out.rglob("*.*") if file.is_file()}
        with pytest.raises(ValueError, match="other settings, .*seed 0 there, 1 here.*choose anot"):
            find_tickets(other, out=out, progress=False)
        assert before == {file: file.read_bytes() for file in out.rglob("*.*") if file.is_file()}


def flip(file, where):
    content = bytearray(file.read_bytes())
    content[int(where * len(content))] ^= 4
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("where", [0.0, 0.001, 0.3, 0.6, 0.999])
def test_one_flipped_bit_of_a_checkpoint_is_said_and_the_advice_works(
    where, interrupted, settings, whole, tmp_path
):
    out = copy_of(interrupted, tmp_path)
    flip(checkpoint_file(out), where)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is damaged.*or delete .*copy"):
        find_tickets(settings, out=out, progress=False)
    if where == 0.3:
        shutil.rmtree(out)
        same(whole[1], find_tickets(settings, out=out, progress=False))


def test_a_part_of_a_run_without_its_checkpoint_is_never_taken_for_a_whole_one(
    interrupted, settings, tmp_path
):
    out = copy_of(interrupted, tmp_path)
    checkpoint_file(out).unlink()
    with pytest.raises(ValueError, match="holds 1 of 2 rounds .*delete this one"):
        find_tickets(settings, out=out, progress=False)
    (out / "history.json").unlink()
    with pytest.raises(ValueError, match=r"holds round-00\.safetensors, of a run without"):
        find_tickets(settings, out=out, progress=False)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"settings": {"colour": 1}}', '{"settings": 3}', "[" * 5000, "\udcff"],
)
def test_a_damaged_history_is_named(content, whole, settings, tmp_path):
    out = copy_of(whole[0], tmp_path)
    (out / "history.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"history\.json is damaged: .*Put back a copy"):
        find_tickets(settings, out=out, progress=False)


def test_damaged_weights_are_named(whole, settings, tmp_path):
    out = copy_of(whole[0], tmp_path)
    flip(out / "weights.safetensors", 0.7)
    with pytest.raises(ValueError, match=r"weights\.safetensors is damaged: .*checksum"):
        find_tickets(settings, out=out, progress=False)


def test_what_killed_writes_left_is_swept(interrupted, settings, tmp_path):
    out = copy_of(interrupted, tmp_path)
    (out / ".round-01.safetensors.elsewhere.7.abcd1234.part").write_bytes(b"half")
    find_tickets(settings, out=out, progress=False)
    assert not list(out.glob(".*"))


def test_interrupted_before_the_first_ticket_it_says_so(settings, tmp_path, monkeypatch, capsys):
    def stop(setup, state):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "train", stop)
    options = [f"--{key.replace('_', '-')}={value}" for key, value in settings.__dict__.items()]
    options = [option for option in options if not option.endswith("=None")]
    assert cli.main(["train", "--out", str(tmp_path / "run"), *options]) == 130
    assert "interrupted before round 0 was finished: there is no ticket" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.safetensors"]


def test_early_checkpoints_without_a_checksum_go_on(interrupted, settings, whole, tmp_path):
    """As this package wrote them before: weights in a file of their own, no checksum."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    out = copy_of(interrupted, tmp_path)
    file = checkpoint_file(out)
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    del metadata["sha256"]
    about = json.loads(metadata["uticket-lite checkpoint 1"])
    del about["settings"]["strategy"]
    metadata = {"uticket-lite checkpoint 1": json.dumps(about)}
    tensors = {key: value for key, value in tensors.items() if not key.startswith("trained/")}
    save_file(tensors, file, metadata)
    same(whole[1], find_tickets(settings, out=out, progress=False))
