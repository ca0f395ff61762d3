"""`Explorer`: controls, a chart, figures and words over a pure function of a state."""

import base64
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode

import anywidget
import pandas as pd
import traitlets
from IPython import get_ipython

from uticket_lite.edge.checks import instance, one_of
from uticket_lite.explore.controls import (
    State,
    exact,
    from_link,
    from_page,
    nearest,
    shown_controls,
)
from uticket_lite.explore.export import export
from uticket_lite.explore.page import SPECS, STATIC, packed_vega, script
from uticket_lite.explore.still import somebody_looks, still

Frame = dict[str, Any]
"""What an explorer shows for a state.

data: data set name → column name → list. figures: [label, text] pairs. summary: the view in words.
message: why something is not shown. clicks: columns that a click on a mark sets in the state.
`Explorer.frame` has more: the state, its link, its controls, how long it took, and whether it
will be another one later, as the source grows."""

PAUSE = 0.3
"""Seconds between frames of a source that grows."""


class Explorer(anywidget.AnyWidget):
    """Shows `make(state, source)` and moves on when a control is moved.

    `state` may be read and set, `link` is the same as text. The page draws its chart (see
    `charts`) once and gets new data with every move. Vega travels to it as a message from the
    kernel, once per page: nothing is fetched from elsewhere, and neither Vega nor data are saved
    with the notebook, only a picture and the words.

    kind: its name, as in links and in `charts`. make: a pure function. state: where to begin; its
    class declares the controls (see `controls`). source: what is explored.
    """

    _esm = script("widget")
    _css = STATIC / "explorer.css"
    kind = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, kind: str, make: Callable[[Any, Any], Frame], state: State, source: Any
    ) -> None:
        self._make = make
        self.source = source
        self._lock = threading.RLock()  # messages may arrive on several threads
        self._listeners: list[Callable[[State], object]] = []
        self._growing = self._closed = False
        self._trouble = ""
        self._thread: threading.Thread | None = None
        self._state = nearest(state, source, state)
        super().__init__(kind=kind, spec=json.loads(SPECS.read_text(encoding="utf-8"))[kind])
        self.on_msg(self._answer)
        _close_forerunners(self)

    @property
    def state(self) -> State:
        """Where the controls stand. Setting it raises ValueError where no control can stand, and
        then nothing moves."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        kind = type(self._state)
        instance("state", state, kind, "replace(explorer.state, …)")
        self._go(exact(state, self.source))

    @property
    def link(self) -> str:
        """The state as text, to be kept or passed on; may be set."""
        return f"{self.kind}?{urlencode(asdict(self._state))}"

    @link.setter
    def link(self, link: str) -> None:
        self._go(from_link(link, self.kind, self._state, self.source))

    @property
    def frame(self) -> Frame:
        """What is shown."""
        return self.framed(self._state)

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

    def export(
        self,
        path: str | os.PathLike[str],
        controls: Mapping[str, Any] | Iterable[str] = (),
        **values: Iterable[Any],
    ) -> dict[str, int]:
        """Write one HTML file with this explorer, which needs no kernel and no network.

        controls: names of those that move in the file, all their values or, in a mapping or as
        keywords, some: `export("page.html", ["round"], n_pe=[4, 16, 64])`. The others stay where
        they are, and are shown disabled. Default: as many of the first ones as 12,000 states
        allow. Returns how many values each control has in the file. Raises ValueError for what no
        control can do, or for more states; then nothing is written.
        """
        given = dict(controls) if isinstance(controls, Mapping) else dict.fromkeys(controls)
        self.wait()
        with self._lock:
            return export(self, path, given | values)

    def _repr_mimebundle_(self, **about: Any) -> Any:
        """The widget, and for those who cannot show it words and figures; where nobody can move
        anything (nbconvert), those and a picture, alone."""
        if not somebody_looks():
            self.wait()
            return {"text/plain": repr(self), "text/html": still(self, drawn=True)}
        data, metadata = super()._repr_mimebundle_(**about) or ({}, {})
        return {**data, "text/html": still(self, drawn=False)}, metadata

    def nearest(self, **changes: Any) -> State:
        """The state after these changes, moved to where controls can stand.

        Raises ValueError for a name that no control knows.
        """
        for name in changes:
            one_of("control", name, asdict(self._state))
        return nearest(replace(self._state, **changes), self.source, self._state)

    def on_move(self, listener: Callable[[State], object]) -> None:
        """Call `listener(state)` after every move."""
        self._listeners.append(listener)

    def follow(
        self, coming: Iterable[Any], add: Callable[[Any], object], *, ends: bool = True
    ) -> None:
        """Give what is coming to `add`, which changes the source, in a thread of its own, and show
        the frame again as it grows.

        ends: whether that comes to an end by itself; `export` and still pictures wait for it then.
        """
        self._growing = True
        thread = threading.Thread(target=self._follow, args=(coming, add), daemon=True)
        self._thread = thread if ends else None
        thread.start()

    def _follow(self, coming: Iterable[Any], add: Callable[[Any], object]) -> None:
        shown = time.monotonic()
        try:
            for each in coming:
                if self._closed:
                    return
                with self._lock:
                    add(each)
                if time.monotonic() - shown > PAUSE:
                    self.send({"frame": self.frame})
                    shown = time.monotonic()
        except Exception as error:  # it would vanish with the thread
            self._trouble = f"{type(error).__name__}: {error}"
        self._growing = False
        self.send({"frame": self.frame})

    def wait(self) -> None:
        """Until all is known that is being computed here."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Take it off the page and out of memory, with its layout."""
        self._closed = True
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()

    def framed(self, state: State) -> Frame:
        """The frame of a state where controls can stand, with what the page needs besides."""
        began = time.perf_counter()
        with self._lock:
            frame = self._make(state, self.source)
            controls = shown_controls(state, self.source)
            growing = self._growing
        trouble = {"message": self._trouble} if self._trouble else {}
        return {
            "message": "",
            "figures": [],
            "clicks": [],
            **frame,
            **trouble,
            "growing": growing,
            "state": state,
            "controls": controls,
            "link": f"{self.kind}?{urlencode(asdict(state))}",
            "took": 1000 * (time.perf_counter() - began),
        }

    def _go(self, state: State, **answer: Any) -> None:
        """Move, tell the page, then the listeners."""
        with self._lock:
            frame = self.framed(state)
            self._state = state
            self.send({"frame": frame, **answer})
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self._state)

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the page; states travel as dictionaries."""
        if frame := content.get("frame"):
            content = {**content, "frame": {**frame, "state": asdict(frame["state"])}}
        super().send(content, buffers)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Nothing: a page moves an explorer by messages, which are checked."""

    def _answer(self, widget: Any, content: Any, buffers: list[bytes]) -> None:
        """Answer a message from the page, which is believed no more than any other input."""
        number = content.get("number") if isinstance(content, dict) else None
        number = number if isinstance(number, int) else None
        try:
            self._act(content, number)
        except ValueError as error:
            self.send({"error": str(error), "number": number})
        except Exception as error:  # it would vanish in a log
            self.send({"error": f"{type(error).__name__}: {error}", "number": number})

    def _act(self, content: Any, number: int | None) -> None:
        match content:
            case {"ask": "vega", "text": True}:  # where a front end loses bytes
                self.send({"vega": base64.b64encode(packed_vega()).decode()})
            case {"ask": "vega"}:
                self.send({"vega": ""}, [packed_vega()])
            case {"ask": "frame"}:
                self.send({"frame": self.frame, "number": number})
            case {"ahead": values}:  # a state that may be moved to next
                self.send({"ahead": True, "frame": self._ahead(values), "number": number})
            case {"moved": values}:  # to a frame that the page has
                with self._lock:
                    self._state = exact(from_page(values, self._state), self.source)
                self._tell()
            case {"move": values}:
                with self._lock:
                    moved = from_page(values, self._state)
                    self._go(nearest(moved, self.source, self._state), number=number)
            case {"link": link}:
                state = from_link(link, self.kind, self._state, self.source)
                self._go(state, number=number)
            case _:
                raise ValueError("the page sent a message that no explorer knows")

    def _ahead(self, values: Any) -> Frame | None:
        try:
            return self.framed(exact(from_page(values, self._state), self.source))
        except Exception:  # the move itself will say what is wrong
            return None


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
