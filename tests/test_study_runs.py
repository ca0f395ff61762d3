"""The study's runs are listed once, trained by one command, and read into its table."""

from pathlib import Path

import pandas as pd
import pytest
from few_digits import few_digits

from uticket_lite import cli
from uticket_lite.paper.study import SETTINGS
from uticket_lite.tickets.recorded import DATA
from uticket_lite.training import study


def test_every_run_of_the_recorded_table_is_listed():
    """With the settings that it was trained with."""
    recorded = pd.read_csv(DATA / "study.csv").drop_duplicates(["run", "seed"])
    listed = study.study_settings("")
    for row in recorded.to_dict("records"):
        settings = listed[f"{row['run']}-seed{row['seed']}"]
        asked = {name: getattr(settings, name) for name in SETTINGS if name != "dataset"}
        assert asked == {name: row[name] for name in asked}, row["run"]
        assert Path(settings.dataset).stem == row["dataset"]


def test_every_listed_run_has_valid_settings_unlike_all_others(tmp_path):
    runs = study.study_settings(tmp_path)
    assert len(runs) == len(study.STUDY["runs"]) * len(study.STUDY["seeds"])
    assert next(iter(runs)).endswith("-seed0")
    assert len(set(runs.values())) == len(runs)
    assert runs["init-torch-seed2"].init == "torch"
    assert runs["init-torch-seed2"].seed == 2
    assert runs["base-seed0"].dataset == str(tmp_path / study.STUDY["files"]["few"])
    with pytest.raises(ValueError, match="run of the study 'bass'.*mean 'base'"):
        study.study_settings(tmp_path, names=["bass"])


def test_one_command_trains_what_is_missing_and_writes_the_table(tmp_path, capsys, monkeypatch):
    few_digits(tmp_path / "few.npz", train=70, test=100)
    short = {
        "seeds": [0],
        "files": {"few": "few.npz"},
        "common": {"dataset": "few", "epochs": 1, "rewind_epoch": 0, "timesteps": 1, "rounds": 1},
        "runs": {"plain": {"probe": 0.95}, "kaiming": {"init": "kaiming"}},
    }
    monkeypatch.setattr(study, "STUDY", short)
    out = tmp_path / "runs"
    command = ["study", str(out), "--data", str(tmp_path), "--processes", "1"]
    assert cli.main([*command, "--runs", "plain"]) == 0
    assert "1 run, 4 rows" in capsys.readouterr().out
    before = (out / "plain-seed0" / "history.json").read_bytes()
    assert cli.main(command) == 0
    assert "2 runs, 5 rows" in capsys.readouterr().out
    assert (out / "plain-seed0" / "history.json").read_bytes() == before, "not trained again"
    assert cli.main(["study", str(out), "--table", str(tmp_path / "table.csv")]) == 0
    assert (tmp_path / "table.csv").read_text() == (out / "study.csv").read_text()
    assert cli.main(["study", str(tmp_path / "none")]) == 2
    assert "no finished run in a directory of" in capsys.readouterr().err
