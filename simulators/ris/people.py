"""The people and structures that the RIS speaks of, as its own records hold them."""

from __future__ import annotations

from dataclasses import dataclass

from spec.oids import INS_NIR_TEST

__all__ = [
    "Coded",
    "Identifier",
    "Patient",
    "Professional",
    "Structure",
    "ins_of",
    "nir_key",
]


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its label and the OID of its code system."""

    code: str
    display: str
    system: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number and who gave it: OID of the authority and the name that the RIS knows it by."""

    value: str
    oid: str
    authority: str = ""


def nir_key(number: str) -> str:
    """The two-digit key of a 13-character NIR: 97 - n mod 97, Corsica's 2A as 19 and 2B as 18.

    Réf.: construction of the NIR (INSEE), grade: standard.

    Raises:
        ValueError: not 13 characters of a NIR.
    """
    digits = number.replace("2A", "19", 1).replace("2B", "18", 1)
    if len(number) != 13 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not a NIR of 13 characters: {number!r}")
    return f"{97 - int(digits) % 97:02d}"


def ins_of(number: str, oid: str = INS_NIR_TEST) -> Identifier:
    """The INS whose 13 first characters are given: the key is computed.

    Raises:
        ValueError: not 13 characters of a NIR.
    """
    return Identifier(number + nir_key(number), oid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient and his identity traits.

    `given` is the first birth given name, `givens` the list of all of them separated by blanks,
    `birth_date` is `YYYYMMDD`, `sex` is M, F or U, `birthplace_code` an INSEE commune code (COG).
    An INS is qualified only together with an identity status of `VALI`, which is the message's.
    """

    family: str
    given: str
    givens: str
    birth_date: str
    sex: str
    ins: Identifier | None
    ipp: Identifier | None
    birthplace_code: str = ""
    birthplace_city: str = ""
    used_family: str = ""
    used_given: str = ""
    other_ipps: tuple[Identifier, ...] = ()
    """In other domains than the IPP's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """A radiologist. `id` is his national identifier (`PS_IdNat`: 8 + RPPS)."""

    id: str
    family: str
    given: str
    prefix: str = ""
    profession: Coded = Coded(
        "G15_10/SM44", "Médecin - Radio-diagnostic (SM)", "1.2.250.1.213.1.1.4.5"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Where he works. `id` is its national identifier (`Struct_IdNat`: 1 + FINESS, 3 + SIRET...).

    Default codes are those of a radiology practice (DRIM-M_DATA reports, grade: sample).
    """

    id: str
    name: str
    facility: Coded = Coded("SA08", "Cabinet de groupe", "1.2.250.1.71.4.2.4")
    industry: Coded = Coded("AMBULATOIRE", "Ambulatoire", "1.2.250.1.213.1.1.4.9")
