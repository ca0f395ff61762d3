"""Explorers without a kernel: the exported file, and the still picture where nothing moves."""

import base64
import json
import re
import zlib
from dataclasses import asdict, fields, replace

import pytest

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.cli import main
from uticket_lite.explore.export import MOST


def packed(page):
    (frames,) = re.findall(r'id="uticket-frames">([^<]*)<', page.read_text(encoding="utf-8"))
    return json.loads(zlib.decompress(base64.b64decode(frames)))


def unpacked(file, place):
    """The frame at a place of the table, as the page puts it together."""
    values, shown, data, rest = file["frames"][file["table"][place]]
    return {
        **rest,
        "state": dict(zip(file["first"], values, strict=True)),
        "controls": [file["controls"][i] for i in shown],
        "data": {
            name: {column: file["columns"][i] for column, i in table.items()}
            for name, table in data.items()
        },
    }


@pytest.mark.parametrize("kind", [kind for kind in explore.EXPLORERS if kind != "spikes"])
def test_a_file_holds_the_frames_that_the_explorer_shows(tmp_path, kind):
    explorer = explore.EXPLORERS[kind]("digits-lth")
    page = tmp_path / "page.html"
    known = {field.name for field in fields(explorer.state)}
    moving = {k: v for k, v in {"round": [13, 14], "n_pe": [4, 16]}.items() if k in known}
    explorer.export(page, moving)
    file = packed(page)
    assert file["moving"] == moving
    for place in range(len(file["table"])):
        frame = unpacked(file, place)
        explorer.state = type(explorer.state)(**frame["state"])
        wanted = json.loads(json.dumps(explorer.frame | {"state": asdict(explorer.state)}))
        assert frame == {name: wanted[name] for name in frame}
    assert len({json.dumps(frame[0]) for frame in file["frames"]}) == len(file["table"])
    columns = [json.dumps(column) for column in file["columns"]]
    assert len(set(columns)) == len(columns), "columns that are alike are stored once"


@pytest.mark.parametrize(
    ("kind", "controls"),
    [
        ("rounds", ["network", "x"]),
        ("workload", {"run": None, "round": [3, 14]}),
        ("timeline", {"run": None, "mapping": None}),
        ("strategies", {"run": None, "mapping": None}),
        ("energy", {"run": None, "gating": None}),
        ("sweep", ["run", "figure", "gating"]),
        ("spikes", ["run", "barrier"]),
    ],
)
def test_every_run_fits_into_a_file_with_what_depends_on_it(tmp_path, kind, controls):
    explorer = explore.EXPLORERS[kind]()
    explorer.export(tmp_path / "page.html", controls)
    file = packed(tmp_path / "page.html")
    shown = [unpacked(file, place)["state"] for place in range(len(file["table"]))]
    first = next(iter(file["moving"]))
    assert {state[first] for state in shown} == set(file["moving"][first])


def test_controls_that_depend_on_others_follow_them(tmp_path):
    explorer = explore.workload()
    explorer.state = replace(explorer.state, wave=3)
    explorer.export(tmp_path / "page.html", n_pe=[16, 64])
    file = packed(tmp_path / "page.html")
    assert file["following"] == ["wave"]
    assert unpacked(file, 1)["state"]["wave"] == 0


def test_without_a_word_as_many_controls_move_as_fit(tmp_path):
    explorer = explore.rounds("digits-lth")
    assert explorer.export(tmp_path / "page.html") == {"x": 2, "round": 15}
    assert len(packed(tmp_path / "page.html")["table"]) == 30


def test_a_file_asks_nobody(tmp_path):
    explore.rounds("digits-lth").export(tmp_path / "page.html", ["x"])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page, "the browser refuses whatever is not in the file"
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)|url\(|@import", page)


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        ({"pes": None}, "control 'pes' is not known; choose one of: run, round"),
        ({"n_pe": [65]}, "n_pe must be 1 to 64, not 65"),
        ({"strategy": ["srot"]}, "strategy 'srot' is not known"),
        (
            ["round", "strategy", "n_pe", "versus"],
            f"of strategy .* states; a file holds up to {MOST:,}",
        ),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_written(tmp_path, controls, words):
    with pytest.raises(ValueError, match=words):
        explore.workload("digits-lth").export(tmp_path / "page.html", controls)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_same_file(tmp_path, capsys):
    page, again = tmp_path / "page.html", tmp_path / "again.html"
    command = ["export", "workload?run=digits-lth&n_pe=8", "--ticket", "digits-lth"]
    assert main([*command, "--moves", "round=13,14", "n_pe=4,8", "--out", str(page)]) == 0
    assert "moves in it: round (2), n_pe (2)" in capsys.readouterr().out
    explorer = explore.workload("digits-lth")
    explorer.link = "workload?n_pe=8"
    explorer.export(again, round=[13, 14], n_pe=[4, 8])
    assert page.read_bytes() == again.read_bytes()
    for wrong, words in (
        (["--moves", "n_pe=many", "--force"], "n_pe takes whole numbers"),
        (["--moves", "pes", "--force"], "control 'pes'"),
        ([], "exists; name another file"),
    ):
        assert main([*command, *wrong, "--out", str(page)]) == 2
        assert words in capsys.readouterr().err
    assert main(["export", "workload", "--out", str(tmp_path / "page.txt")]) == 2
    assert page.read_bytes() == again.read_bytes()


def test_where_no_widget_can_be_shown_there_are_words_and_figures():
    explorer = explore.workload("digits-lth")
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert explorer.frame["summary"] in data["text/html"]
    assert "install anywidget" in data["text/html"]
    for label, value in explorer.frame["figures"]:
        assert label in data["text/html"]
        assert value in data["text/html"]


def test_names_are_data_in_the_still_picture_and_in_the_file(tmp_path):
    hostile = "</script><script>alert(1)</script>"
    ticket = ut.Ticket.from_arrays({hostile: [[1, 0], [0, 1]]})
    explorer = explore.workload(ticket)
    data, _ = explorer._repr_mimebundle_()
    assert "<script" not in data["text/html"]
    explorer.export(tmp_path / "page.html")
    assert "alert(1)" not in re.sub(
        r"&lt;script&gt;alert\(1\)", "", (tmp_path / "page.html").read_text()
    )


def test_nbconvert_shows_a_picture_with_words_and_needs_no_scripts(tmp_path):
    """Executed there, as a site or a reader without Jupyter gets it."""
    import nbformat
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    code = "from uticket_lite import explore\nexplore.workload('digits-lth')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    ExecutePreprocessor(timeout=300, kernel_name="python3").preprocess(notebook, {})
    page, _ = HTMLExporter().from_notebook_node(notebook)
    explorer = explore.workload("digits-lth")
    assert 'src="data:image/svg+xml;base64,' in page
    assert explorer.frame["summary"] in page
    (output,) = notebook.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html"}, "no widget, which would need a kernel"
