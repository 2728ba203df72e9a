"""Configurations from YAML and mappings: every problem is found before any is reported."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from dsiam_plugin.config import PerLayer, TrackerConfig, TransformConfig
from dsiam_plugin.errors import ConfigError, DSiamError

PRESETS = ("steady", "release", "paper")


def load_config(
    source: str | Path | Mapping[str, Any] | None,
    base: Callable[[str], TrackerConfig],
    trained: Mapping[str, Any] | None = None,
) -> TrackerConfig:
    """Overrides a base configuration with a YAML file or a mapping.

    ``transform`` may be the name of a preset, or a mapping whose ``preset`` is the set of
    constants that all the other keys override.

    Args:
        source: Path of a YAML file, the mapping such a file would hold, or None for the base.
        base: Gives the configuration for the name of a preset.
        trained: What joint training left with the weights, in the same shape. Its preset and
            numbers replace the default ones, and give way to a preset that ``source`` names.

    Raises:
        ConfigError: One message with all unknown keys, wrong types and values out of range.
    """
    name = "config"
    if source is None:
        source = {}
    elif not isinstance(source, Mapping):
        name, source = str(source), read_yaml(source)
    problems: list[str] = []
    sections = _field_types(TrackerConfig)
    _unknown_keys(source, sections, "", problems)
    transform = source.get("transform", {})
    if isinstance(transform, str):
        transform = {"preset": transform}
    named = isinstance(transform, Mapping) and "preset" in transform
    trained = {} if named else trained or {}
    start = base(_preset(transform if named else trained.get("transform", {}), problems))
    if trained:
        own_weights = {"primary_weight", "center_radius"} & set(source.get("fusion", {}))
        start = _with_trained(start, trained, problems, fusion=not own_weights)
    parts = {
        key: override(
            getattr(start, key),
            transform if key == "transform" else source.get(key, {}),
            key,
            problems,
        )
        for key in sections
    }
    config = TrackerConfig(**parts)
    problems += validate(config)
    if problems:
        raise ConfigError(f"{name}: " + "; ".join(problems))
    return config


def dump_config(config: TrackerConfig) -> str:
    """The configuration as YAML that :func:`load_config` reads back unchanged."""
    return yaml.safe_dump(plain(dataclasses.asdict(config)), sort_keys=False)


def validate(config: TrackerConfig) -> list[str]:
    """One line for each value outside its range; empty if all is well."""
    model, crop, tracking = config.model, config.crop, config.tracking
    checks = [
        (len(model.layers) > 0, "model.layers", model.layers, "at least one level"),
        (len(set(model.layers)) == len(model.layers), "model.layers", model.layers, "no repeats"),
        *_ranges("fusion", config.fusion, {"primary_weight": (0.0, 1.0)}),
        (
            config.fusion.center_radius >= -1,
            "fusion.center_radius",
            config.fusion.center_radius,
            ">= -1",
        ),
        (crop.exemplar_size >= 87, "crop.exemplar_size", crop.exemplar_size, ">= 87"),
        (
            crop.search_size > crop.exemplar_size,
            "crop.search_size",
            crop.search_size,
            f"> exemplar_size ({crop.exemplar_size})",
        ),
        (crop.context >= 0, "crop.context", crop.context, ">= 0"),
        (
            tracking.scales >= 1 and tracking.scales % 2 == 1,
            "tracking.scales",
            tracking.scales,
            "odd and positive",
        ),
        (tracking.scale_step > 1, "tracking.scale_step", tracking.scale_step, "> 1"),
        *_ranges("tracking", tracking, _TRACKING_RANGES),
        (tracking.upsample >= 1, "tracking.upsample", tracking.upsample, ">= 1"),
        (tracking.max_search >= 1, "tracking.max_search", tracking.max_search, ">= 1"),
        *_transform_checks(config.transform),
    ]
    return [f"{key}: {value!r}, expected {rule}" for good, key, value, rule in checks if not good]


_TRACKING_RANGES = {
    "scale_penalty": (0.0, 1.0),
    "scale_damping": (0.0, 1.0),
    "window_influence": (0.0, 1.0),
    "min_search": (0.0, 1.0),
    "lost_height": (0.0, 1.0),
}
_TRANSFORM_RANGES = {
    "rate_v": (0.0, 1.0),
    "rate_w": (0.0, 1.0),
    "memory": (0.0, 1.0),
    "max_ambiguity": (0.0, 1.0),
    "min_confidence": (0.0, 1.0),
}


def _transform_checks(transform: TransformConfig) -> list[tuple[bool, str, Any, str]]:
    return [
        *_ranges("transform", transform, _TRANSFORM_RANGES),
        (transform.memory < 1, "transform.memory", transform.memory, "< 1"),
        *(
            (min(_numbers(value), default=0) > 0, f"transform.{key}", value, "> 0")
            for key, value in [("lambda_v", transform.lambda_v), ("lambda_w", transform.lambda_w)]
        ),
        (transform.lost_growth >= 1, "transform.lost_growth", transform.lost_growth, ">= 1"),
        *_choices(transform),
        (
            transform.saliency_sigma > 0,
            "transform.saliency_sigma",
            transform.saliency_sigma,
            "> 0",
        ),
    ]


def _choices(transform: TransformConfig) -> list[tuple[bool, str, Any, str]]:
    background, saliency = transform.background, transform.saliency
    cut = background != "search"
    return [
        (
            background in ("search", "crop", "crop_at_scale"),
            "transform.background",
            background,
            "search, crop or crop_at_scale",
        ),
        (
            saliency == "gaussian" or (saliency == "release" and cut),
            "transform.saliency",
            saliency,
            "gaussian, or release with a background that is cut",
        ),
    ]


def _ranges(
    section: str, values: object, ranges: Mapping[str, tuple[float, float]]
) -> list[tuple[bool, str, Any, str]]:
    return [
        (all(low <= one <= high for one in _numbers(value)), f"{section}.{key}", value, rule)
        for key, (low, high) in ranges.items()
        for value, rule in [(getattr(values, key), f"[{low:g}, {high:g}]")]
    ]


def _numbers(value: PerLayer) -> list[float]:
    """The number of every layer."""
    return list(value.values()) if isinstance(value, Mapping) else [value]


def read_yaml(path: str | Path) -> Mapping[str, Any]:
    """The mapping a YAML file holds; an empty file is an empty mapping.

    Raises:
        ConfigError: If the file cannot be read, is not YAML, or holds anything else.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML ({line})") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: expected sections such as 'tracking:', got {content!r}")
    return content


def _field_types(config: type) -> dict[str, type]:
    hints = typing.get_type_hints(config)
    return {item.name: hints[item.name] for item in dataclasses.fields(config)}


def _unknown_keys(
    given: Mapping[str, Any], known: typing.Iterable[str], prefix: str, problems: list[str]
) -> None:
    known = list(known)
    for key in given:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            problems.append(f"{prefix}{key}: unknown key, {hint}")


def _preset(transform: Any, problems: list[str]) -> str:
    preset = transform.get("preset", PRESETS[0]) if isinstance(transform, Mapping) else PRESETS[0]
    if preset in PRESETS:
        return preset
    problems.append(f"transform.preset: {preset!r}, expected one of {', '.join(PRESETS)}")
    return PRESETS[0]


def _with_trained(
    start: TrackerConfig, trained: Mapping[str, Any], problems: list[str], *, fusion: bool
) -> TrackerConfig:
    """The numbers of a joint training in a variant's configuration, as far as it uses them."""
    used = {"transform": start.transform.adaptive, "fusion": fusion and len(start.model.layers) > 1}
    parts = {
        key: override(getattr(start, key), trained.get(key, {}), f"weights: {key}", problems)
        for key, wanted in used.items()
        if wanted
    }
    return dataclasses.replace(start, **parts)


def override(start: Any, given: Any, section: str, problems: list[str]) -> Any:
    """A dataclass with the given values in place of its own, nested dataclasses likewise.

    Args:
        start: The dataclass.
        given: Mapping of what to change.
        section: What messages put before a key; empty at the top.
        problems: Gets one line for each unknown key and each value of another type.
    """
    if not isinstance(given, Mapping):
        problems.append(f"{section}: expected a mapping, got {given!r}")
        return start
    prefix = f"{section}." if section else ""
    hints = _field_types(type(start))
    _unknown_keys(given, hints, prefix, problems)
    values = {}
    for key, hint in hints.items():
        if key in given and dataclasses.is_dataclass(hint):
            values[key] = override(getattr(start, key), given[key], f"{prefix}{key}", problems)
        elif key in given:
            try:
                values[key] = _coerce(given[key], hint)
            except TypeError as error:
                problems.append(f"{prefix}{key}: {error}")
    try:
        return dataclasses.replace(start, **values)
    except DSiamError as error:  # a dataclass that checks itself
        problems.append(f"{prefix.rstrip('.') or 'config'}: {error}")
        return start


def _coerce(value: Any, hint: Any) -> Any:
    """The value as the field's type; TypeError where it is another one."""
    if hint is Any:
        return value
    if isinstance(hint, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        kinds = [option for option in options if option is not type(None)]
        of_a_kind = [kind for kind in kinds if isinstance(value, typing.get_origin(kind) or kind)]
        hint = (of_a_kind or kinds)[0]
    if typing.get_origin(hint) is tuple:
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            raise TypeError(f"{value!r}, expected a list")
        inner = typing.get_args(hint)[0]
        return tuple(_coerce(item, inner) for item in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r}, expected a mapping")
        inner = typing.get_args(hint)[1]
        return {str(name): _coerce(item, inner) for name, item in value.items()}
    return _scalar(value, hint)


def _scalar(value: Any, hint: type) -> Any:
    if hint is float and isinstance(value, str):
        value = _number(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is float and number and math.isfinite(value):
        return float(value)
    if type(value) is not hint or hint is float:
        raise TypeError(f"{value!r}, expected {hint.__name__}")
    return value


def _number(text: str) -> Any:
    """The number that YAML 1.1 takes for text, as 1e-7; anything else as it is."""
    try:
        return float(text)
    except ValueError:
        return text


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down, for safe YAML."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
