"""White list: the elements of the list and of its entries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from protocols import dn
from protocols.errors import RemoteProtocolError
from protocols.xsdatetime import parse_instant
from spec import whitelist as table
from spec.grade import Grade, Reference
from validators.examples import whitelist as example
from validators.finding import Severity
from validators.rule import Broken, RuleSet
from validators.whitelist.reading import DS, ListArtefact

__all__ = ["LISTS", "Findings", "WHITE_LIST", "instant"]

Findings = Iterator[Broken]

LISTS = Reference("DRIM-M_DATA, Liste blanche TEST", "fichiers signés et readme", Grade.SAMPLE)

WHITE_LIST = RuleSet(
    "liste-blanche",
    good=example.white_list,
    syntax="LB-000",
    unreadable=lambda: b"<!DOCTYPE x><ListeBlancheDRIM-M/>",
    reference=LISTS,
    requirements=("KIT-LISTE-BLANCHE",),
)
_REQUIRED = (
    "Identifiant",
    "db",
    "Denomination",
    "DNCertificatOperateur",
    "SupportContact",
    "DateMAJ",
)
_HOST = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?"
)


def instant(text: str) -> datetime | None:
    """An xs:dateTime with its zone, None when it is malformed or has none."""
    try:
        found = parse_instant(text, where="")
    except RemoteProtocolError:
        return None
    return None if found.tzinfo is None else found


def _change(path: str, text: str) -> bytes:
    """The example with the text of an element changed before it is signed."""

    def apply(root: etree._Element) -> None:
        found = root.find(path)
        assert found is not None
        found.text = text

    return example.white_list(apply)


def _drop(path: str) -> bytes:
    """The example with an element removed before it is signed."""

    def apply(root: etree._Element) -> None:
        found = root.find(path)
        assert found is not None
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)

    return example.white_list(apply)


@WHITE_LIST.rule(
    "LB-001",
    "L'espace de noms est celui de la liste",
    reference=LISTS,
    bad=lambda: example.white_list().replace(
        b'xmlns="https://github.com/ansforge/DRIM-M_DATA"', b'xmlns="urn:autre"'
    ),
)
def namespace(listed: ListArtefact) -> Findings:
    written = etree.QName(listed.root).namespace or ""
    if written not in table.NAMESPACES:
        yield Broken(
            message="Cet espace de noms n'est pas celui d'une liste blanche.",
            expected=" | ".join(table.NAMESPACES),
            actual=written,
            where="/*",
        )


@WHITE_LIST.rule(
    "LB-002",
    "versionFormat vaut 1.0.0",
    reference=LISTS,
    bad=lambda: example.white_list(version="2.0"),
)
def version(listed: ListArtefact) -> Findings:
    written = listed.root.get("versionFormat", "")
    if written != table.VERSION_FORMAT:
        yield Broken(
            message="Cette version du format est inconnue.",
            expected=table.VERSION_FORMAT,
            actual=written,
            where="/*/@versionFormat",
        )


@WHITE_LIST.rule(
    "LB-003",
    "DateDeGeneration est un instant avec son fuseau",
    reference=LISTS,
    bad=lambda: _change("{*}DateDeGeneration", "2026-11-22"),
)
def generated(listed: ListArtefact) -> Findings:
    written = listed.text("DateDeGeneration")
    if instant(written) is None:
        yield Broken(
            message="La date de génération manque ou est illisible.",
            expected="AAAA-MM-JJThh:mm:ssZ",
            actual=written,
            where="/*/DateDeGeneration",
        )


@WHITE_LIST.rule(
    "LB-004",
    "La liste a un élément ListeDomaines et au moins un Domaine",
    reference=LISTS,
    bad=lambda: example.entries(),
)
def has_domains(listed: ListArtefact) -> Findings:
    lists = listed.root.findall("{*}ListeDomaines")
    if len(lists) != 1 or not listed.entries:
        yield Broken(
            message="La liste ne porte aucun domaine, ou plusieurs listes.",
            expected="1 liste, au moins 1 domaine",
            actual=f"{len(lists)} liste(s), {len(listed.entries)} domaine(s)",
            where="/*/ListeDomaines",
        )


@WHITE_LIST.rule(
    "LB-005",
    "La racine ne porte que la date, les domaines et la signature, dans cet ordre",
    reference=LISTS,
    bad=lambda: example.white_list(_disordered),
)
def root_children(listed: ListArtefact) -> Findings:
    names = [etree.QName(child).localname for child in listed.root if isinstance(child.tag, str)]
    expected = ["DateDeGeneration", "ListeDomaines", "Signature"]
    if [name for name in names if name != "Signature"] != expected[:2]:
        yield Broken(
            message="Les éléments de la liste ne sont pas ceux attendus.",
            expected=", ".join(expected),
            actual=", ".join(names),
            where="/*",
        )


def _disordered(root: etree._Element) -> None:
    root.append(root[0])


@WHITE_LIST.rule(
    "LB-010",
    "Chaque domaine porte ses éléments, une fois chacun",
    reference=LISTS,
    bad=lambda: _drop("{*}ListeDomaines/{*}Domaine/{*}SupportContact"),
)
def elements(listed: ListArtefact) -> Findings:
    for entry in listed.entries:
        for name in _REQUIRED:
            texts = entry.texts(name)
            if len(texts) != 1 or not texts[0]:
                yield Broken(
                    message=f"{name} doit figurer une fois, avec une valeur.",
                    expected="1",
                    actual=str(len(texts)),
                    where=entry.where(name),
                )


@WHITE_LIST.rule(
    "LB-011",
    "db est un nom d'hôte, sans schéma, port, chemin ni joker",
    reference=LISTS,
    bad=lambda: example.entries(example.domain(db="https://db900.test.mesimagesmedicales.fr/")),
)
def db_host(listed: ListArtefact) -> Findings:
    for entry in listed.entries:
        value = entry.text("db")
        if value and _HOST.fullmatch(value) is None:
            yield _not_a_host(value, entry.where("db"))


@WHITE_LIST.rule(
    "LB-012",
    "vi est vide, absent ou un nom d'hôte",
    reference=LISTS,
    bad=lambda: example.entries(example.domain(vi="*.test.mesimagesmedicales.fr")),
)
def vi_host(listed: ListArtefact) -> Findings:
    for entry in listed.entries:
        value = entry.text("vi")
        if value and _HOST.fullmatch(value) is None:
            yield _not_a_host(value, entry.where("vi"))


def _not_a_host(value: str, where: str) -> Broken:
    return Broken(
        message="Ce n'est pas un nom d'hôte.",
        expected="db<N>.<environnement>.mesimagesmedicales.fr",
        actual=value,
        where=where,
    )


@WHITE_LIST.rule(
    "LB-013",
    "DNCertificatOperateur est un nom distinctif : CN, OU, O, ST, C",
    reference=LISTS,
    bad=lambda: example.entries(example.domain(operator_dn="db900.test.mesimagesmedicales.fr")),
)
def operator_dn(listed: ListArtefact) -> Findings:
    for entry in listed.entries:
        value = entry.text("DNCertificatOperateur")
        try:
            types = {kind for rdn in dn.parse_dn(value) for kind, _ in rdn}
        except RemoteProtocolError:
            types = set()
        if value and not {"CN", "OU", "O", "ST", "C"} <= types:
            yield Broken(
                message="Ce n'est pas le nom d'un certificat d'organisation.",
                expected="CN=…,OU=…,O=…,ST=…,C=FR",
                actual=value,
                where=entry.where("DNCertificatOperateur"),
            )


@WHITE_LIST.rule(
    "LB-014",
    "DateMAJ est un instant, et ne suit pas la génération de la liste",
    reference=LISTS,
    bad=lambda: example.entries(example.domain(updated=datetime(2027, 1, 1, tzinfo=UTC))),
)
def updated(listed: ListArtefact) -> Findings:
    made = instant(listed.text("DateDeGeneration"))
    for entry in listed.entries:
        value = entry.text("DateMAJ")
        moment = instant(value)
        if value and (moment is None or (made is not None and moment > made)):
            yield Broken(
                message="La date est illisible, ou suit la génération de la liste.",
                expected=f"<= {listed.text('DateDeGeneration')}",
                actual=value,
                where=entry.where("DateMAJ"),
            )


@WHITE_LIST.rule(
    "LB-015",
    "Identifiant et db ne servent qu'une fois",
    reference=LISTS,
    severity=Severity.WARNING,
    bad=lambda: example.entries(example.domain(), example.domain()),
)
def unique(listed: ListArtefact) -> Findings:
    for name in ("Identifiant", "db"):
        counted = Counter(entry.text(name).lower() for entry in listed.entries)
        for value, count in counted.items():
            if value and count > 1:
                yield Broken(
                    message=f"Cette valeur de {name} sert plusieurs fois.",
                    expected="1",
                    actual=f"{value} : {count}",
                    where=f"//Domaine/{name}",
                )


@WHITE_LIST.rule(
    "LB-016",
    "Le CN de l'opérateur est l'hôte db",
    reference=LISTS,
    severity=Severity.WARNING,
    bad=lambda: example.entries(
        example.domain(operator_dn="CN=autre,OU=3101235550001,O=X,ST=Paris (75),C=FR")
    ),
)
def operator_is_host(listed: ListArtefact) -> Findings:
    for entry in listed.entries:
        value, host = entry.text("DNCertificatOperateur"), entry.text("db")
        try:
            names = dn.attribute(value, "CN")
        except RemoteProtocolError:
            continue
        if names and host and host not in names:
            yield Broken(
                message="Le certificat de l'opérateur ne porte pas le nom de l'hôte.",
                expected=host,
                actual=" ".join(names),
                where=entry.where("DNCertificatOperateur"),
            )


@WHITE_LIST.rule(
    "LB-017",
    "Les textes ne sont pas coupés par des commentaires ou des instructions",
    reference=Reference("XML Signature Best Practices", "2.1.4", Grade.STANDARD),
    severity=Severity.WARNING,
    bad=lambda: example.white_list().replace(b"db900.test", b"db900<!-- -->.test", 1),
)
def plain_texts(listed: ListArtefact) -> Findings:
    # Canonical forms drop comments: two readers could see two hosts under one signature.
    for entry in listed.entries:
        for child in entry.element:
            if isinstance(child.tag, str) and len(child):
                yield Broken(
                    message="Ce texte contient un commentaire, une instruction ou un élément.",
                    where=entry.where(etree.QName(child).localname),
                )


@WHITE_LIST.rule(
    "LB-020",
    "La liste porte une signature et une seule, dernier enfant de la racine",
    reference=LISTS,
    bad=lambda: example.white_list().replace(
        b"</ListeBlancheDRIM-M>", b"<Reste/></ListeBlancheDRIM-M>"
    ),
)
def one_signature(listed: ListArtefact) -> Findings:
    children = [child for child in listed.root if isinstance(child.tag, str)]
    last = children[-1].tag if children else ""
    if len(listed.signatures) != 1 or last != f"{DS}Signature":
        yield Broken(
            message="La liste doit se terminer par sa signature.",
            expected="1 signature, dernier enfant",
            actual=f"{len(listed.signatures)} signature(s), dernier enfant {last}",
            where="/*/Signature",
        )
