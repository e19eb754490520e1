"""The DMP over http.client and ssl: submit, find, withdraw."""

from __future__ import annotations

import http.client
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import envelopes
from manifest import new_uid
from report import Exam, Report
from seals import Seal

SUBMIT = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"
BOUNDARY = "independant-7c1d9a"


class Refused(Exception):
    """The DMP answered that it does not take it: asking again would change nothing."""


class Unreached(Exception):
    """No answer, or none that can be read: to be asked again."""


class Lot:
    """A submission, the same at each attempt."""

    def __init__(self, report: Report, exam: Exam, kos_uid: str, kos: bytes, seal: Seal) -> None:
        self.report, self.exam, self.kos_uid = report, exam, kos_uid
        self.uid, signature_uid = new_uid(), new_uid()
        signature = seal.lot(self.uid, {kos_uid: kos}, signature_uid)
        self.documents = {
            "DocumentKOS": (kos_uid, kos),
            "Signature01": (signature_uid, signature),
        }


class Registry:
    """The services of the DMP, for the structures whose certificates are here."""

    def __init__(self, settings: dict[str, Any], product: dict[str, str]) -> None:
        self._url = settings["url"]
        self._product = product
        self._seals: dict[str, Seal] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        for one in settings["structures"]:
            self._seals[one["id"]] = Seal(Path(one["sign_certificate"]), Path(one["sign_key"]))
            context = ssl.create_default_context(cafile=settings["trust"])
            context.load_cert_chain(one["auth_certificate"], one["auth_key"])
            self._contexts[one["id"]] = context

    def knows(self, structure: str) -> bool:
        """Whether it may speak for that structure."""
        return structure in self._seals

    def lot(self, report: Report, exam: Exam, kos_uid: str, kos: bytes) -> Lot:
        """A submission of one KOS, signed."""
        return Lot(report, exam, kos_uid, kos, self._seals[report.structure[0]])

    def submit(self, lot: Lot, replaced: str) -> None:
        """ITI-41; a lot that the DMP has already is well.

        Raises:
            Refused, Unreached.
        """
        body = envelopes.submission(
            lot.report, lot.exam, self._product, lot.uid, lot.documents, replaced
        )
        parts = [
            (
                "root",
                f'application/xop+xml; charset="UTF-8"; type="application/soap+xml"; '
                f'action="{SUBMIT}"',
                self._envelope(lot.report, SUBMIT, "repository", body),
            ),
            ("DocumentKOS", "application/dicom", lot.documents["DocumentKOS"][1]),
            ("Signature01", "text/xml", lot.documents["Signature01"][1]),
        ]
        content = b"".join(
            f"--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{name}@independant>\r\n\r\n".encode()
            + data
            + b"\r\n"
            for name, kind, data in parts
        )
        content += f"--{BOUNDARY}--\r\n".encode()
        kind = (
            f'multipart/related; boundary="{BOUNDARY}"; type="application/xop+xml"; '
            f'start="<root@independant>"; start-info="application/soap+xml"; action="{SUBMIT}"'
        )
        answer = self._post(lot.report, "repository", kind, content)
        if "XDSDuplicateUniqueIdInRegistry" not in answer:
            _check(answer)

    def entry_of(self, report: Report, unique_id: str) -> str:
        """ITI-18: the entryUUID of a document.

        Raises:
            Refused, Unreached.
        """
        answer = self._ask(report, QUERY, envelopes.lookup(unique_id))
        _check(answer)
        found = re.search(r'ObjectRef[^>]*\bid="(urn:uuid:[^"]+)"', answer)
        if found is None:
            raise Refused(f"{unique_id} n'est pas dans le DMP")
        return found[1]

    def withdraw(self, report: Report, entry: str) -> None:
        """ITI-57.

        Raises:
            Refused, Unreached.
        """
        body = envelopes.withdrawal(report, self._product, new_uid(), entry)
        _check(self._ask(report, UPDATE, body))

    def _ask(self, report: Report, action: str, body: str) -> str:
        kind = f'application/soap+xml; charset=UTF-8; action="{action}"'
        content = self._envelope(report, action, "registry", body)
        return self._post(report, "registry", kind, content)

    def _envelope(self, report: Report, action: str, service: str, body: str) -> bytes:
        seal = self._seals[report.structure[0]]
        assertion = seal.assertion(envelopes.vihf(report, seal.subject, self._product))
        return envelopes.envelope(action, f"{self._url}/{service}", assertion, body).encode()

    def _post(self, report: Report, service: str, kind: str, content: bytes) -> str:
        url = urlsplit(f"{self._url}/{service}")
        connection = http.client.HTTPSConnection(
            str(url.hostname), url.port, timeout=10, context=self._contexts[report.structure[0]]
        )
        try:
            connection.request("POST", url.path, content, {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unreached(str(error)) from error
        finally:
            connection.close()


def _check(answer: str) -> None:
    if "ResponseStatusType:Success" in answer:
        return
    found = re.search(r'errorCode="([^"]+)"', answer)
    found = found or re.search(r"<[^>]*Text[^>]*>(.*?)<", answer)
    if found is None:
        raise Unreached("réponse illisible du DMP")
    raise Refused(found[1])
