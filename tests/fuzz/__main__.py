"""``make fuzz``: attacks every reader for its share of the time and prints a table.

The status is 1 if there was a finding; the folder with the inputs is named then.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzz import engine, peers


def main() -> int:
    """Runs what was chosen; 1 with a finding."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="of all readers together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="", help="readers with this in their name")
    options = parser.parse_args()
    seed = options.seed
    folder = Path(tempfile.mkdtemp(prefix="dsiam-fuzz-"))
    print(f"seed {options.seed}; inputs in {folder}")
    parts = {
        name: lambda seconds, name=name: engine.attack_apart(name, folder, seconds, seed)
        for name in engine.readers()
    }
    parts["TraX client"] = lambda seconds: peers.attack(folder, seconds, seed)
    parts["kill -9"] = lambda seconds: engine.attack_with(
        "fuzz.kills", folder, seconds, options.seed
    )
    parts = {name: part for name, part in parts.items() if options.only in name}
    print(f"{'reader':26}  {'inputs':>6}  {'clean':>6}  {'taken':>6}  slowest  findings")
    failed, total = 0, [0, 0, 0]
    for name, part in parts.items():
        weight = 4 if name in ("TraX client", "kill -9") else 1
        shares = len(parts) + 3 * sum(item in parts for item in ("TraX client", "kill -9"))
        counts = part(options.seconds * weight / shares)
        for place, number in enumerate((counts.inputs, counts.clean, counts.accepted)):
            total[place] += number
        failed += len(counts.findings)
        print(
            f"{name:26}  {counts.inputs:6}  {counts.clean:6}  {counts.accepted:6}"
            f"  {counts.slowest_s:5.1f} s  {len(counts.findings)}",
            flush=True,
        )
        for problem in sorted(set(counts.findings))[:12]:
            print(f"    {problem}")
    print(f"{'all':26}  {total[0]:6}  {total[1]:6}  {total[2]:6}           {failed}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
