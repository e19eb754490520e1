"""What a compiled Schematron says of a document, as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from protocols import xml
from spec.grade import Grade
from validators.finding import Cause, Finding, Severity
from validators.supplied.place import at_path
from validators.supplied.schema import SOURCE, rule_id

__all__ = ["Assertions"]


class Assertions:
    """A Schematron ready to judge. `transform` runs its stylesheet: a document in, a report out."""

    def __init__(self, name: str, transform: Callable[[str], str]) -> None:
        self.name = name
        self._transform = transform

    def judge(self, document: etree._Element) -> Iterator[Finding]:
        """One finding per check that does not hold or could not be evaluated.

        Raises:
            SchemaError: the engine stopped.
        """
        text = etree.tostring(document, encoding="unicode", with_tail=False)
        report = xml.parse(self._transform(text).encode())
        for said in report:
            if said.tag == "finding":
                yield self._broken(said, document)
            elif said.tag == "stopped":
                yield self._stopped(said, document)
        if report.find("fired") is None:
            yield Finding(
                rule=rule_id("SCH", "CONTEXT"),
                severity=Severity.WARNING,
                message="Aucune règle de ce schématron ne s'applique à ce document.",
                spec=f"{self.name}, {SOURCE}",
                grade=Grade.STANDARD,
            )

    def _broken(self, said: etree._Element, document: etree._Element) -> Finding:
        test = _words(said.get("test", ""))
        return Finding(
            rule=rule_id("SCH", said.get("check", "")),
            severity=Severity(said.get("severity", Severity.ERROR)),
            message=_words(said.findtext("message") or "") or test,
            expected=f"not({test})" if said.get("kind") == "report" else test,
            actual=" ".join(_words(one.text or "") for one in said.findall("diagnostic")),
            where=at_path(document, said.get("at", "")),
            spec=f"{self.name}, {SOURCE}",
            grade=Grade.STANDARD,
        )

    def _stopped(self, said: etree._Element, document: etree._Element) -> Finding:
        # A check that could not be made has not passed: who supplies the schema has to look.
        return Finding(
            rule=rule_id("SCH", said.get("check", "")),
            severity=Severity.ERROR,
            message=f"Cette assertion n'a pas pu être évaluée : {_words(said.text or '')}",
            expected=_words(said.get("test", "")),
            where=at_path(document, said.get("at", "")),
            spec=f"{self.name}, {said.get('place', '')}, {SOURCE}",
            grade=Grade.STANDARD,
            cause=Cause.PROFILE,
        )


def _words(text: str) -> str:
    return " ".join(text.split())[:1000]
