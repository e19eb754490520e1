"""What the judge knows beyond the artefact that it judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from spec.grade import Grade
from validators.demands import Demands

__all__ = ["Context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Facts of the case. A cross rule abstains when the fact that it compares with is absent.

    Attributes:
        ins, ins_oid: matricule and assigning authority of the patient's INS.
        ipp: the patient's local identifier, as the PACS knows it.
        accession, study_uid: of the exam.
        control_id: MSH-10 of the message that an acknowledgement answers.
        request: the message that an acknowledgement answers, in bytes.
        kos: the manifest in force for the study, as a DICOM file.
        target: path of the WADO-RS request that a response answers.
        purpose: why a consumer asks for images: it decides between the two q profiles.
        at: the instant of judgement, with its zone; without it nothing is said to be expired.
        jwks: the token issuer's public keys, as a JWK Set.
        authorities: certificates of the authorities trusted for this artefact, as PEM.
        certificate_profile: what a certificate is for, a key of `spec.certificates.PROFILES`.
        demands: what the product's profile names, and a rule then demands.
        strict: what the field tolerates, and rules mark so, becomes an error.
        floor: grade below which an error only warns.
    """

    ins: str = ""
    ins_oid: str = ""
    ipp: str = ""
    accession: str = ""
    study_uid: str = ""
    control_id: str = ""
    request: bytes = b""
    kos: bytes = b""
    target: str = ""
    purpose: Literal["", "export", "viewing"] = ""
    at: datetime | None = None
    jwks: bytes = b""
    authorities: bytes = b""
    certificate_profile: str = ""
    demands: Demands = field(default_factory=Demands)
    strict: bool = False
    floor: Grade = Grade.DRAFT
