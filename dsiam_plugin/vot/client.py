"""The tracker process that the VOT toolkit starts: ``python -m dsiam_plugin.vot.client``.

Talks TraX over ``vot-trax`` and nothing else. The environment says what to run, because the
arguments of a ``trackers.ini`` arrive only after the hello: ``$DSIAM_TRACKER`` (required),
``$DSIAM_WEIGHTS``, ``$DSIAM_CONFIG``, ``$DSIAM_DEVICE``, ``$DSIAM_PRECISION`` and
``$DSIAM_BACKEND``.

The tracker is built and warmed up before the hello, so that no frame's time contains the start.
One session may initialise any number of targets, one after the other. Exit status: 0 after the
peer's quit, 1 after an error, 130 after an interrupt.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dsiam_plugin.errors import ConfigError, DSiamError, VOTError
from dsiam_plugin.io.boxes import Box, box_from_polygon
from dsiam_plugin.io.environment import prepare_libraries
from dsiam_plugin.io.images import read_image
from dsiam_plugin.io.messages import MAX_MESSAGE, one_line
from dsiam_plugin.io.versions import import_optional
from dsiam_plugin.trackers.follow import Follower
from dsiam_plugin.vot.stream_guard import StreamGuard, guard_stream, unescaped

WARM_UP_SIZE = (240, 320)  # height, width; every crop has the network's own size anyway
WARM_UP_BOX = Box(130.0, 90.0, 60.0, 60.0)
UNREADABLE = "TraX peer sent a message that cannot be read"


class SessionFailedError(Exception):
    """A session ended by an error that stderr and the peer know already."""


@dataclass(frozen=True)
class ClientSettings:
    """Tracker to run and its settings, as the environment names them."""

    tracker: str  # name in the tracker registry
    weights: Path | None = None  # absolute path, or None for the tracker's own default
    config: Path | None = None  # absolute path of a YAML file, or None
    device: str = "auto"  # as `build_tracker` takes it
    precision: str = "auto"  # as `build_tracker` takes it
    backend: str = "torch"  # as `build_tracker` takes it

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ClientSettings:
        """Reads the ``DSIAM_`` variables; empty ones count as unset.

        Raises:
            ConfigError: ``DSIAM_TRACKER`` is not set.
        """
        name = environment.get("DSIAM_TRACKER")
        if not name:
            raise ConfigError(
                "DSIAM_TRACKER is not set; expected a tracker's name, in trackers.ini as"
                " 'env_DSIAM_TRACKER = DSiamM'"
            )
        return cls(
            tracker=name,
            weights=_user_path(environment, "DSIAM_WEIGHTS"),
            config=_user_path(environment, "DSIAM_CONFIG"),
            device=environment.get("DSIAM_DEVICE") or "auto",
            precision=environment.get("DSIAM_PRECISION") or "auto",
            backend=environment.get("DSIAM_BACKEND") or "torch",
        )


def main() -> int:
    """Exit status of one TraX session on the standard streams.

    Errors of the plugin's own tree become one line on stderr; any other exception is a defect and
    leaves its traceback.
    """
    reserve_stdout()
    prepare_libraries()
    faulthandler.enable(2)  # a crash in a compiled library says where it was
    try:
        trax = import_optional("trax", "vot")
        tracker = build(ClientSettings.from_environment(os.environ))
        warm_up(tracker)
        serve(trax, tracker)
    except KeyboardInterrupt:
        return 130
    except SessionFailedError:
        return 1
    except Exception as error:
        _report(error)
        return 1
    return 0


def reserve_stdout() -> None:
    """Keeps the TraX stream for libtrax alone: all other output of this process goes to stderr.

    libtrax writes to the descriptor that ``$TRAX_OUT`` names, if there is one.
    """
    sys.stdout.flush()
    os.environ.setdefault("TRAX_OUT", str(os.dup(1)))
    os.dup2(2, 1)


def build(settings: ClientSettings) -> Any:
    """The tracker the settings name, with ``init(image, box)`` and ``track(image)``."""
    from dsiam_plugin import build_tracker  # after the streams are settled: it imports torch

    return build_tracker(
        settings.tracker,
        weights=settings.weights,
        config=settings.config,
        device=settings.device,
        precision=settings.precision,
        backend=settings.backend,
    )


def warm_up(tracker: Any) -> None:
    """Tracks noise for a frame, so that lazy set-up is done before the first real one."""
    noise = np.random.default_rng(0).integers(0, 256, (*WARM_UP_SIZE, 3), dtype=np.uint8)
    tracker.init(noise, WARM_UP_BOX)
    tracker.track(noise)


def serve(trax: ModuleType, tracker: Any) -> None:
    """Says hello and answers the peer until it quits.

    An error is written to stderr and then sent to the peer as the reason of the quit. In this
    order, because the VOT toolkit puts into its log only what comes before the quit.

    Args:
        trax: The package of that name.
        tracker: With ``init(image, box)`` and ``track(image)`` as ``build_tracker`` returns it.

    Raises:
        VOTError: There is no session to be had on the standard streams.
        SessionFailedError: The session failed, which has been reported.
    """
    guard = guard_stream(os.environ)
    try:
        server = trax.Server(
            [trax.Region.RECTANGLE],
            [trax.Image.PATH],
            [trax.ImageChannel.COLOR],
            tracker_name=str(tracker.name),
            metadata={"vot": "python"},
        )
    except trax.TraxException as error:
        raise VOTError(f"no TraX session: {error}") from error
    try:
        _answer_until_quit(trax, server, tracker, guard)
    except Exception as error:
        _report(error)
        _quit(trax, server, reason=f"{type(error).__name__}: {error}")
        raise SessionFailedError from error


def box_from_region(region: Any) -> Box:
    """Smallest axis-aligned box around a TraX rectangle or polygon.

    Raises:
        VOTError: The region is of another kind (mask or special code).
    """
    if region.type == "rectangle":
        return Box(*(float(value) for value in region.bounds()))
    if region.type == "polygon":
        return box_from_polygon([float(value) for point in region for value in point])
    raise VOTError(f"TraX peer sent a region of kind {region.type!r}; expected a rectangle")


def _answer_until_quit(
    trax: ModuleType, server: Any, tracker: Any, guard: StreamGuard | None
) -> None:
    """One reply per request; the first must be an initialisation."""
    follower, started = Follower(tracker), False
    while (request := _wait(trax, server, guard)).type != "quit":
        started = started or request.type == "initialize"
        if not started:
            raise VOTError("TraX peer sent a frame before any target; expected 'initialize'")
        if request.type == "frame" and request.objects:
            raise VOTError(
                "TraX peer added a target to a session of one; expected an 'initialize' without"
                " region before the next target's"
            )
        path = _image_path(request)
        image = read_image(unescaped(path) if guard else path)
        if request.type == "initialize":
            step = follower.start(image, _only_box(request))
        else:
            step = follower.follow(image)
        answer = step.answer  # none where the tracker was started
        score = {} if answer is None else {"confidence": float(answer.score)}
        _reply(trax, server, step.box, score)


def _wait(trax: ModuleType, server: Any, guard: StreamGuard | None) -> Any:
    """The next request: ``type``, ``image`` and ``objects``."""
    try:
        return server.wait()
    except trax.TraxException as error:
        problem = guard.problem if guard else None
        raise VOTError(problem or f"{UNREADABLE} ({error})") from error


def _reply(trax: ModuleType, server: Any, box: Box, properties: dict[str, float]) -> None:
    """Sends one target's state."""
    try:
        server.status([(trax.Rectangle.create(*box), properties)])
    except trax.TraxException as error:
        raise VOTError("TraX peer closed the connection before it read the reply") from error


def _quit(trax: ModuleType, server: Any, reason: str) -> None:
    """Tells the peer why the session ends, if it still listens."""
    try:
        # The peer's libtrax takes a byte above 127 for the end of the stream, as ours does.
        sent = one_line(reason)[:MAX_MESSAGE].encode("ascii", "backslashreplace")
        server.quit(reason=sent.decode())
    except trax.TraxException:
        return  # the peer is gone; the caller reports the error on stderr


def _image_path(request: Any) -> str:
    """Path of the colour image."""
    image = (request.image or {}).get("color")
    if image is None or image.type() != "path":
        raise VOTError("TraX peer sent no path of a colour image; expected one image on 'color'")
    return image.path()


def _only_box(request: Any) -> Box:
    """Box of the request's single target."""
    count = len(request.objects or [])
    if count != 1:
        raise VOTError(f"TraX peer asked for {count} targets; expected 1 (single-object tracker)")
    region, _ = request.objects[0]
    return box_from_region(region)


def _report(error: Exception) -> None:
    """One line on stderr for what the user can act on, the traceback for a defect."""
    if isinstance(error, DSiamError):
        sys.stderr.write(f"dsiam_plugin.vot.client: error: {one_line(error)[:MAX_MESSAGE]}\n")
    else:
        traceback.print_exception(error)
    sys.stderr.flush()


def _user_path(environment: Mapping[str, str], variable: str) -> Path | None:
    """A path as the user meant it.

    VOT starts trackers in a temporary folder, but leaves ``$PWD`` at the folder of the user's
    shell, which is what a relative path refers to.
    """
    value = environment.get(variable)
    if not value:
        return None
    return Path(environment.get("PWD", ""), Path(value).expanduser())


if __name__ == "__main__":
    sys.exit(main())
