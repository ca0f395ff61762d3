"""Table II: cycles and utilization."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import METHODS, networks, report
from uticket_lite.paper.section import Row, Section, rows


def cycles() -> Iterator[Row]:
    """Work and idle (1e8 PE-cycles), latency (1e8 cycles) and utilization of the tickets.

    busy: the share of all PE-cycles that work, in percent; latency falls to it if nobody waits.
    """
    for network in networks():
        for method in METHODS:
            ran = report(network, method)
            cycles = {name: getattr(ran, name) / 1e8 for name in ("work", "idle", "latency")}
            busy = 100 * ran.work / (ran.work + ran.idle)
            shares = {"utilization": ran.utilization, "busy": busy}
            yield from rows(network, method, cycles | shares)


SECTION = Section(
    "Table II",
    "Cycles and utilization",
    30,
    cycles,
    {
        "work": "A non-zero costs its layer's output positions; ours lie in other layers.",
        "idle": "As work and utilization.",
        "latency": "As work and utilization.",
        "utilization": "Initialization decides how many weights each layer keeps, training how "
        "unlike its filters become (`study`: What decides .59): {trained}.",
        "busy": "Work / (work + idle). Utilization is averaged by parameters, most of which lie "
        "in layers with few positions; this is what latency feels.",
    },
    {"busy": "%"},
)
