"""The report of ``device.sh``: what its parts left in a folder, as JSON and Markdown.

``python benchmarks/device_report.py PARTS OUT``
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import torch
from device_common import gib, table

Row = dict[str, Any]


def main() -> int:
    """Write ``report.json`` and ``report.md``; show the latter."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    report = {"machine": _machine(), "parts": _parts(folder / "parts")}
    tests = folder / "tests.xml"
    if tests.is_file():
        report["tests"] = _tests(tests)
    for path in sorted(folder.glob("*.json")):
        report[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(_sections(report))
    (out / "report.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _machine() -> dict[str, Any]:
    found: dict[str, Any] = {
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "gpu": properties.name,
            "memory_gib": gib(properties.total_memory),
            "multiprocessors": properties.multi_processor_count,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": _driver(),
        }
    return found


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _parts(path: Path) -> list[Row]:
    rows = [line.split() for line in path.read_text().splitlines()] if path.is_file() else []
    return [{"part": name, "status": int(code), "seconds": int(s)} for name, code, s in rows]


def _tests(path: Path) -> dict[str, Any]:
    suite = ElementTree.parse(path).getroot().find("testsuite")
    counts = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    wrong = {
        f"{case.get('classname')}.{case.get('name')}": (item.get("message") or "")[:600]
        for case in suite.iter("testcase")
        for item in [*case.findall("failure"), *case.findall("error")]
    }
    return {**counts, "wrong": wrong}


def _sections(report: dict[str, Any]) -> Iterator[str]:
    yield "# Device report\n"
    yield ", ".join(f"{key} {value}" for key, value in report["machine"].items()) + "\n"
    rows = [[item["part"], item["status"], item["seconds"]] for item in report["parts"]]
    yield table(["part", "exit status", "s"], rows)
    if "tests" in report:
        tests = dict(report["tests"])
        wrong = tests.pop("wrong")
        yield "## Tests\n\n" + ", ".join(f"{value} {key}" for key, value in tests.items()) + "\n"
        yield "".join(f"- {name}: {message}\n" for name, message in wrong.items())
    makers = {
        "boxes": _boxes,
        "speed": _speed,
        "profile": _profile,
        "training": _training,
    }
    for name, make in makers.items():
        if name in report:
            rows = report[name]["rows"]
            yield f"## {name.capitalize()}\n"
            yield from make([row for row in rows if "error" not in row])
            yield from (_failed(row) for row in rows if "error" in row)
            if report[name].get("left_out"):
                yield f"{report[name]['left_out']} cases were left out for want of time.\n"


def _failed(row: Row) -> str:
    kept = {key: value for key, value in row.items() if key != "error"}
    return f"- failed, {', '.join(map(str, kept.values()))}: {row['error']}\n"


def _boxes(rows: list[Row]) -> Iterator[str]:
    columns = ["tracker", "weights", "precision", "frames"]
    runs = [f"{run}_{key}" for run in ("restarted", "free") for key in ("within_1px", "overlap")]
    cells = [
        [
            *(row[key] for key in columns),
            row["restarted_frames"],
            *(f"{row[key]:.3f}" for key in [*runs, "auc_device", "auc_host"]),
        ]
        for row in rows
    ]
    names = ["compared", "restarted: within 1 px", "overlap", "free: within 1 px", "overlap"]
    yield table([*columns, *names, "AUC", "AUC on the CPU"], cells)


def _speed(rows: list[Row]) -> Iterator[str]:
    lines: dict[tuple, dict[int, str]] = {}
    counts = sorted({row["targets"] for row in rows})
    for row in rows:
        how = [f"no {part}" for part in ("graphs", "kernels") if not row[part]]
        how += ["own frames"] if row["own_frames"] else []
        how += [row["setting"]] if row["setting"] else []
        key = (row["tracker"], row["weights"], row["precision"], ", ".join(how))
        memory = "" if row["peak_gib"] is None else f" ({row['peak_gib']:.2f})"
        lines.setdefault(key, {})[row["targets"]] = f"{row['fps']:.0f}{memory}"
    yield "Targets times frames a second, by the targets in a batch (peak memory, GiB).\n"
    cells = [[*key, *(cell.get(count, "") for count in counts)] for key, cell in lines.items()]
    yield table(["tracker", "weights", "precision", "how", *map(str, counts)], cells)


def _profile(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        graphs = "" if row["graphs"] else ", no graphs"
        yield (
            f"**{row['tracker']}, {row['targets']} targets, {row['weights']}{graphs}**: "
            f"{row['wall_us']:.0f} us a frame, device busy {row['busy_us']:.0f} us in "
            f"{row['kernels']:.0f} kernels\n"
        )
        for name, key, count in (("kind", "kinds", 12), ("kernel", "top", 12), ("host", "host", 6)):
            cells = [[f"`{a}`", f"{b:.1f}", f"{c:.1f}"] for a, b, c in row[key][:count]]
            yield table([name, "a frame", "us a frame"], cells) if cells else ""


def _training(rows: list[Row]) -> Iterator[str]:
    keys = ["recipe", "precision", "batch", "workers"]
    cells = [
        [*(row[key] for key in keys), f"{row['per_s']:.1f} {row['unit']}", row["peak_gib"]]
        for row in rows
    ]
    yield table([*keys, "a second", "peak, GiB"], cells)


if __name__ == "__main__":
    raise SystemExit(main())
