"""What the benchmarks' attribute codes stand for."""

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
