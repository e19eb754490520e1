"""Shapes of metadata values: CX, XCN, XON, codes under a scheme. One finding per fault."""

from __future__ import annotations

from spec.oids import INS_AUTHORITIES, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from validators.identifiers import is_matricule, is_oid
from validators.rule import Broken
from validators.xds.registry import Code, RegistryObject, parts
from validators.xds.rules import Findings

__all__ = ["authority", "institution", "oid", "one_code", "patient_id", "person", "single"]


def authority(value: str) -> tuple[str, str]:
    """Universal id and type of a CX or XCN authority (`&OID&ISO`)."""
    found = [*value.split("&"), "", "", ""]
    return found[1], found[2]


def patient_id(value: str, where: str) -> Findings:
    """A patientId: an INS of type NH."""
    cx = parts(value)
    oid, kind = authority(cx[3])
    if not (is_matricule(cx[0]) and oid in INS_AUTHORITIES and kind == "ISO" and cx[4] == "NH"):
        yield Broken(
            message="Ce n'est pas un INS.",
            expected="matricule^^^&OID de l'INS&ISO^NH",
            actual=value,
            where=where,
        )


def person(value: str, where: str) -> Findings:
    """An XCN of a professional or of a system."""
    xcn = parts(value)
    oid, kind = authority(xcn[8])
    if not (xcn[0] and (xcn[1] or xcn[2])):
        yield Broken(
            message="Il manque un identifiant ou un nom.",
            expected="id^nom^prénom",
            actual=value,
            where=where,
        )
    if (oid, kind) != (PROFESSIONAL_AUTHORITY, "ISO") or xcn[9] not in ("D", "U") or not xcn[12]:
        yield Broken(
            message="L'autorité, le type de nom ou le type d'identifiant manque.",
            expected=f"XCN.9 = &{PROFESSIONAL_AUTHORITY}&ISO, XCN.10 = D | U, XCN.13 renseigné",
            actual=value,
            where=where,
        )


def institution(value: str, where: str) -> Findings:
    """An XON of a structure."""
    xon = parts(value)
    if not (xon[0] and authority(xon[5])[0] == STRUCTURE_AUTHORITY and xon[6] and xon[9]):
        yield Broken(
            message="Ce n'est pas une structure identifiée.",
            expected=f"nom^^^^^&{STRUCTURE_AUTHORITY}&ISO^IDNST^^^identifiant",
            actual=value,
            where=where,
        )


def single(item: RegistryObject, slot: str) -> Findings:
    """A slot that is there once, with one value."""
    count, values = item.slot_count(slot), item.slot(slot)
    if count != 1 or len(values) != 1 or not values[0]:
        yield Broken(
            message=f"{slot} doit avoir une valeur et une seule.",
            expected="1",
            actual=f"{count} slot, {len(values)} valeur(s)",
            where=item.slot_path(slot),
        )


def one_code(item: RegistryObject, scheme: str, name: str) -> tuple[Code | None, list[Broken]]:
    """The only code under a scheme, or what is wrong with their number."""
    found = item.codes(scheme)
    if len(found) == 1:
        return found[0], []
    fault = Broken(
        message=f"{name} doit figurer une fois et une seule.",
        expected="1",
        actual=str(len(found)),
        where=item.where(f"Classification[@classificationScheme='{scheme}']"),
    )
    return None, [fault]


def oid(value: str, where: str, what: str) -> Findings:
    """An OID, without any `urn:oid:` prefix."""
    if not is_oid(value):
        yield Broken(message=f"{what} n'est pas un OID.", actual=value, where=where)
