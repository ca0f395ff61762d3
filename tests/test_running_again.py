"""A lab that is open for hours: running a cell again leaves nothing of its explorer behind."""

import json

import pytest
from jupyter_client.manager import start_new_kernel

from uticket_lite import explore

COUNT = """
import json
from collections import Counter
from comm import get_comm_manager
from ipywidgets.widgets.widget import _instances
kinds = Counter(type(each).__name__ for each in _instances.values())
print(json.dumps([kinds, len(get_comm_manager().comms)]))
"""


@pytest.fixture(scope="module")
def run():
    """A function that runs code as a front end does, in a cell, and returns what it prints."""
    manager, client = start_new_kernel()

    def run_(code, cell):
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        asked = client.session.msg("execute_request", content, metadata={"cellId": cell})
        client.shell_channel.send(asked)
        printed = ""
        while True:
            said = client.get_iopub_msg(timeout=120)
            if said["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
                continue
            if said["msg_type"] == "stream":
                printed += said["content"]["text"]
            assert said["msg_type"] != "error", said["content"]
            if said["msg_type"] == "status" and said["content"]["execution_state"] == "idle":
                return printed

    yield run_
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("kind", explore.EXPLORERS)
def test_a_cell_run_again_leaves_no_widget_layout_or_comm_behind(run, kind):
    def counted():
        return json.loads(run(COUNT, "count"))

    code = f"from uticket_lite import explore\nexplore.{kind}()"
    run(code, kind)
    run(code, kind)
    before = counted()
    for _ in range(12):
        run(code, kind)
    assert counted() == before
    run(f"{code}\nshown = explore.{kind}()\nshown", kind)
    assert counted()[0]["Explorer"] == before[0]["Explorer"] + 1, "two in one cell stay"
