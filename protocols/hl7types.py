r"""HL7 v2 data types as XDS metadata writes them: CX, CXi, XCN, XON, HD, sourcePatientInfo.

Values are written with `^` and `&` and the escapes of HL7 v2.5 section 2.7 (`\S\`, `\T\`...).
Components that XDS does not use are dropped when read: the raw slot value stays with whoever
needs it.

Réf. IHE ITI TF Vol. 3 table 4.2.3.1.7-2; XCN, XON and CXi components as the French profile fills
them: IG-FHIR-PDSM4DMP-EEDS (ANS), ActorPS, AuthorInstitution and ReferenceIdList models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.errors import RemoteProtocolError

__all__ = ["CX", "HD", "XCN", "XON", "CXi", "DataTypeError", "PatientInfo"]


class DataTypeError(RemoteProtocolError):
    """A value that does not have the shape of its type."""


_ESCAPES = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}
_SPECIAL = {char: f"\\{code}\\" for code, char in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\([FSTRE])\\")


def _escape(text: str) -> str:
    return "".join(_SPECIAL.get(char, char) for char in text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES[match[1]], text)


def _components(value: str) -> list[str]:
    return value.split("^")


def _at(components: Sequence[str], index: int) -> str:
    """The component of that HL7 number (from 1), "" when absent."""
    return _unescape(components[index - 1]) if index <= len(components) else ""


def _raw(components: Sequence[str], index: int) -> str:
    return components[index - 1] if index <= len(components) else ""


def _format(components: dict[int, str]) -> str:
    """Numbered components, already escaped, without trailing separators."""
    last = max((index for index, value in components.items() if value), default=0)
    return "^".join(components.get(index, "") for index in range(1, last + 1))


@dataclass(frozen=True, slots=True)
class HD:
    """Assigning authority: `&OID&ISO` as a component."""

    universal_id: str
    type: str = "ISO"
    namespace: str = ""

    @classmethod
    def parse(cls, value: str) -> HD | None:
        """None when the component is empty.

        Raises:
            DataTypeError: more than three subcomponents.
        """
        parts = [_unescape(part) for part in value.split("&")]
        if len(parts) > 3:
            raise DataTypeError(f"autorité d'affectation mal formée : {value[:120]!r}")
        if not any(parts):
            return None
        parts += [""] * (3 - len(parts))
        return cls(universal_id=parts[1], type=parts[2], namespace=parts[0])

    def __str__(self) -> str:
        parts = (self.namespace, self.universal_id, self.type)
        return "&".join(_escape(part) for part in parts).rstrip("&")


def _hd(authority: HD | None) -> str:
    return "" if authority is None else str(authority)


@dataclass(frozen=True, slots=True)
class CX:
    """Patient identifier: `id^^^&OID&ISO^type`. `effective_date` is CX.7 (seen on old INS)."""

    id: str
    authority: HD | None = None
    type: str = ""
    effective_date: str = ""

    @classmethod
    def parse(cls, value: str) -> CX:
        """Raises `DataTypeError` when there is no id."""
        parts = _components(value)
        if not _at(parts, 1):
            raise DataTypeError(f"CX sans identifiant : {value[:120]!r}")
        return cls(_at(parts, 1), HD.parse(_raw(parts, 4)), _at(parts, 5), _at(parts, 7))

    def __str__(self) -> str:
        return _format(
            {
                1: _escape(self.id),
                4: _hd(self.authority),
                5: _escape(self.type),
                7: _escape(self.effective_date),
            }
        )


@dataclass(frozen=True, slots=True)
class CXi:
    """Value of referenceIdList: `id^^^&OID&ISO^urn:...type^home`."""

    id: str
    authority: HD | None = None
    type: str = ""
    home: str = ""

    @classmethod
    def parse(cls, value: str) -> CXi:
        """Raises `DataTypeError` when there is no id."""
        parts = _components(value)
        if not _at(parts, 1):
            raise DataTypeError(f"CXi sans identifiant : {value[:120]!r}")
        return cls(_at(parts, 1), HD.parse(_raw(parts, 4)), _at(parts, 5), _at(parts, 6))

    def __str__(self) -> str:
        return _format(
            {
                1: _escape(self.id),
                4: _hd(self.authority),
                5: _escape(self.type),
                6: _escape(self.home),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class XCN:
    """Person or system: authorPerson, legalAuthenticator."""

    id: str = ""
    family: str = ""
    given: str = ""
    second: str = ""
    suffix: str = ""
    prefix: str = ""
    authority: HD | None = None
    name_type: str = ""
    """XCN.10: `D` for a person, `U` for a system."""
    id_type: str = ""
    """XCN.13: `IDNPS`, `RI`, `EI`, `NH`..."""

    @classmethod
    def parse(cls, value: str) -> XCN:
        """Raises `DataTypeError` when there is neither id nor name."""
        parts = _components(value)
        if not (_at(parts, 1) or _at(parts, 2) or _at(parts, 3)):
            raise DataTypeError(f"XCN sans identifiant ni nom : {value[:120]!r}")
        return cls(
            id=_at(parts, 1),
            family=_at(parts, 2),
            given=_at(parts, 3),
            second=_at(parts, 4),
            suffix=_at(parts, 5),
            prefix=_at(parts, 6),
            authority=HD.parse(_raw(parts, 9)),
            name_type=_at(parts, 10),
            id_type=_at(parts, 13),
        )

    def __str__(self) -> str:
        return _format(
            {
                1: _escape(self.id),
                2: _escape(self.family),
                3: _escape(self.given),
                4: _escape(self.second),
                5: _escape(self.suffix),
                6: _escape(self.prefix),
                9: _hd(self.authority),
                10: _escape(self.name_type),
                13: _escape(self.id_type),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class XON:
    """Organisation: authorInstitution."""

    name: str
    authority: HD | None = None
    id_type: str = ""
    """XON.7: `IDNST` for a structure."""
    id: str = ""
    """XON.10: Struct_IdNat."""

    @classmethod
    def parse(cls, value: str) -> XON:
        """Raises `DataTypeError` when there is neither name nor id."""
        parts = _components(value)
        if not (_at(parts, 1) or _at(parts, 10)):
            raise DataTypeError(f"XON sans nom ni identifiant : {value[:120]!r}")
        return cls(
            name=_at(parts, 1),
            authority=HD.parse(_raw(parts, 6)),
            id_type=_at(parts, 7),
            id=_at(parts, 10),
        )

    def __str__(self) -> str:
        return _format(
            {
                1: _escape(self.name),
                6: _hd(self.authority),
                7: _escape(self.id_type),
                10: _escape(self.id),
            }
        )


@dataclass(frozen=True, slots=True)
class PatientInfo:
    """sourcePatientInfo: the slot's values as (`PID-5`, raw HL7 field) pairs, in order."""

    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, values: Sequence[str]) -> PatientInfo:
        """Raises `DataTypeError` on a value that is not `PID-n|...`."""
        fields = []
        for value in values:
            name, bar, field = value.partition("|")
            if not bar or not re.fullmatch(r"PID-\d{1,2}", name.strip()):
                raise DataTypeError(f"sourcePatientInfo mal formé : {value[:120]!r}")
            fields.append((name.strip(), field))
        return cls(tuple(fields))

    def all(self, name: str) -> tuple[str, ...]:
        """The values of one PID field."""
        return tuple(value for field, value in self.fields if field == name)

    def values(self) -> tuple[str, ...]:
        """The values of the slot."""
        return tuple(f"{name}|{value}" for name, value in self.fields)
