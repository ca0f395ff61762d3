"""A network larger than memory: how long, and how many bytes a weight, reading its file takes.

`python -m benchmarks.large [WEIGHTS]` makes two files of 10⁹ bfloat16 weights, reads each in a
process of its own and prints what that took. In one about 1 weight of 100,000 is alive and the rest
are holes, which take no room on disk; in the other all are alive, which takes 2 GB.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ONE = np.array([0x3F80], "<u2").tobytes()
READ = """
import json, resource, sys, time
import numpy as np
import uticket_lite as ut
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
ut.simulate(ut.synthetic_ticket("digits"), ut.Accelerator())
before, start, spent = peak(), time.perf_counter(), time.process_time()
ticket = ut.Ticket.from_safetensors(sys.argv[1])
seconds, spent, after = time.perf_counter() - start, time.process_time() - spent, peak()
weights = sum(layer.size for layer in ticket.layers.values())
report = ut.simulate(ticket, ut.Accelerator(), layers=list(ticket.layers))
print(json.dumps({
    "weights": weights,
    "nonzeros": sum(layer.nonzeros for layer in ticket.layers.values()),
    "bytes_a_weight": (after - before) / weights,
    "peak_megabytes": peak() / 1e6,
    "seconds": seconds,
    "seconds_a_billion": seconds * 1e9 / weights,
    "processor_seconds_a_billion": spent * 1e9 / weights,
    "utilization": report.utilization,
}))
"""


def make(path: Path, weights: int, tensors: int, alive: int | None = 1000) -> int:
    """A file of that many bfloat16 weights in convolutions of 512 channels, or as like that as
    their number allows; in each, about `alive` weights are 1, and the rest are holes. None: all are
    alive, and normally distributed. Returns how many are."""
    shape = [weights // tensors // 4608, 512, 3, 3]
    shape = shape if np.prod(shape) * tensors == weights else [1000, weights // tensors // 1000]
    size = 2 * int(np.prod(shape))
    header = json.dumps(
        {
            f"conv{i}.weight": {
                "dtype": "BF16",
                "shape": shape,
                "data_offsets": [i * size, (i + 1) * size],
            }
            for i in range(tensors)
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    rng, made = np.random.default_rng(0), 0
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        start = file.tell()
        if alive is None:
            normal = rng.normal(size=1 << 24).astype("<f4").view("<u4") >> 16
            piece = np.where(normal == 0, 0x3F80, normal).astype("<u2").tobytes()
            for at in range(0, tensors * size, len(piece)):
                file.write(piece[: tensors * size - at])
            return weights
        file.truncate(start + tensors * size)
        for i in range(tensors):
            for at in np.unique(rng.integers(size // 2, size=alive)):
                file.seek(start + i * size + 2 * int(at))
                file.write(ONE)
                made += 1
    return made


def measure(path: Path) -> dict[str, float]:
    """What reading and simulating the file takes, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    """See the module."""
    weights = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**9
    with tempfile.TemporaryDirectory() as folder:
        for what, alive in (("1 of 100,000 alive", 1000), ("all alive", None)):
            path = Path(folder) / "large.safetensors"
            make(path, weights, tensors=10, alive=alive)
            print(f"-- {what}")
            for name, value in measure(path).items():
                print(f"{name:<28} {value:,.3f}", flush=True)


if __name__ == "__main__":
    main()
