"""What the CDA rules judge: the report's header, its tree, the file inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from protocols import cda, xml
from protocols.cda import Code, ImagingReport, Professional, ServiceEvent
from validators.cda.pdf import Pdf, read_pdf
from validators.context import Context

__all__ = ["CdaArtefact", "codes", "read"]


@dataclass(frozen=True, slots=True)
class CdaArtefact:
    """A report. `pdf` is None when the body holds no PDF that can be read."""

    report: ImagingReport
    root: etree._Element
    context: Context
    pdf: Pdf | None = None

    @property
    def structured(self) -> bool:
        """A report of level 3: its body has sections."""
        return self.report.body is not None and self.report.body.structured

    @property
    def wrapping(self) -> bool:
        """A report of level 1: its body is a file."""
        return self.report.body is not None and not self.report.body.structured

    @property
    def templates(self) -> tuple[str, ...]:
        """The roots of the document's templateIds."""
        return tuple(one.root or "" for one in self.report.template_ids)

    def acts(self) -> Iterator[tuple[str, ServiceEvent]]:
        """Where and what: the acts that name a study. A screening context names none."""
        for rank, event in enumerate(self.report.service_events, start=1):
            if event.ids:
                yield f"documentationOf[{rank}]/serviceEvent", event

    def study_uids(self) -> list[str]:
        """The studies that the acts name, in order."""
        return [one.root or "" for _, event in self.acts() for one in event.ids]

    def people(self) -> Iterator[tuple[str, Professional]]:
        """Where and who: authors that are persons, then legal authenticators."""
        for rank, author in enumerate(self.report.authors, start=1):
            if author.device is None:
                yield f"author[{rank}]/assignedAuthor", author
        for rank, signer in enumerate(self.report.legal_authenticators, start=1):
            yield f"legalAuthenticator[{rank}]/assignedEntity", signer

    def find(self, path: str) -> list[etree._Element]:
        """Elements of the document, by XPath with the prefixes `cda` and `ps3-20`."""
        found = self.root.xpath(path, namespaces=xml.NS)
        if not isinstance(found, list):
            return []
        return [one for one in found if isinstance(one, etree._Element)]


def codes(translations: tuple[Code, ...]) -> str:
    """Codes as a finding shows them."""
    return " ".join(f"{one.code or ''} ({one.system or ''})" for one in translations)


def read(data: bytes, context: Context) -> CdaArtefact:
    """Read a report.

    Raises:
        RemoteProtocolError: not a CDA document.
    """
    report = cda.parse(data)
    file = report.body.data if report.body else None
    return CdaArtefact(report, xml.parse(data), context, read_pdf(file) if file else None)
