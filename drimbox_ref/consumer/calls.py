"""Reading a contextual call: its parameters, checked one by one before anything is done with them.

Réf.: names and the rule "unknown, empty or missing parameter is 400": ANS test server
TestServer-AppelContextuel (2024-12) and ANS demonstrator (2024-07), grade: demonstrator; the
project specification's table is not public. Values of the consent are ours and configurable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from drimbox_ref.consumer.config import Options
from drimbox_ref.consumer.values import Call, CallRefused, Consent, Ins, Search
from protocols.dicom import is_uid
from spec.oids import INS_AUTHORITIES

__all__ = ["ContextualCalls", "MAX_BODY"]

MAX_BODY = 64 * 1024
"""Bytes of a call: forty times a full one."""
_MAX_VALUE = 512
_COMMON = (
    "Patient.identifier.value",
    "Patient.identifier.system",
    "Patient.name.family",
    "Patient.name.given",
    "Patient.gender",
    "Patient.birthDate",
    "Address.district",
    "PatientID",
    "PatientIDIssuer",
)
_CONSENT = "InformationEtConsentement"
_OPPOSITION = "InformationEtOppositionConsultation"
_SEARCH = (
    "StudyInstanceUID",
    "Modality",
    "AccessionNumber",
    "AccessionNumberIssuer",
    "StudyDate",
    "AnatomicRegion",
)
_MEDIA_TYPES = ("", "application/x-www-form-urlencoded", "text/plain")
"""The two ANS programs take any Content-Type; JSON or multipart would only be misread."""
_MATRICULE = re.compile(r"[0-9]{6}[0-9AB][0-9]{8}|[0-9]{15}")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_RANGE = re.compile(r"(\d{8})?-(\d{8})?|(\d{8})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ContextualCalls:
    """Reads calls of one of the two published parameter sets."""

    def __init__(self, options: Options) -> None:
        self._check_key = options.check_ins_key
        newer = options.call_parameters == "2024-12"
        self._consent_name = _CONSENT if newer else _OPPOSITION
        self._mandatory = (*_COMMON, self._consent_name)
        self._optional = ("Situation",) if newer else ("Situation", *_SEARCH)
        self._consents = {
            options.consent_yes.casefold(): Consent.GIVEN if newer else Consent.REFUSED,
            options.consent_no.casefold(): Consent.REFUSED if newer else Consent.GIVEN,
            options.consent_unknown.casefold(): Consent.UNKNOWN,
        }
        self._consent_values = (options.consent_yes, options.consent_no, options.consent_unknown)

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """The call written in the body of a POST."""
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in _MEDIA_TYPES:
            raise CallRefused(f"Content-Type {media_type!r} non pris en charge", status=415)
        if query:
            # Identity traits in a URL would end in every log on the way.
            raise CallRefused("les paramètres se passent dans le corps du POST, pas dans l'URL")
        values, problems = _parse(body)
        allowed = {*self._mandatory, *self._optional}
        problems.extend(
            f"paramètre inconnu : {_shown(name)}" for name in values if name not in allowed
        )
        problems.extend(
            f"paramètre sans valeur : {name}"
            for name, value in values.items()
            if name in allowed and not value
        )
        problems.extend(
            f"paramètre obligatoire absent : {name}"
            for name in self._mandatory
            if name not in values
        )
        if problems:
            raise CallRefused(*problems)
        return self._call(values)

    def _call(self, values: Mapping[str, str]) -> Call:
        problems: list[str] = []
        consent = self._consents.get(values[self._consent_name].casefold())
        if consent is None:
            expected = ", ".join(f"« {value} »" for value in self._consent_values)
            problems.append(f"{self._consent_name} : valeur attendue parmi {expected}")
        ins = Ins(value=values["Patient.identifier.value"], oid=values["Patient.identifier.system"])
        if ins.oid not in INS_AUTHORITIES:
            problems.append("Patient.identifier.system : OID d'une INS qualifiée attendu")
        elif not _MATRICULE.fullmatch(ins.value) or (self._check_key and not _key_holds(ins.value)):
            problems.append("Patient.identifier.value : matricule INS mal formé")
        birth = _DATE.fullmatch(values["Patient.birthDate"])
        if birth is None:
            problems.append("Patient.birthDate : date AAAAMMJJ attendue")
        ipp = values["PatientID"]
        if len(ipp) > 64 or "\\" in ipp or not ipp.isascii():
            problems.append("PatientID : 64 caractères ASCII au plus, sans « \\ » (DICOM LO)")
        search = _search(values, problems)
        if problems or consent is None or birth is None:
            raise CallRefused(*problems)
        return Call(
            ins=ins,
            family=values["Patient.name.family"],
            given=values["Patient.name.given"],
            sex=values["Patient.gender"],
            birth_date="".join(birth.groups()),
            birthplace=values["Address.district"],
            consent=consent,
            ipp=ipp,
            ipp_issuer=values["PatientIDIssuer"],
            situation=values.get("Situation", ""),
            search=search,
        )


def _parse(body: bytes) -> tuple[dict[str, str], list[str]]:
    """`name=value&name=value`, percent-encoded UTF-8, and what is wrong with it."""
    if len(body) > MAX_BODY:
        raise CallRefused("appel contextuel démesuré", status=413)
    values: dict[str, str] = {}
    problems: list[str] = []
    for pair in body.strip(b"\r\n").split(b"&"):
        if not pair:
            continue
        written, _, text = pair.partition(b"=")
        name = _decoded(written)
        value = _decoded(text)
        if name is None:
            problems.append("nom de paramètre illisible (UTF-8 attendu)")
        elif name in values:
            problems.append(f"paramètre en double : {_shown(name)}")
        elif value is None or len(value) > _MAX_VALUE or _CONTROL.search(value):
            problems.append(f"valeur illisible : {_shown(name)}")
            values[name] = "?"
        else:
            values[name] = value.strip()
    return values, problems


def _decoded(text: bytes) -> str | None:
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _shown(name: str) -> str:
    return name if len(name) <= 80 else name[:77] + "..."


def _search(values: Mapping[str, str], problems: list[str]) -> Search:
    date_from = date_to = ""
    if "StudyDate" in values:
        matched = _RANGE.fullmatch(values["StudyDate"])
        if matched is None or values["StudyDate"] == "-":
            problems.append("StudyDate : date AAAAMMJJ ou intervalle AAAAMMJJ-AAAAMMJJ attendu")
        else:
            date_from = matched[1] or matched[3] or ""
            date_to = matched[2] or matched[3] or ""
    study_uid = values.get("StudyInstanceUID", "")
    if study_uid and not is_uid(study_uid):
        problems.append("StudyInstanceUID : UID attendu")
    return Search(
        modalities=_list(values.get("Modality", "")),
        regions=_list(values.get("AnatomicRegion", "")),
        date_from=date_from,
        date_to=date_to,
        study_uid=study_uid,
        accession=values.get("AccessionNumber", ""),
        accession_issuer=values.get("AccessionNumberIssuer", ""),
    )


def _list(value: str) -> tuple[str, ...]:
    """One value, or several as DICOM or a form would separate them."""
    return tuple(part.strip() for part in re.split(r"[\\,;]", value) if part.strip())


def _key_holds(matricule: str) -> bool:
    """Control key of a NIR: 97 - n mod 97, Corsica's 2A as 19 and 2B as 18 (INSEE)."""
    number = matricule[:13].replace("2A", "19", 1).replace("2B", "18", 1)
    return number.isdigit() and 97 - int(number) % 97 == int(matricule[13:])
