"""What the page is told of an instance: identity, geometry, windows, frame by frame.

Réf.: DICOM PS3.3 C.7.6.2 (plane), C.11.2 (VOI LUT), C.7.6.16 (functional groups), grade: standard.
The overlay that DB.VI-CS.25 asks for is drawn from these values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocols.dicom.pixels import PixelLayout

__all__ = ["Model", "describe"]

Model = Mapping[str, Any]
"""A data set in the DICOM JSON model (PS3.18 annex F)."""

_TEXTS = {
    "accession": "00080050",
    "modality": "00080060",
    "institution": "00080080",
    "studyDate": "00080020",
    "studyTime": "00080030",
    "studyDescription": "00081030",
    "seriesDescription": "0008103E",
    "patientName": "00100010",
    "patientId": "00100020",
    "birthDate": "00100030",
    "sex": "00100040",
    "bodyPart": "00180015",
    "seriesNumber": "00200011",
    "number": "00200013",
    "laterality": "00200060",
    "imageLaterality": "00200062",
    "patientOrientation": "00200020",
    "sliceLocation": "00201041",
    "sliceThickness": "00180050",
    "frameOfReference": "00200052",
    "lossy": "00282110",
    "ratio": "00282112",
    "unit": "00281054",
}
_FUNCTION = "00281056"
_CENTER, _WIDTH, _EXPLANATION = "00281050", "00281051", "00281055"
_INTERCEPT, _SLOPE = "00281052", "00281053"
_POSITION, _ORIENTATION, _SPACING = "00200032", "00200037", "00280030"
_IMAGER_SPACING = "00181164"
_FRAME_TIME, _RATE = "00181063", "00082144"
_SHARED, _PER_FRAME = "52009229", "52009230"
_PLANE_POSITION, _PLANE_ORIENTATION = "00209113", "00209116"
_MEASURES, _VOI, _TRANSFORMATION = "00289110", "00289132", "00289145"
_MAX_TEXT = 256


def describe(model: Model, layout: PixelLayout) -> dict[str, Any]:
    """An instance for the page, as JSON values; what is absent or illegible is "" or None.

    `frames` has one description for each frame: position and orientation (mm, patient's axes,
    as in ImagePositionPatient and ImageOrientationPatient), spacing (mm, rows then columns),
    rescale and windows.
    """
    said: dict[str, Any] = {name: _text(model, tag) for name, tag in _TEXTS.items()}
    period = _number(model, _FRAME_TIME)
    rate = _number(model, _RATE)
    shared = _first(model, _SHARED)
    per_frame = _items(model, _PER_FRAME)
    return {
        **said,
        "rows": layout.rows,
        "columns": layout.columns,
        "inverted": layout.photometric == "MONOCHROME1",
        "frameTime": period or (1000 / rate if rate else None),
        "frames": [
            _frame(model, shared, per_frame[index] if index < len(per_frame) else {})
            for index in range(layout.frames)
        ],
    }


def _frame(model: Model, shared: Model, own: Model) -> dict[str, Any]:
    """One frame: what is its own, else what frames share, else what the instance says."""

    def place(group: str) -> Model:
        return _first(own, group) or _first(shared, group) or model

    position, orientation = place(_PLANE_POSITION), place(_PLANE_ORIENTATION)
    measures, voi, transformation = place(_MEASURES), place(_VOI), place(_TRANSFORMATION)
    spacing = _numbers(measures, _SPACING, 2)
    slope, intercept = _number(transformation, _SLOPE), _number(transformation, _INTERCEPT)
    return {
        "position": _numbers(position, _POSITION, 3),
        "orientation": _numbers(orientation, _ORIENTATION, 6),
        "spacing": spacing or _numbers(model, _IMAGER_SPACING, 2),
        # At the detector, not in the patient: lengths are larger than what is measured.
        "atDetector": spacing is None and bool(_numbers(model, _IMAGER_SPACING, 2)),
        "slope": slope if slope else 1.0,
        "intercept": intercept or 0.0,
        "function": _text(voi, _FUNCTION) or "LINEAR",
        "windows": _windows(voi),
    }


def _windows(voi: Model) -> list[dict[str, Any]]:
    centers, widths = _values(voi, _CENTER), _values(voi, _WIDTH)
    names = _values(voi, _EXPLANATION)
    windows = []
    for index, (center, width) in enumerate(zip(centers, widths, strict=False)):
        c, w = _float(center), _float(width)
        if c is not None and w is not None and w > 0:
            name = str(names[index])[:_MAX_TEXT] if index < len(names) and names[index] else ""
            windows.append({"center": c, "width": w, "name": name})
    return windows


# Reading the model -----------------------------------------------------------------------------


def _values(model: Model, tag: str) -> Sequence[Any]:
    entry = model.get(tag)
    values = entry.get("Value", ()) if isinstance(entry, Mapping) else ()
    return values if isinstance(values, list | tuple) else ()


def _items(model: Model, tag: str) -> list[Model]:
    return [item for item in _values(model, tag) if isinstance(item, Mapping)]


def _first(model: Model, tag: str) -> Model:
    return next(iter(_items(model, tag)), {})


def _text(model: Model, tag: str) -> str:
    values = [
        one.get("Alphabetic", "") if isinstance(one, Mapping) else "" if one is None else str(one)
        for one in _values(model, tag)
    ]
    return "\\".join(values)[:_MAX_TEXT]


def _number(model: Model, tag: str) -> float | None:
    values = _values(model, tag)
    return _float(values[0]) if values else None


def _numbers(model: Model, tag: str, count: int) -> list[float] | None:
    numbers = [_float(one) for one in _values(model, tag)]
    kept = [one for one in numbers if one is not None]
    return kept if len(kept) == count == len(numbers) else None


def _float(value: Any) -> float | None:
    """A finite number, or None: JSON for browsers knows no other."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e12 else None
