"""ITI-41: the form of what the VIHF says, who speaks and how its codes are typed."""

from __future__ import annotations

import re

from lxml import etree

from protocols.xml import NS
from validators.examples import xds as example
from validators.finding import Severity
from validators.rule import Broken
from validators.xds.assertion import HERE, REQUIREMENTS, Carrier, elements, parsed, with_changes
from validators.xds.rules import TD21, XDS, Findings
from validators.xds.rules import vihf as mapping

__all__: list[str] = []

_PERSON = re.compile(r"[08][0-9A-Z]{8,11}|[13-6][0-9A-Z]{8,14}(/\S+)?", re.ASCII)
"""PS_IdNat: a prefix (0 ADELI, 8 RPPS), or a structure's (1, 3 to 6) and its own identifier."""
_TYPE = f"{{{NS['xsi']}}}type"


@XDS.rule(
    "VIHF-180",
    "NameID est un identifiant national de professionnel, ou de structure",
    reference=mapping("Subject/NameID"),
    requirements=REQUIREMENTS,
    severity=Severity.WARNING,
    bad=with_changes(name_id="CLAIRE EXEMPLE"),
)
def speaker(xds: Carrier) -> Findings:
    for said in parsed(xds):
        if _PERSON.fullmatch(said.name_id) is None:
            yield Broken(
                message="NameID n'a pas la forme d'un PS_IdNat.",
                expected="un préfixe et un numéro, suivis de / et d'un compte interne au besoin",
                actual=said.name_id,
                where=f"{HERE}/Subject/NameID",
            )


def _untyped(root: etree._Element) -> None:
    for element in root.iter("{urn:hl7-org:v3}Role"):
        del element.attrib[_TYPE]


@XDS.rule(
    "VIHF-181",
    "PurposeOfUse et Role sont du type CE",
    reference=TD21,
    requirements=REQUIREMENTS,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(_untyped),
)
def typed_codes(xds: Carrier) -> Findings:
    for assertion in elements(xds):
        for name in ("PurposeOfUse", "Role"):
            for element in assertion.iter(f"{{urn:hl7-org:v3}}{name}"):
                written = element.get(_TYPE, "")
                if written.rpartition(":")[2] != "CE":
                    yield Broken(
                        message="Le type du code n'est pas annoncé.",
                        expected="xsi:type='CE'",
                        actual=written,
                        where=f"{HERE}//{name}",
                    )
