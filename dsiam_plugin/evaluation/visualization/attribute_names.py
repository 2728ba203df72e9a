"""Words for the benchmarks' attribute codes, in the order they are shown."""

from collections.abc import Iterable

ATTRIBUTES = {
    "IV": "illumination variation",
    "OPR": "out-of-plane rotation",
    "SV": "scale variation",
    "OCC": "occlusion",
    "DEF": "deformation",
    "MB": "motion blur",
    "FM": "fast motion",
    "IPR": "in-plane rotation",
    "OV": "out of view",
    "BC": "background clutter",
    "LR": "low resolution",
    "all": "overall",
    "camera_motion": "camera motion",
    "illum_change": "illumination change",
    "motion_change": "motion change",
    "size_change": "size change",
    "occlusion": "occlusion",
    "empty": "unassigned",
}


def attribute_title(code: str) -> str:
    """The attribute in words; codes this table does not know are shown as they are."""
    return ATTRIBUTES.get(code, code.replace("_", " "))


def in_order(codes: Iterable[str], first: str) -> list[str]:
    """Codes in the order of the table, ``first`` before all, unknown ones at the end by name."""
    places = {code: place for place, code in enumerate((first, *ATTRIBUTES))}
    return sorted(codes, key=lambda code: (places.get(code, len(places)), code))
