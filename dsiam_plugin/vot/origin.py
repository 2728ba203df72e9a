"""Everything that results in a workspace depend on, as digests.

`set_aside_outdated` compares it with what gave the results that are there.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dsiam_plugin.models.weights import find_weights
from dsiam_plugin.vot.results import registry_files, sequences_folder
from dsiam_plugin.vot.workspace import sequence_names

PACKAGE = Path(__file__).resolve().parents[1]
CACHES = ("__pycache__",)


def origin_of_results(workspace: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Digests and settings, as JSON takes them.

    Args:
        workspace: The workspace's folder.
        environment: The ``DSIAM_`` variables.

    Returns:
        Name to digest or setting: weights, configuration, precision, backend, the package's own
        files (in every sub-folder, data included), the trackers' registry, the sequences.

    Raises:
        CheckpointError: There are no weights.
        OSError: A file cannot be read.
    """
    config = environment.get("DSIAM_CONFIG")
    sequences = sequences_folder(workspace)
    annotations = [sequences / name / "groundtruth.txt" for name in sequence_names(sequences)]
    return {
        "weights": digest([find_weights(environment.get("DSIAM_WEIGHTS"))]),
        "config": digest([Path(config)]) if config else None,
        "precision": environment.get("DSIAM_PRECISION") or "auto",
        "backend": environment.get("DSIAM_BACKEND") or "torch",
        "code": digest_folder(PACKAGE),
        "registry": digest(registry_files(workspace)),
        "sequences": digest([sequences / "list.txt", *annotations]),
    }


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over the files' contents, in the order given."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def digest_folder(folder: Path) -> str:
    """SHA-256 over names and contents of all files below a folder but caches."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and not set(path.relative_to(folder).parts) & set(CACHES)
    }
    names = "\0".join(sorted(files))
    return hashlib.sha256(
        f"{names}\0{digest(files[name] for name in sorted(files))}".encode()
    ).hexdigest()
