"""A class that starts at once: many kernels on one Jupyter server, and everybody moves a slider.

Learners are threads of this process. They talk to a real server over its web sockets, as the
page does, and think for a while between moves. Needs Linux.
"""

import json
import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import nbformat
import psutil
from websocket import WebSocket, create_connection

from benchmarks import lab
from benchmarks.measure import Figure
from benchmarks.memory import together
from uticket_lite.cli.warm import warm

SEATS = {"01_a_simulator.ipynb": 40, "06_ways_to_balance.ipynb": 20}
"""Notebook, and learners who open it at the same moment; the second loads torch."""
MOVES, THINKING, AHEAD = 20, 1.0, 3
"""Moves of each learner; seconds between them; frames that the page fetches ahead after each."""
PATIENCE = 600


def figures() -> Iterable[Figure]:
    """Seconds and megabytes; takes some minutes."""
    warm()
    os.environ["UTICKET_ANSWERS"] = "auto"  # questions answer themselves
    for notebook, seats in SEATS.items():
        with tempfile.TemporaryDirectory() as folder, lab.server(Path(folder)) as (url, server):
            code = code_cells(Path(folder, "notebooks", notebook))
            yield from lesson(f"{seats} × {notebook}", Class(url, server, seats, code))


def code_cells(path: Path) -> list[str]:
    """What a learner runs."""
    cells = nbformat.read(path, 4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


class Class:
    """Learners at one server; all of them wait for one another between two parts of the lesson."""

    def __init__(self, url: str, server: int, seats: int, code: list[str]) -> None:
        self.url, self.server, self.seats, self.code = url, server, seats, code
        self.together = threading.Barrier(seats + 1)
        self.first: list[float] = []
        self.ran: list[float] = []
        self.moved: list[float] = []

    def learn(self) -> None:
        """One learner's lesson."""
        began = time.perf_counter()
        seat = Seat(self.url)
        explorer = None
        for cell in self.code:
            seat.run(cell)
            if explorer is None and seat.explorers:
                explorer = seat.explorers[0]
                seat.ask(explorer, {"ask": "vega"}, wait=False)
                frame = seat.ask(explorer, {"ask": "frame"})
                self.first.append(time.perf_counter() - began)
        self.ran.append(time.perf_counter() - began)
        self.together.wait(PATIENCE)
        for move in range(MOVES):
            time.sleep(THINKING)
            values = {**frame["state"], "n_pe": 2 + move}
            began = time.perf_counter()
            seat.ask(explorer, {"move": values})
            self.moved.append(time.perf_counter() - began)
            for step in range(AHEAD):
                seat.ask(explorer, {"ahead": {**values, "n_pe": 30 + move + step}}, wait=False)
        self.together.wait(PATIENCE)  # memory is read
        self.together.wait(PATIENCE)
        seat.leave()


def lesson(name: str, seats: Class) -> Iterable[Figure]:
    """The figures of one class."""
    with ThreadPoolExecutor(seats.seats) as pool:
        learners = [pool.submit(seats.learn) for _ in range(seats.seats)]
        for learner in learners:  # whoever fails lets nobody wait
            learner.add_done_callback(lambda done: done.exception() and seats.together.abort())
        with suppress(threading.BrokenBarrierError):
            seats.together.wait(PATIENCE)
            seats.together.wait(PATIENCE)
            kernels = [child.pid for child in psutil.Process(seats.server).children()]
            used, alone = together(kernels), together([seats.server])
            seats.together.wait(PATIENCE)
    for failed in [learner.exception() for learner in learners if learner.exception()]:
        if not isinstance(failed, threading.BrokenBarrierError):
            raise failed
    yield Figure(f"{name}: first explorer, the last one's", max(seats.first))
    yield Figure(f"{name}: all cells run, the last one's", max(seats.ran))
    for share, low in ((50, 49), (95, 94), (99, 98)):
        taken = statistics.quantiles(seats.moved, n=100)[low]
        yield Figure(f"{name}: a move, {share} of 100", taken)
    yield Figure(f"{name}: a kernel", used / len(kernels), unit="MB")
    yield Figure(f"{name}: their server", alone, unit="MB")


class Seat:
    """A kernel of its own, and the web socket to it."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        token = at.query.removeprefix("token=")
        self._header = {"Authorization": f"token {token}"}
        self._address = f"http://{at.netloc}/api/kernels"
        self._kernel = json.loads(self._http("POST", "", {"name": "python3"}))["id"]
        self._session = uuid.uuid4().hex
        self._socket: WebSocket = create_connection(
            f"ws://{at.netloc}/api/kernels/{self._kernel}/channels?session_id={self._session}",
            header=self._header,
            timeout=PATIENCE,
        )
        self.explorers: list[str] = []
        self._number = 0

    def run(self, code: str) -> None:
        """Run a cell and see all that it shows."""
        asked = self._send("execute_request", code=code, silent=False, allow_stdin=True)
        idle = replied = False
        for message in self._answers():
            if message["msg_type"] == "comm_open":
                opened = message["content"]
                if "kind" in opened["data"].get("state", {}):
                    self.explorers.append(opened["comm_id"])
            if message["parent_header"].get("msg_id") == asked:
                replied |= message["msg_type"] == "execute_reply"
                content = message["content"]
                idle |= content.get("execution_state") == "idle"
                if message["msg_type"] == "error":
                    raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            if idle and replied:
                return

    def ask(self, explorer: str, content: dict[str, Any], *, wait: bool = True) -> dict[str, Any]:
        """Ask an explorer for a frame, as its page does; the frame, if waited for."""
        self._number += 1
        number = self._number
        data = {"method": "custom", "content": {**content, "number": number}}
        self._send("comm_msg", comm_id=explorer, data=data)
        for message in self._answers() if wait else ():
            content = message["content"].get("data", {}).get("content", {})
            if message["msg_type"] == "comm_msg" and content.get("number") == number:
                return content["frame"]
        return {}

    def leave(self) -> None:
        """Shut the kernel down."""
        self._socket.close()
        self._http("DELETE", f"/{self._kernel}")

    def _answers(self) -> Iterator[dict[str, Any]]:
        while True:
            message = self._socket.recv()
            if isinstance(message, str):  # with buffers it would be bytes: Vega, which is not drawn
                yield json.loads(message)

    def _send(self, kind: str, **content: Any) -> str:
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "session": self._session, "version": "5.4"}
        header |= {"username": "", "date": "2000-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return number

    def _http(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._address + path, data, self._header, method=method)) as answer:
            return answer.read()
