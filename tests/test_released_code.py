"""Counting, cycles and Eq. 2 agree with the outputs of the method's released code."""

import json
import math

import numpy as np
import pytest

import uticket_lite as ut
from uticket_lite.hardware.metrics import wave_utilization

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module")
def cases(shared):
    masks = np.load(shared / "oracle" / "utilization_masks.npz")

    def unpack(case):
        bits = np.unpackbits(masks[case["mask"]])[: math.prod(case["shape"])]
        return bits.reshape(case["shape"]).astype(bool)

    listed = json.loads((shared / "oracle" / "utilization_cases.json").read_text())
    return [(case, unpack(case)) for case in listed]


def test_every_case_matches(cases):
    assert len(cases) > 50
    for case, mask in cases:
        ticket = ut.Ticket.from_arrays({"layer": mask})
        report = ut.simulate(
            ticket, ut.Accelerator(case["n_pe"], case["mapping"]), cycles="weights"
        )
        assert (report.work, report.idle, report.latency) == (
            case["work"],
            case["idle"],
            case["latency"],
        )
        waves = wave_utilization(report.loads["layer"], rounding="ceil")
        got = [np.nanmean(waves), np.nanmax(waves), np.nanmin(waves)]
        wanted = [case[f"utilization_{which}"] for which in ("mean", "max", "min")]
        assert got == pytest.approx(wanted, abs=1e-5), case
        assert report.utilization_as(rounding="ceil", average="layers") == pytest.approx(
            case["utilization_mean"], abs=1e-5
        )
