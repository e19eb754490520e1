"""Query and retrieve identifiers against an archive (PS3.4 C.3, C.4, C.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from simulators.pacs.archive import Archive, Instance
from simulators.pacs.matching import is_universal, matches, values_of
from spec.dicom import QUERY_MODELS
from wire.dimse import DimseRefusal

__all__ = ["find", "select"]

MISMATCH = 0xA900
"""Identifier does not match SOP class."""

_LEVEL = 0x00080052
_STRUCTURAL = frozenset({_LEVEL, 0x00080005, 0x00080053, 0x00080054, 0x00080056})
_UNIQUE_KEYS = {
    "PATIENT": 0x00100020,
    "STUDY": 0x0020000D,
    "SERIES": 0x0020000E,
    "IMAGE": 0x00080018,
}

Group = Sequence[Instance]
"""The instances of one entity of the level queried."""


def find(
    archive: Archive, identifier: Any, *, model: str, relational: bool, ae_title: str
) -> Iterator[Any]:
    """The responses to a C-FIND, one data set per matching entity.

    Raises:
        DimseRefusal: unknown level, or a hierarchical rule broken when not `relational`.
    """
    level = _level(identifier, model, relational=relational)
    keys = [element for element in identifier if element.tag not in _STRUCTURAL]
    for group in _groups(archive, identifier, level):
        entity = _Entity(archive, group)
        if all(matches(key, entity.element(key.tag)) for key in keys):
            yield _response(identifier, keys, entity, level, ae_title)


def select(archive: Archive, identifier: Any, *, model: str, relational: bool) -> list[Instance]:
    """The instances that a C-MOVE identifier designates: by unique keys only (PS3.4 C.4.2.1.4).

    Raises:
        DimseRefusal: unknown level, or the unique key of the level is missing.
    """
    level = _level(identifier, model, relational=relational)
    if not values_of(identifier.get(_UNIQUE_KEYS[level])):
        raise DimseRefusal(MISMATCH, f"cle unique absente au niveau {level}")
    keys = [
        identifier[tag]
        for tag in _UNIQUE_KEYS.values()
        if tag in identifier and not is_universal(identifier[tag])
    ]
    return [
        instance
        for instance in _candidates(archive, identifier)
        if all(matches(key, instance.attributes.get(key.tag)) for key in keys)
    ]


def _level(identifier: Any, model: str, *, relational: bool) -> str:
    """The level queried, after the checks of hierarchical search (PS3.4 C.4.1.3.1)."""
    levels = QUERY_MODELS[model].levels
    level = str(identifier.get("QueryRetrieveLevel", "")).strip().upper()
    if level not in levels:
        raise DimseRefusal(MISMATCH, f"niveau inconnu : {level}")
    if not relational:
        for above in levels[: levels.index(level)]:
            tag = _UNIQUE_KEYS[above]
            values = values_of(identifier.get(tag))
            if len(values) != 1 or "*" in values[0]:
                raise DimseRefusal(MISMATCH, f"cle unique du niveau {above} absente")
    return level


def _candidates(archive: Archive, identifier: Any) -> list[Instance]:
    """The instances worth looking at: those of the study UIDs named, else all."""
    element = identifier.get(_UNIQUE_KEYS["STUDY"])
    studies = [uid for uid in values_of(element) if "*" not in uid]
    if not studies:
        return list(archive.instances())
    return [one for uid in dict.fromkeys(studies) for one in archive.instances(study=uid)]


def _groups(archive: Archive, identifier: Any, level: str) -> list[list[Instance]]:
    key: Callable[[Instance], str] = {
        "PATIENT": lambda one: str(one.attributes.get("PatientID", "")),
        "STUDY": lambda one: one.study_uid,
        "SERIES": lambda one: one.series_uid,
        "IMAGE": lambda one: one.sop_instance,
    }[level]
    groups: dict[str, list[Instance]] = {}
    for instance in _candidates(archive, identifier):
        groups.setdefault(key(instance), []).append(instance)
    return list(groups.values())


class _Entity:
    """One patient, study, series or image, seen as attributes, counted ones included."""

    def __init__(self, archive: Archive, group: Group) -> None:
        self._archive = archive
        self._first = group[0]

    @property
    def attributes(self) -> Any:
        return self._first.attributes

    def element(self, tag: int) -> Any:
        """The stored or computed element, None when this PACS has none."""
        computed = _COMPUTED.get(int(tag))
        if computed is None:
            return self._first.attributes.get(tag)
        return DataElement(tag, dictionary_VR(tag), computed(self._archive, self._first))


def _study(archive: Archive, one: Instance) -> tuple[Instance, ...]:
    return archive.instances(study=one.study_uid)


def _patient(archive: Archive, one: Instance) -> list[Instance]:
    patient = one.attributes.get("PatientID")
    return [each for each in archive.instances() if each.attributes.get("PatientID") == patient]


def _distinct(instances: Group, keyword: str) -> list[str]:
    return list(dict.fromkeys(str(each.attributes.get(keyword, "")) for each in instances))


_COMPUTED: dict[int, Callable[[Archive, Instance], Any]] = {
    0x00080061: lambda archive, one: _distinct(_study(archive, one), "Modality"),
    0x00080062: lambda archive, one: list(
        dict.fromkeys(each.sop_class for each in _study(archive, one))
    ),
    0x00201200: lambda archive, one: len({each.study_uid for each in _patient(archive, one)}),
    0x00201202: lambda archive, one: len({each.series_uid for each in _patient(archive, one)}),
    0x00201204: lambda archive, one: len(_patient(archive, one)),
    0x00201206: lambda archive, one: len({each.series_uid for each in _study(archive, one)}),
    0x00201208: lambda archive, one: len(_study(archive, one)),
    0x00201209: lambda archive, one: len(
        archive.instances(study=one.study_uid, series=one.series_uid)
    ),
}
"""ModalitiesInStudy, SOPClassesInStudy, NumberOfPatientRelated..., NumberOfStudyRelated...,
NumberOfSeriesRelatedInstances."""


def _response(
    identifier: Any, keys: Sequence[Any], entity: _Entity, level: str, ae_title: str
) -> Any:
    response = Dataset()
    character_set = entity.attributes.get("SpecificCharacterSet")
    if character_set:
        response.SpecificCharacterSet = character_set
    response.QueryRetrieveLevel = level
    response.RetrieveAETitle = ae_title
    if 0x00080056 in identifier:
        response.InstanceAvailability = "ONLINE"
    for key in keys:
        stored = entity.element(key.tag)
        if stored is None:
            response.add(DataElement(key.tag, key.VR, [] if key.VR == "SQ" else None))
        elif stored.VR == "SQ":
            response.add(DataElement(key.tag, "SQ", [_item(key, item) for item in stored.value]))
        else:
            # The very element of the archive, or one just computed: a response is only read.
            response.add(stored)
    return response


def _item(key: Any, item: Any) -> Any:
    """A stored item, reduced to the keys that the identifier's item names."""
    wanted = {inner.tag for asked in key.value or () for inner in asked}
    copied = Dataset()
    for element in item:
        if not wanted or element.tag in wanted:
            copied.add(deepcopy(element))
    return copied
