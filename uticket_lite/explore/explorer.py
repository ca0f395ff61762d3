"""`Explorer`: controls, a chart, figures and words over a pure function of a state."""

import json
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import parse_qsl, urlencode

import anywidget
import pandas as pd
import traitlets
from IPython import get_ipython

from uticket_lite.edge.checks import one_of

_STATIC = Path(__file__).parent / "static"
VEGA_JS = _STATIC / "vega.js"
"""The bundle of Vega for the browser."""
SPECS = _STATIC / "specs.json"
"""What Vega-Lite draws for each kind of explorer. `uticket_lite.explore.bundle` writes both."""

State = Any
"""Where the controls stand: a frozen dataclass of strings and numbers, one for each control."""

Frame = dict[str, Any]
"""What an explorer shows for a state.

state: as shown, which may differ from the one asked for where controls depend on each other.
controls: see `menu` and `slider`. data: data set name → column name → list. figures: [label,
text] pairs. summary: the view in words. message: why something is not shown. clicks: columns
that a click on a mark sets in the state."""

Options = Iterable[tuple[str, Any]]
"""Label and value, in order."""


def menu(name: str, label: str, options: Options, help: str = "") -> dict[str, Any]:
    """A drop-down that sets the state's field `name`."""
    pairs = [list(option) for option in options]
    return {"kind": "menu", "name": name, "label": label, "options": pairs, "help": help}


def slider(
    name: str, label: str, options: Options, help: str = "", *, play: bool = False
) -> dict[str, Any]:
    """A slider over the options that sets the state's field `name`; `play` adds a button that
    moves it on by itself."""
    return {**menu(name, label, options, help), "kind": "slider", "play": play}


def numbers(values: Iterable[int]) -> Options:
    """Options that show the number they stand for."""
    return [(str(value), value) for value in values]


@cache
def _packed_vega() -> bytes:
    return zlib.compress(VEGA_JS.read_bytes(), 9)


class Explorer(anywidget.AnyWidget):
    """Shows `frame(state)` and moves on when a control is moved.

    `state` may be read and set, `link` is the same as text. The page draws its chart (see
    `charts`) once and gets new data with every move. Vega travels to it as a message from the
    kernel, once per page: nothing is fetched from elsewhere, and neither Vega nor data are saved
    with the notebook, only a picture and the words.

    kind: its name, as in links and in `charts`.
    """

    _esm = _STATIC / "explorer.js"
    _css = _STATIC / "explorer.css"
    kind = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)

    def __init__(self, kind: str, frame: Callable[[State], Frame], state: State) -> None:
        self._make = frame
        self._lock = threading.RLock()  # messages may arrive on several threads
        self._listeners: list[Callable[[State], object]] = []
        self._state = frame(state)["state"]
        super().__init__(kind=kind, spec=json.loads(SPECS.read_text())[kind])
        self.on_msg(self._answer)
        _close_forerunners(self)

    @property
    def state(self) -> State:
        """Where the controls stand. Setting it raises ValueError where no control can stand, and
        then nothing moves."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._go(state)

    @property
    def link(self) -> str:
        """The state as text, to be kept or passed on; may be set."""
        return f"{self.kind}?{urlencode(asdict(self._state))}"

    @link.setter
    def link(self, link: str) -> None:
        self.state = self._parsed(link)

    @property
    def frame(self) -> Frame:
        """What is shown."""
        return self._framed(self._state)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The data behind the picture, by name."""
        return {name: pd.DataFrame(columns) for name, columns in self.frame["data"].items()}

    def svg(self) -> str:
        """The picture as an SVG document, drawn without a browser."""
        import vl_convert

        rows = {
            name: [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
            for name, table in self.frame["data"].items()
        }
        return vl_convert.vegalite_to_svg({**self.spec, "background": "white", "datasets": rows})

    def nearest(self, **changes: Any) -> State:
        """The state after these changes, moved to where controls can stand."""
        return self._make(replace(self._state, **changes))["state"]

    def on_move(self, listener: Callable[[State], object]) -> None:
        """Call `listener(state)` after every move."""
        self._listeners.append(listener)

    def _framed(self, state: State) -> Frame:
        """The frame, with what the page needs besides."""
        began = time.perf_counter()
        with self._lock:
            frame = self._make(state)
        took = 1000 * (time.perf_counter() - began)
        link = f"{self.kind}?{urlencode(asdict(frame['state']))}"
        return {"message": "", "figures": [], **frame, "link": link, "took": took}

    def _ahead(self, values: dict[str, Any]) -> Frame | None:
        """The frame of a state that may be moved to next; None if there is none."""
        try:
            return self._framed(type(self._state)(**values))
        except Exception:  # the move itself will say what is wrong
            return None

    def _go(self, state: State, exactly: bool = True, **answer: Any) -> None:
        """Move, tell the page, then the listeners; ValueError if a control cannot stand there."""
        with self._lock:
            frame = self._framed(state)
            if exactly and (nearest := frame["state"]) != state:
                asked, given = asdict(state), asdict(nearest)
                wrong = ", ".join(
                    f"{k}={v!r} (nearest: {given[k]!r})" for k, v in asked.items() if v != given[k]
                )
                raise ValueError(f"no control can stand at {wrong}")
            self._state = frame["state"]
            self.send({"frame": frame, **answer})
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self._state)

    def _parsed(self, link: str) -> State:
        kind, _, query = link.strip().partition("?")
        one_of("explorer", kind, [self.kind])
        types = get_type_hints(type(self._state))
        changes = {
            one_of("control", name, types): types[name](value)
            for name, value in parse_qsl(query, keep_blank_values=True)
        }
        return replace(self._state, **changes)

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the page; states travel as dictionaries."""
        super().send(_plain(content), buffers)

    def _answer(self, widget: Any, content: dict[str, Any], buffers: list[bytes]) -> None:
        number = content.get("number")
        try:
            if content.get("ask") == "vega":
                self.send({"vega": True}, [_packed_vega()])
            elif content.get("ask") == "frame":
                self.send({"frame": self.frame})
            elif "ahead" in content:
                self.send({"ahead": content["ahead"], "frame": self._ahead(content["ahead"])})
            elif "moved" in content:  # to a frame that the page has
                self._state = type(self._state)(**content["moved"])
                self._tell()
            elif "move" in content:  # where controls depend on each other, to the nearest state
                moved = type(self._state)(**content["move"])
                self._go(moved, exactly=False, number=number)
            elif "link" in content:
                self._go(self._parsed(content["link"]), number=number)
        except Exception as error:  # it would vanish in a log
            self.send({"error": f"{type(error).__name__}: {error}", "number": number})


def _plain(content: Any) -> Any:
    if isinstance(content, dict) and content.get("frame"):
        frame = content["frame"]
        return {**content, "frame": {**frame, "state": asdict(frame["state"])}}
    return content


_BY_CELL: dict[str, tuple[str, "weakref.WeakSet[Explorer]"]] = {}


def _close_forerunners(explorer: Explorer) -> None:
    """Close the explorers that an earlier run of this notebook cell made.

    Otherwise every run of the cell would leave one behind, in memory and in the notebook.
    """
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId")
    if not cell:
        return
    run = parent["header"]["msg_id"]
    before, made = _BY_CELL.get(cell, (run, weakref.WeakSet()))
    if before != run:
        for old in list(made):
            old.close()
        made = weakref.WeakSet()
    made.add(explorer)
    _BY_CELL[cell] = run, made
