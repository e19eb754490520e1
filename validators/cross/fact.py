"""One thing that one artefact says of an exam, and the words for who says what.

A file may hold several voices: a message carries a report, a publication carries metadata, a
manifest, an assertion and a signature. Each is heard apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Fact", "Facts", "Speaker", "Subject", "Voice"]


class Voice(StrEnum):
    """Who speaks; the French name that a table of pairs shows."""

    MESSAGE = "message HL7v2"
    REPORT = "compte rendu CDA"
    REPORT_ENTRY = "entrée XDS du compte rendu"
    SUBMISSION = "lot de soumission"
    ENTRY = "entrée XDS du KOS"
    SEAL = "signature du lot"
    VIHF = "VIHF"
    CERTIFICATE = "certificat"
    MANIFEST = "KOS"
    CONTENT = "contenu du KOS"
    ADDRESS = "adresse RetrieveURL"
    ANSWER = "réponses C-FIND"
    IMAGE = "images"
    REQUEST = "demande WADO-RS"
    RESPONSE = "réponse WADO-RS"


class Subject(StrEnum):
    """What is spoken of; the French name that a table of pairs shows."""

    INS = "matricule INS"
    INS_AUTHORITY = "OID de l'INS"
    BIRTH_FAMILY = "nom de naissance"
    BIRTH_GIVEN = "premier prénom de naissance"
    BIRTH_GIVENS = "liste des prénoms de naissance"
    BIRTH_DATE = "date de naissance"
    SEX = "sexe"
    BIRTH_PLACE = "lieu de naissance"
    USED_NAME = "nom et prénom utilisés"
    IPP = "IPP"
    IPP_AUTHORITY = "OID de l'IPP"
    ACCESSION = "Accession Number"
    ACCESSION_ISSUER = "émetteur de l'Accession Number"
    ORDER = "numéro de demande"
    ORDER_ISSUER = "émetteur de la demande"
    STUDY = "StudyInstanceUID"
    SERIES = "SeriesInstanceUID"
    MANIFEST_UID = "SOPInstanceUID du KOS"
    INSTANCE = "instances"
    SERIES_COUNT = "nombre de séries"
    INSTANCE_COUNT = "nombre d'instances"
    CONTENT = "instances du contenu et des preuves"
    PLACE = "examen et série des instances"
    SOP_CLASS = "classe SOP des instances"
    HOST = "hôte de la source"
    MODALITY = "modalités"
    REGION = "régions anatomiques"
    START = "début de l'acte (UTC)"
    STOP = "fin de l'acte (UTC)"
    CREATION = "création du KOS (UTC)"
    VISIBILITY = "visibilité"
    STRUCTURE = "structure"
    SITE = "structures du compte rendu"
    VALIDATOR = "professionnel valideur"
    HASH = "empreinte"
    SIZE = "taille"
    SIGNED = "objets signés"
    DIGEST = "condensats signés"
    REPORT_ID = "identifiant du compte rendu"


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, where it is written, and what it is about when a subject has several objects.

    `about` is a study for a modality, an accession number for its issuer, a document for its
    hash: facts about different things are never compared. Values are in the form that compares
    (names folded, times in UTC).
    """

    voice: Voice
    subject: Subject
    value: str
    where: str
    about: str = ""


Facts = Iterator[Fact]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of one file: makes facts that say where they come from."""

    voice: Voice
    file: str

    def says(self, subject: Subject, value: str | None, path: str, about: str = "") -> Fact:
        """A fact written at a path of the file; without value it is no fact."""
        return Fact(self.voice, subject, value or "", f"{self.file} : {path}", about)
