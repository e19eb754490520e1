"""Whom and what a message is about: taken from our own report, or read in somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from protocols import cda
from simulators.ris.people import Identifier, Patient, Professional, Structure
from simulators.ris.report import Report
from spec.oids import INS_AUTHORITIES

__all__ = ["Subject"]

_RIS = "DRIMBENCH-RIS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The patient, the sender, and the RIS's own numbers: first order, visit, folder."""

    patient: Patient
    professional: Professional
    structure: Structure
    visit: Identifier
    folder: Identifier
    placer: Identifier | None = None
    accession: Identifier | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        """The subject of a report that we wrote."""
        order = report.orders[0] if report.orders else None
        visit, folder = _numbers(report.patient.ipp, report.id)
        return cls(
            patient=report.patient,
            professional=report.author,
            structure=report.structure,
            visit=visit,
            folder=folder,
            placer=order.placer if order else None,
            accession=order.accession if order else None,
        )

    @classmethod
    def read(cls, document: bytes) -> Self:
        """The subject of any CDA document, as its header tells it.

        The INS is the identifier under an INS authority, the IPP the first other one. The sender
        is the legal authenticator, else the author.

        Raises:
            protocols.cda.CdaSyntaxError: not a CDA document.
            ValueError: a CDA document without a patient.
        """
        report = cda.parse(document)
        if report.patient is None:
            raise ValueError("le document n'a pas de patient (recordTarget)")
        signer = report.legal_authenticator or report.author or cda.Professional()
        patient = _patient(report.patient)
        order = report.orders[0] if report.orders else cda.Order()
        visit, folder = _numbers(patient.ipp, (report.id and report.id.root) or "")
        return cls(
            patient=patient,
            professional=_professional(signer),
            structure=_structure(signer.organization or cda.Organization()),
            visit=visit,
            folder=folder,
            placer=_first(order.ids),
            accession=_first(order.accession_numbers),
        )


def _numbers(ipp: Identifier | None, document: str) -> tuple[Identifier, Identifier]:
    """A visit and a folder number: nobody checks them, but PAM.FR wants them."""
    oid = ipp.oid if ipp else document
    number = ipp.value if ipp else "0"
    return Identifier(f"V{number}", oid, _RIS), Identifier(f"DA{number}", oid, _RIS)


def _first(ids: tuple[cda.Id, ...]) -> Identifier | None:
    if not ids:
        return None
    return Identifier(ids[0].extension or "", ids[0].root or "", _RIS)


def _patient(patient: cda.Patient) -> Patient:
    ins = patient.id_of(*INS_AUTHORITIES)
    local = next((one for one in patient.ids if one.root and one.root not in INS_AUTHORITIES), None)
    births = patient.values("family", "BR") or patient.values("family") or ("",)
    # A given name without qualifier is the list of birth given names; older reports write no
    # first given name beside it: then it is the first of the list.
    lists = patient.values("given")
    firsts = patient.values("given", "BR") or tuple(one.split(" ")[0] for one in lists) or ("",)
    return Patient(
        family=births[0],
        given=firsts[0],
        givens=lists[0] if lists else firsts[0],
        birth_date=patient.birth_time or "",
        sex=(patient.sex and patient.sex.code) or "U",
        ins=Identifier(ins.extension or "", ins.root or "") if ins else None,
        ipp=Identifier(local.extension or "", local.root or "", _RIS) if local else None,
        birthplace_code=patient.birthplace_county or "",
        birthplace_city=patient.birthplace_city or "",
        used_family="".join(patient.values("family", "CL")[:1]),
        used_given="".join(patient.values("given", "CL")[:1]),
    )


def _professional(signer: cda.Professional) -> Professional:
    name = signer.name or cda.PersonName()
    return Professional(
        id=(signer.ids[0].extension or "") if signer.ids else "",
        family=name.family or "",
        given=name.given or "",
        prefix=name.prefix or "",
    )


def _structure(organization: cda.Organization) -> Structure:
    return Structure(
        id=(organization.ids[0].extension or "") if organization.ids else "",
        name=organization.name or "",
    )
