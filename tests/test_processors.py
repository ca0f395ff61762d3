"""Processors: never more than any of the control groups around a process grants it."""

import os

import pytest

from uticket_lite.edge import processors

GRANTED = {
    "a container of its own": ("0::/\n", {"cpu.max": "150000 100000"}, 2),
    "a service": ("0::/user/one\n", {"user/one/cpu.max": "50000 100000"}, 1),
    "a group around it": (
        "0::/user/one\n",
        {"user/cpu.max": "100000 100000", "user/one/cpu.max": "max 100000"},
        1,
    ),
    "version 1": (
        "3:memory:/x\n2:cpu,cpuacct:/docker/7\n0::/\n",
        {
            "cpu,cpuacct/docker/7/cpu.cfs_quota_us": "100000",
            "cpu,cpuacct/docker/7/cpu.cfs_period_us": "100000",
        },
        1,
    ),
    "version 1, seen from inside": (
        "1:cpu:/docker/7\n",
        {"cpu/cpu.cfs_quota_us": "120000", "cpu/cpu.cfs_period_us": "100000"},
        2,
    ),
    "no limit": (
        "1:cpu:/\n0::/\n",
        {"cpu.max": "max 100000", "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "1"},
        4,
    ),
    "a limit on something else": ("3:cpuset:/\n", {"cpuset/cpu.max": "100000 100000"}, 4),
}


@pytest.mark.parametrize("case", GRANTED)
def test_quotas_of_containers_and_services_count(case, tmp_path, monkeypatch):
    mine, files, expected = GRANTED[case]
    monkeypatch.setattr(processors, "CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(processors, "MINE", tmp_path / "mine")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(4), raising=False)
    (tmp_path / "mine").write_text(mine)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    assert processors.processors() == expected


def test_without_control_groups_the_machine_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(processors, "MINE", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 96)
    assert processors.processors() == 96
    monkeypatch.setattr(processors.sys, "platform", "win32")
    assert processors.processors() == 61, "a pool of processes takes no more there"
