"""history.json: what it says is checked before anybody believes it."""

import json
import random
import shutil

import pytest

import uticket_lite as ut
from uticket_lite import cli
from uticket_lite.paper import recorded as paper
from uticket_lite.tickets import recorded
from uticket_lite.tickets.history import read_history
from uticket_lite.tickets.recorded import DATA, history_file, recorded_tickets

NAME = "digits-lth"
GOOD = history_file(DATA / NAME).read_text(encoding="utf-8")


def changed(*path, value):
    content = json.loads(GOOD)
    at = content
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(content)


BAD = {
    "empty": "",
    "cut": GOOD[: len(GOOD) // 2],
    "not text": "\ud800",
    "nested": "[" * 100_000,
    "a list": "[]",
    "a number": "3",
    "null": "null",
    "no rounds": '{"settings": {}, "images": {}}',
    "rounds are a table": changed("rounds", value={}),
    "no round": changed("rounds", value=[]),
    "a round is a number": changed("rounds", 3, value=3),
    "rounds out of order": changed("rounds", 3, "round", value=7),
    "sparsity is text": changed("rounds", 3, "sparsity", value="much"),
    "accuracy is true": changed("rounds", 3, "accuracy", value=True),
    "accuracy above 1": changed("rounds", 3, "accuracy", value=94.8),
    "utilization not a number": changed("rounds", 0, "utilization", value=float("nan")),
    "latency negative": changed("rounds", 0, "latency", value=-1),
    "seed is text": changed("settings", "seed", value="0"),
    "settings a list": changed("settings", value=[]),
    "images missing": changed("images", value={}),
    "images of none": changed("images", "test", value=0),
}


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A function that puts a text in the place of a recorded run's history."""
    shutil.copytree(DATA / NAME, tmp_path / NAME)
    for module in (recorded, paper):
        monkeypatch.setattr(module, "DATA", tmp_path)

    def write(text):
        file = history_file(tmp_path / NAME)
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return file

    return write


def test_recorded_histories_are_read():
    for name in recorded_tickets():
        assert len(read_history(history_file(DATA / name))["rounds"]) >= 1


@pytest.mark.parametrize("what", BAD)
def test_a_damaged_history_is_a_value_error_that_names_the_file(broken, what):
    file = broken(BAD[what])
    for read in (ut.load_history, ut.load_seeds, recorded.tested_on):
        with pytest.raises(ValueError, match="is damaged") as caught:
            read(NAME)
        assert str(file) in str(caught.value)


def test_the_command_line_says_so_in_one_line(broken, capsys):
    from uticket_lite.training.record import LotteryRun

    for text in BAD.values():
        file = broken(text)
        assert cli.main(["record", str(file.parent), "--out", str(file.parent.parent / "new")]) == 2
        said = capsys.readouterr().err
        assert "is damaged" in said
        assert "Traceback" not in said
        assert not (file.parent.parent / "new").exists()
        with pytest.raises(ValueError, match="is damaged"):
            LotteryRun.read(file.parent)


def test_any_change_of_its_bytes_is_refused_or_read(broken):
    rng = random.Random(0)
    read = 0
    for _ in range(300):
        content = bytearray(GOOD.encode())
        for _ in range(rng.randrange(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        file = broken("")
        file.write_bytes(content)
        try:
            table = ut.load_history(NAME)
        except ValueError:
            continue
        assert len(table) == 15
        shares = table[["sparsity", "accuracy", "utilization"]].to_numpy()
        assert ((shares >= 0) & (shares <= 1)).all()
        read += 1
    assert read > 10, "digits that become others cannot be noticed"
