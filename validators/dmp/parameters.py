"""The parameters of a stored query as they are written: quoting, lists, what each may hold.

Réf. IHE ITI TF Vol. 2 3.18.4.1.2.3.5 (coding of values) and 3.18.4.1.2.3.7 (parameters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from protocols.xml import NS
from spec.xds import Query

__all__ = ["DMP_QUERIES", "KNOWN", "Slot", "is_coded", "is_list", "is_time", "slots_of"]

_RIM = f"{{{NS['rim']}}}"
_QUOTED = r"'(?:[^']|'')*+'"
_LIST = re.compile(rf"\(\s*+(?:{_QUOTED}|\d++)(?:\s*+,\s*+(?:{_QUOTED}|\d++))*+\s*+\)")
_SINGLE = re.compile(rf"{_QUOTED}|\d++")
_VALUE = re.compile(rf"{_QUOTED}|\d++")


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter. `texts` are its `Value` elements, as written."""

    name: str
    texts: tuple[str, ...]

    @property
    def is_well_quoted(self) -> bool:
        """Whether every text is a quoted string, a number, or a parenthesised list of them."""
        return bool(self.texts) and all(
            _LIST.fullmatch(text) or _SINGLE.fullmatch(text) for text in self.texts
        )

    @property
    def is_parenthesised(self) -> bool:
        """Whether every text is a list."""
        return all(text.startswith("(") for text in self.texts)

    @property
    def values(self) -> tuple[str, ...]:
        """The values of all its texts, unquoted; none when the quoting is broken."""
        if not self.is_well_quoted:
            return ()
        return tuple(
            found[1:-1].replace("''", "'") if found.startswith("'") else found
            for text in self.texts
            for found in _VALUE.findall(text)
        )

    @property
    def where(self) -> str:
        """An XPath to it."""
        return f"//AdhocQuery/Slot[@name='{self.name}']"


def slots_of(query: etree._Element) -> list[Slot]:
    """The parameters of an `rim:AdhocQuery`."""
    return [
        Slot(
            slot.get("name", ""),
            tuple(
                "".join(str(text) for text in value.itertext()).strip()
                for value in slot.iterfind(f"{_RIM}ValueList/{_RIM}Value")
            ),
        )
        for slot in query.findall(f"{_RIM}Slot")
    ]


_DE = "$XDSDocumentEntry"
_CODED = tuple(
    f"{_DE}{name}"
    for name in (
        "ClassCode",
        "TypeCode",
        "PracticeSettingCode",
        "HealthcareFacilityTypeCode",
        "EventCodeList",
        "ConfidentialityCode",
        "FormatCode",
    )
)
_TIMES = tuple(
    f"{_DE}{name}{end}"
    for name in ("CreationTime", "ServiceStartTime", "ServiceStopTime")
    for end in ("From", "To")
)
_SET_TIMES = ("$XDSSubmissionSetSubmissionTimeFrom", "$XDSSubmissionSetSubmissionTimeTo")
_FIND = frozenset(
    (
        *_CODED,
        *_TIMES,
        f"{_DE}PatientId",
        f"{_DE}Status",
        f"{_DE}AuthorPerson",
        f"{_DE}Type",
        "$MetadataLevel",
    )
)
_BY_ID = frozenset((f"{_DE}EntryUUID", f"{_DE}UniqueId", "$homeCommunityId", "$MetadataLevel"))

KNOWN: dict[str, frozenset[str]] = {
    Query.FIND_DOCUMENTS: _FIND,
    Query.FIND_DOCUMENTS_BY_REFERENCE_ID: _FIND | {f"{_DE}ReferenceIdList"},
    Query.GET_DOCUMENTS: _BY_ID | {f"{_DE}LogicalID", "$LID"},
    Query.GET_DOCUMENTS_AND_ASSOCIATIONS: _BY_ID,
    Query.GET_ASSOCIATIONS: frozenset(("$uuid", "$homeCommunityId", "$MetadataLevel")),
    Query.GET_SUBMISSION_SETS: frozenset(("$uuid", "$homeCommunityId", "$MetadataLevel")),
    Query.GET_RELATED_DOCUMENTS: _BY_ID | {"$AssociationTypes", f"{_DE}Type"},
    Query.FIND_SUBMISSION_SETS: frozenset(
        (
            *_SET_TIMES,
            "$XDSSubmissionSetPatientId",
            "$XDSSubmissionSetSourceId",
            "$XDSSubmissionSetAuthorPerson",
            "$XDSSubmissionSetContentType",
            "$XDSSubmissionSetStatus",
            "$MetadataLevel",
        )
    ),
    Query.GET_SUBMISSION_SET_AND_CONTENTS: frozenset(
        (
            "$XDSSubmissionSetEntryUUID",
            "$XDSSubmissionSetUniqueId",
            f"{_DE}FormatCode",
            f"{_DE}ConfidentialityCode",
            f"{_DE}Type",
            "$homeCommunityId",
            "$MetadataLevel",
        )
    ),
}
"""Parameters of the queries that the DMP is known to serve."""

DMP_QUERIES = tuple(KNOWN)

_LISTS = frozenset(
    (
        *_CODED,
        f"{_DE}Status",
        f"{_DE}AuthorPerson",
        f"{_DE}ReferenceIdList",
        f"{_DE}EntryUUID",
        f"{_DE}UniqueId",
        f"{_DE}Type",
        "$uuid",
        "$AssociationTypes",
        "$XDSSubmissionSetSourceId",
        "$XDSSubmissionSetContentType",
        "$XDSSubmissionSetStatus",
    )
)


def is_coded(name: str) -> bool:
    """Whether a parameter holds `code^^scheme`."""
    return name in _CODED


def is_list(name: str, query: str) -> bool:
    """Whether a parameter of that query is a parenthesised list, even of one value."""
    # One related document only; elsewhere the same names take several.
    if query == Query.GET_RELATED_DOCUMENTS and name in (f"{_DE}EntryUUID", f"{_DE}UniqueId"):
        return False
    return name in _LISTS


def is_time(name: str) -> bool:
    """Whether a parameter is a bound in time."""
    return name in _TIMES or name in _SET_TIMES
