"""One registry object as it is written: slots, codes, authors and external identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from protocols.xml import NS
from spec.xds import SlotName

__all__ = ["Author", "Code", "RegistryObject", "parts"]

RIM = f"{{{NS['rim']}}}"


def parts(value: str) -> list[str]:
    """The components of an HL7 value, padded to fifteen."""
    found = value.split("^")
    return found + [""] * (15 - len(found))


@dataclass(frozen=True, slots=True)
class Code:
    """A coded attribute. `schemes` are the values of its codingScheme slot."""

    element: etree._Element
    value: str
    schemes: tuple[str, ...]
    display: str

    @property
    def scheme(self) -> str:
        """The codingScheme, "" unless there is exactly one."""
        return self.schemes[0] if len(self.schemes) == 1 else ""

    def __str__(self) -> str:
        return f"{self.value} ({', '.join(self.schemes)})"


@dataclass(frozen=True, slots=True)
class Author:
    """An author classification, its values as written."""

    persons: tuple[str, ...]
    institutions: tuple[str, ...]
    specialties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegistryObject:
    """A RegistryPackage or an ExtrinsicObject."""

    element: etree._Element
    _codes: dict[str, list[Code]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By scheme, once asked for: each is compared with several others."""

    @property
    def kind(self) -> str:
        """Local name of the element."""
        return etree.QName(self.element).localname

    @property
    def id(self) -> str:
        return self.element.get("id", "")

    def where(self, path: str = "") -> str:
        """An XPath to this object, or to something in it."""
        here = f"//{self.kind}[@id='{self.id}']"
        return f"{here}/{path}" if path else here

    def slot_path(self, name: str) -> str:
        """An XPath to a slot of this object."""
        return self.where(f"Slot[@name='{name}']")

    def slot(self, name: str) -> tuple[str, ...]:
        """The values of a slot, of all the slots of that name."""
        return _slot(self.element, name)

    def value(self, name: str) -> str:
        """The first value of a slot, "" when there is none."""
        return next(iter(self.slot(name)), "")

    def slot_count(self, name: str) -> int:
        """How many slots have that name."""
        return len(self.element.findall(f"{RIM}Slot[@name='{name}']"))

    @property
    def title(self) -> str:
        return _name(self.element)

    def classifications(self, scheme: str) -> list[etree._Element]:
        """The classifications under a scheme."""
        return [
            found
            for found in self.element.findall(f"{RIM}Classification")
            if found.get("classificationScheme", "") == scheme
        ]

    def codes(self, scheme: str) -> list[Code]:
        """The codes under a scheme."""
        if scheme not in self._codes:
            self._codes[scheme] = [
                Code(
                    found,
                    found.get("nodeRepresentation", ""),
                    _slot(found, SlotName.CODING_SCHEME),
                    _name(found),
                )
                for found in self.classifications(scheme)
            ]
        return self._codes[scheme]

    def authors(self, scheme: str) -> list[Author]:
        """The authors under a scheme."""
        return [
            Author(
                _slot(found, SlotName.AUTHOR_PERSON),
                _slot(found, SlotName.AUTHOR_INSTITUTION),
                _slot(found, SlotName.AUTHOR_SPECIALTY),
            )
            for found in self.classifications(scheme)
        ]

    def externals(self, scheme: str) -> list[str]:
        """The external identifiers under a scheme."""
        return [
            found.get("value", "")
            for found in self.element.findall(f"{RIM}ExternalIdentifier")
            if found.get("identificationScheme", "") == scheme
        ]

    def external(self, scheme: str) -> str:
        """The first external identifier under a scheme, "" when there is none."""
        return next(iter(self.externals(scheme)), "")


def _slot(element: etree._Element, name: str) -> tuple[str, ...]:
    return tuple(
        (value.text or "").strip()
        for value in element.findall(f"{RIM}Slot[@name='{name}']/{RIM}ValueList/{RIM}Value")
    )


def _name(element: etree._Element) -> str:
    found = element.find(f"{RIM}Name/{RIM}LocalizedString")
    return "" if found is None else found.get("value", "")
