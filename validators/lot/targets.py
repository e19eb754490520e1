"""What a lot signature points at in itself: each identifier has its element."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.xml import NS
from validators.examples import lot as example
from validators.examples import xds
from validators.examples.xds import edit
from validators.inherit import inherit
from validators.lot.reading import Lot, Root
from validators.lot.rules import LOT
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.rules import XDS, Findings, w3c

__all__: list[str] = []

_DS = f"{{{NS['ds']}}}"
_XADES = f"{{{NS['xades111']}}}"
_HERE = Root()
_TARGETS = {
    f"{NS['ds']}Manifest": f"{_DS}Manifest",
    f"{NS['xades111']}SignedProperties": f"{_XADES}SignedProperties",
}


@LOT.rule(
    "LOT-010",
    "Chaque référence de SignedInfo désigne, par son Id, l'élément de son type",
    reference=w3c("XML Signature 1.1", "4.4.3.2"),
    bad=lambda: example.lot(edit("//ds:Manifest", "Id", "autre")),
)
def signed_elements(lot: Lot) -> Findings:
    for reference in lot.root.iterfind(f"{_DS}SignedInfo/{_DS}Reference"):
        name, uri = _TARGETS.get(reference.get("Type", "")), reference.get("URI", "")
        if name is None:
            continue
        found = [one.get("Id") for one in lot.root.iter(name)]
        if found.count(uri.removeprefix("#")) != 1 or not uri.startswith("#"):
            yield Broken(
                message="Cette référence ne désigne pas un élément et un seul.",
                expected=" | ".join(f"#{id}" for id in found if id),
                actual=uri,
                where=_HERE.where("SignedInfo/Reference"),
            )


@LOT.rule(
    "LOT-011",
    "QualifyingProperties et SignatureProperty désignent la signature (Target)",
    reference=w3c("ETSI TS 101 903 1.1.1", "6.2"),
    bad=lambda: example.lot(edit("//xades111:QualifyingProperties", "Target", "#autre")),
)
def targets(lot: Lot) -> Findings:
    id = lot.root.get("Id")
    for name in (f"{_XADES}QualifyingProperties", f"{_DS}SignatureProperty"):
        for element in lot.root.iter(name):
            written = element.get("Target", "")
            if not id or written != f"#{id}":
                yield Broken(
                    message="Target ne désigne pas cette signature.",
                    expected=f"#{id or ''}",
                    actual=written,
                    where=_HERE.where(name.partition("}")[2]),
                )


def _seals(publication: Submission) -> Iterator[tuple[str, Lot]]:
    for item, root in publication.seals:
        yield item.where(), Lot(publication.context, root)


# A publication carries its lot signature: what it points at in itself is judged there as well.
inherit(
    XDS,
    LOT,
    ("LOT-005", "LOT-009", "LOT-010", "LOT-011"),
    example=lambda data: xds.iti41(lot_document=data),
    parts=_seals,
    requirements=("DB.SO.19", "DB.SO.89"),
)
