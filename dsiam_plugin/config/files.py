"""Configurations from YAML and mappings: every problem is found before any is reported."""

import dataclasses
import math
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from dsiam_plugin.config.fields import refuse, validate
from dsiam_plugin.config.schema import PRESETS, TrackerConfig
from dsiam_plugin.errors import ConfigError
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_yaml


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
        name, source = str(source), read_settings(_path(source))
    transform = source.get("transform", {})
    if isinstance(transform, str):
        transform = {"preset": transform}
        source = {**source, "transform": transform}
    named = isinstance(transform, Mapping) and "preset" in transform
    trained = {} if named else trained or {}
    problems: list[str] = []
    start = base(_preset(transform if named else _section(trained, "transform")))
    if trained:
        own_weights = {"primary_weight", "center_radius"} & set(_section(source, "fusion"))
        start = _with_trained(start, trained, problems, fusion=not own_weights)
    return checked(override(start, source, "", problems), name, problems)


def _path(source: Any) -> str | os.PathLike:
    """The source itself, if it names a file."""
    if not isinstance(source, (str, os.PathLike)):
        fail(ConfigError, "config", excerpt(source), "a YAML file or a mapping")
    return source


def read_settings(path: str | os.PathLike) -> Mapping[str, Any]:
    """The mapping a YAML file holds; an empty file is an empty mapping.

    Raises:
        ConfigError: If the file cannot be read, is not YAML, or holds anything else.
    """
    expected = "sections such as 'tracking:'"
    return read_yaml(path, ConfigError, expected, ({str: object}, None)) or {}


def dump_config(config: TrackerConfig) -> str:
    """The configuration as YAML that :func:`load_config` reads back unchanged."""
    return yaml.safe_dump(plain(dataclasses.asdict(config)), sort_keys=False)


def checked(config: Any, name: str, problems: Sequence[str] = ()) -> Any:
    """The configuration, if it has no problem.

    Raises:
        ConfigError: One message with all problems, the first ones in full.
    """
    refuse([*problems, *validate(config)], name)
    return config


def _field_types(config: type) -> dict[str, type]:
    hints = typing.get_type_hints(config)
    return {item.name: hints[item.name] for item in dataclasses.fields(config)}


def _unknown_keys(
    given: Mapping[str, Any], known: typing.Iterable[str], prefix: str, problems: list[str]
) -> None:
    known = list(known)
    for key in given:
        if key not in known:
            near = get_close_matches(f"{key!s:.60}", known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            problems.append(f"{prefix}{key!s:.60}: unknown key, {hint}")


def _preset(transform: Mapping[str, Any]) -> str:
    """The preset of a section; of an unknown one the default, which the validator speaks of."""
    preset = transform.get("preset")
    return preset if preset in PRESETS else PRESETS[0]


def _section(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A section, empty where it is none; :func:`override` speaks of that."""
    section = given.get(name) if isinstance(given, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _with_trained(
    start: TrackerConfig, trained: Mapping[str, Any], problems: list[str], *, fusion: bool
) -> TrackerConfig:
    """The numbers of a joint training in a variant's configuration, as far as it uses them."""
    used = {"transform": start.transform.adaptive, "fusion": fusion and len(start.model.layers) > 1}
    parts = {
        key: override(getattr(start, key), _section(trained, key), f"weights: {key}", problems)
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
        problems.append(f"{section or 'settings'}: {excerpt(given)}, expected a mapping")
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
    return dataclasses.replace(start, **values)


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
            raise TypeError(f"{excerpt(value)}, expected a list")
        inner = typing.get_args(hint)[0]
        return tuple(_coerce(item, inner) for item in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise TypeError(f"{excerpt(value)}, expected a mapping")
        inner = typing.get_args(hint)[1]
        return {str(name): _coerce(item, inner) for name, item in value.items()}
    return _scalar(value, hint)


def _scalar(value: Any, hint: type) -> Any:
    if hint is not float and type(value) is hint:
        return value
    if hint is float and type(value) in (int, float, str):  # YAML 1.1 takes 1e-7 for text
        with suppress(ValueError, OverflowError):
            number = float(value)
            if math.isfinite(number):
                return number
    raise TypeError(f"{excerpt(value)}, expected {hint.__name__}")


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down, for safe YAML."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
