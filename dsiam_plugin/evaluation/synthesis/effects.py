"""One effect for each of the 11 OTB attributes: a script in, a script with the effect out.

Every effect leaves the first frame as it is, so that trackers start on a clean target; low
resolution alone concerns all frames.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from dsiam_plugin.evaluation.synthesis.script import Script, Stage, dip, smooth_step, swing

Effect = Callable[[Script, Stage, np.random.Generator], Script]

# Dashes and shaking are in pixels because OTB defines fast motion so: more than 20 px a frame.
DASH_STEP_PX = 31.0
DASH_FRAMES = 2
SHAKE_SPEED_PX = 13.0
LOW_RESOLUTION_PX = (15.0, 17.5)  # squared: 225 to 306, below OTB's 400 pixels


def shrink_target(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """LR: a target of fewer than 400 pixels."""
    return replace(script, size=script.size * (rng.uniform(*LOW_RESOLUTION_PX) / script.size[0]))


def change_size(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """SV: between 0.36 and 2.7 times the first area, coming and going."""
    sign = rng.choice([-1.0, 1.0])
    growth = sign * 0.5 * swing(stage.clock, rng.uniform(0.9, 1.3))
    return replace(script, size=script.size * np.exp(growth))


def roll(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """IPR: swings in the image plane by 50 to 85 degrees to both sides."""
    degrees = rng.choice([-1.0, 1.0]) * rng.uniform(50, 85)
    turn = np.deg2rad(degrees) * swing(stage.clock, rng.uniform(0.9, 1.4))
    return replace(script, angle=script.angle + turn)


def turn_away(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """OPR: turns by 45 to 56 degrees about an axis in the image plane."""
    degrees = rng.choice([-1.0, 1.0]) * rng.uniform(45, 56)
    tilt = np.deg2rad(degrees) * swing(stage.clock, rng.uniform(1.0, 1.6))
    axis = np.pi / 2 + rng.uniform(-0.6, 0.6)
    return replace(script, tilt=script.tilt + tilt, tilt_axis=axis)


def deform(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """DEF: a wave runs through the object."""
    return replace(script, bend=rng.uniform(0.12, 0.14) * dip(stage.clock, rng.uniform(1.4, 2.0)))


def change_light(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """IV: the light falls to between 0.3 and 0.45 of itself, tinted, and returns."""
    darkness = -np.log(rng.uniform(0.3, 0.45)) * rng.uniform(0.9, 1.1, size=3)
    fall = dip(stage.clock, rng.uniform(1.0, 1.8))
    return replace(script, gain=script.gain * np.exp(-fall[:, None] * darkness))


def shake(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """MB: shakes with the shutter open for most of each frame."""
    period = rng.uniform(11, 15)
    direction = rng.uniform(0, 2 * np.pi)
    heading = np.array([np.cos(direction), 0.6 * np.sin(direction)])
    heading /= np.linalg.norm(heading)
    amplitude = SHAKE_SPEED_PX * period / (2 * np.pi)
    offset = amplitude * np.sin(2 * np.pi * np.arange(stage.frames) / period)
    return replace(script, centre=script.centre + offset[:, None] * heading, shutter=0.8)


def dash(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """FM: darts to and fro by about 31 px a frame, resting between."""
    rest = max(2, min(8, stage.frames // 6))
    steps = np.zeros(stage.frames)
    sign = rng.choice([-1.0, 1.0])
    for start in range(rest, stage.frames - DASH_FRAMES, rest + DASH_FRAMES):
        steps[start : start + DASH_FRAMES] = sign * DASH_STEP_PX
        sign = -sign
    offset = np.cumsum(steps)
    slope = rng.uniform(-0.25, 0.25)
    return replace(script, centre=script.centre + offset[:, None] * np.array([1.0, slope]))


def surround(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """BC: three copies of the object circle the target closely."""
    turns = rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 0.7) * stage.clock
    start = rng.uniform()
    offsets = []
    for index in range(3):
        phase = 2 * np.pi * (start + index / 3 + turns)
        radius = script.size * (rng.uniform(1.1, 1.25) + 0.15 * swing(stage.clock, 1.5))
        offsets.append(np.stack([radius * np.cos(phase), radius * np.sin(phase)], axis=1))
    return replace(script, distractors=np.stack(offsets))


def pass_in_front(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """OCC: two other objects, one after the other, cross in front of the target."""
    offsets = []
    for meeting in (rng.uniform(0.34, 0.42), rng.uniform(0.68, 0.76)):
        direction = rng.uniform(0, 2 * np.pi)
        along = np.array([np.cos(direction), np.sin(direction)])
        across = np.array([-along[1], along[0]])
        travelled = 9.0 * (stage.clock - meeting) * script.size[0]
        beside = rng.choice([-1.0, 1.0]) * rng.uniform(0.2, 0.4) * script.size[0]
        offsets.append(travelled[:, None] * along + beside * across)
    return replace(script, occluders=np.stack(offsets))


def leave_view(script: Script, stage: Stage, rng: np.random.Generator) -> Script:
    """OV: leaves through the left or right edge by the stage's exit depth and returns."""
    away = smooth_step(stage.clock, 0.15, 0.42) - smooth_step(stage.clock, 0.55, 0.82)
    beyond = (stage.exit_depth - 0.5) * script.size
    right = bool(rng.integers(2))
    edge = stage.width + beyond if right else -beyond
    centre = script.centre.copy()
    centre[:, 0] += away * (edge - centre[:, 0])
    return replace(script, centre=centre)


# In the order of application: sizes first, as offsets are measured in them; leaving the view last,
# as it overrides where the target would have been.
EFFECTS: dict[str, Effect] = {
    "LR": shrink_target,
    "SV": change_size,
    "IPR": roll,
    "OPR": turn_away,
    "DEF": deform,
    "IV": change_light,
    "MB": shake,
    "FM": dash,
    "BC": surround,
    "OCC": pass_in_front,
    "OV": leave_view,
}


def apply_effects(
    script: Script, stage: Stage, attributes: Collection[str], rng: np.random.Generator
) -> Script:
    """The script with the effects of all the attributes (names of :data:`EFFECTS`)."""
    for name, effect in EFFECTS.items():
        if name in attributes:
            script = effect(script, stage, rng)
    return script
