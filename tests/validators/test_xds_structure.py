"""Our schema of the messages of XDS: alone, in the judges, and beside the reference schemas.

Both schemas judge the same messages: our examples, each of their single changes, and the public
samples. They say the same, but where a difference is written here with its reason.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from protocols import ebrim, xml
from protocols.ebrim import RegistryError
from spec.schemas import registry_object_order, xds_messages
from spec.xds import ErrorCode, Query, ResponseStatus
from tests.alterations import markup
from tests.alterations.model import OTHER, Alteration
from tests.validators.strangers.model import disagreements, noticed, undeclared
from validators import package
from validators.api import KINDS, Context, validate
from validators.ebrim_structure import disorder, faults
from validators.examples import dmp, xds
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity

REFERENCE = Path(__file__).parents[2].parent / "shared/reference"
RIM, XDSB = f"{{{xml.NS['rim']}}}", f"{{{xml.NS['xdsb']}}}"
ERRORS = (RegistryError(code=ErrorCode.REGISTRY_ERROR, context="refus"),)


def _failed() -> bytes:
    return dmp.registry_answer(status=ResponseStatus.FAILURE, errors=ERRORS)


def _asked() -> bytes:
    request = ebrim.build_retrieve([ebrim.DocumentRequest("1.2", "1.3", "urn:oid:1.4")] * 2)
    return xml.serialize(request)


MESSAGES: dict[str, Callable[[], bytes]] = {
    "ITI-41": xds.iti41,
    "ITI-18": dmp.query,
    "ITI-18, réponse": dmp.query_answer,
    "ITI-18, références": lambda: dmp.query_answer(refs=[dmp.ENTRY_UUID]),
    "ITI-43": dmp.retrieve,
    "ITI-43, deux demandes": _asked,
    "ITI-43, réponse": dmp.retrieve_answer,
    "ITI-57": dmp.update,
    "réponse": dmp.registry_answer,
    "réponse, échec": _failed,
}


@cache
def message(name: str) -> etree._Element:
    """The body of a message, standing alone, its documents in base64 as both schemas know them."""
    body = package.read(MESSAGES[name]()).body
    assert body is not None
    alone = xml.parse(xml.serialize(copy.deepcopy(body)))
    for include in list(alone.iter(f"{{{xml.NS['xop']}}}Include")):
        document = include.getparent()
        assert document is not None
        document.remove(include)
        document.text = "S0lUIQ=="
    return alone


@cache
def theirs() -> dict[str, etree.XMLSchema]:
    """The reference schemas, by the namespace of the roots that each knows."""
    folder = REFERENCE / "xsd/xds"
    if not folder.is_dir():
        pytest.skip("../shared/reference/xsd n'est pas là : schémas absents")
    files = {
        "lcm": "lcm.xsd",
        "query": "query.xsd",
        "rs": "rs.xsd",
        "xdsb": "XDS.b_DocumentRepository.xsd",
    }
    return {
        xml.NS[prefix]: etree.XMLSchema(etree.parse(str(folder / name)))
        for prefix, name in files.items()
    }


def verdicts(root: etree._Element) -> tuple[bool, bool]:
    """What our schema says, and what the reference says."""
    other = theirs()[etree.QName(root).namespace or ""]
    return xds_messages().validate(root), other.validate(root)


# Single changes of a structure, besides those of a value --------------------------------------


def shapes(good: bytes) -> Iterator[Alteration]:
    """Elements doubled, late, unknown, with text or an attribute too many; texts too long."""
    for rank, element in enumerate(etree.fromstring(good).iter()):
        if not isinstance(element.tag, str):
            continue
        name = f"{etree.QName(element).localname}({rank})"
        for change, alter in _SHAPES.items():
            root = etree.fromstring(good)
            found = list(root.iter())[rank]
            if alter(found):
                yield Alteration(name, change, etree.tostring(root))


def _doubled(element: etree._Element) -> bool:
    parent = element.getparent()
    if parent is None:
        return False
    parent.insert(parent.index(element), copy.deepcopy(element))
    return True


def _last(element: etree._Element) -> bool:
    parent = element.getparent()
    if parent is None or parent[-1] is element:
        return False
    parent.append(element)
    return True


def _unknown(element: etree._Element) -> bool:
    element.insert(0, etree.Element(f"{RIM}Inconnu"))
    return True


def _text(element: etree._Element) -> bool:
    element.text = "texte"
    return len(element) > 0 or not (element.getparent() is not None and element.tag in _TEXTS)


_TEXTS = tuple(
    f"{space}{name}"
    for space, name in (
        (RIM, "Value"),
        (XDSB, "Document"),
        (XDSB, "RepositoryUniqueId"),
        (XDSB, "DocumentUniqueId"),
        (XDSB, "HomeCommunityId"),
        (XDSB, "mimeType"),
    )
)
"""Elements that hold text: another is as good."""


def _attribute(element: etree._Element) -> bool:
    element.set("inconnu", "x")
    return True


def _long(length: int) -> Callable[[etree._Element], bool]:
    def lengthen(element: etree._Element) -> bool:
        if element.tag in _TEXTS[2:] or element.tag == f"{RIM}Value":
            element.text = "x" * length
            return True
        for name in ("value", "name", "nodeRepresentation", "versionName"):
            if element.get(name) is not None:
                element.set(name, "x" * length)
                return True
        return False

    return lengthen


def _spaced(element: etree._Element) -> bool:
    """Comments and instructions are no children."""
    element.insert(0, etree.Comment("commentaire"))
    return True


_SHAPES: dict[str, Callable[[etree._Element], bool]] = {
    "doublé": _doubled,
    "dernier": _last,
    "enfant inconnu": _unknown,
    "texte": _text,
    "attribut inconnu": _attribute,
    "16 caractères": _long(16),
    "17 caractères": _long(17),
    "256 caractères": _long(256),
    "257 caractères": _long(257),
    "1024 caractères": _long(1024),
    "1025 caractères": _long(1025),
    "commentaire": _spaced,
}


# Beside the reference -------------------------------------------------------------------------

DIFFERENCES: tuple[tuple[str, str, str], ...] = (
    (
        r"(.*/)?Document(\[\d+\])?",
        OTHER,
        "La référence veut du base64, et refuse donc MTOM. La nôtre accepte xop:Include : XSD 1.0 "
        "ne sait pas typer un texte qu'un élément peut remplacer. Les juges qui décodent les "
        "octets disent ce qui n'est pas du base64 (ITI43-122, XDS-060).",
    ),
)
"""Place and change of what the reference refuses and we accept, and why."""


@pytest.mark.parametrize("name", MESSAGES)
def test_both_accept_our_messages(name: str) -> None:
    assert verdicts(message(name)) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", MESSAGES)
def test_both_say_the_same_of_every_single_change(name: str) -> None:
    good = xml.serialize(message(name))
    refused = 0
    for one in (*markup.alterations(good), *shapes(good)):
        ours, reference = verdicts(etree.fromstring(one.data))
        refused += not reference
        written = any(
            re.fullmatch(place, one.place) and change == one.change
            for place, change, _ in DIFFERENCES
        )
        expected = (True, False) if written else (reference, reference)
        assert (ours, reference) == expected, one.name
    assert refused > 3


def _changed(name: str, tamper: Tamper) -> etree._Element:
    root = copy.deepcopy(message(name))
    tamper(root)
    return root


def _with(parent: str, child: str, **attributes: str) -> Tamper:
    def tamper(root: etree._Element) -> None:
        etree.SubElement(next(root.iter(f"{RIM}{parent}")), f"{RIM}{child}", attributes)

    return tamper


def _expressed(root: etree._Element) -> None:
    _with("AdhocQuery", "QueryExpression", queryLanguage="urn:kit:sql")(root)


@pytest.mark.parametrize(
    ("name", "tamper", "reason"),
    [
        (
            "ITI-18",
            _expressed,
            "Une requête enregistrée n'a pas d'expression (ITI Vol. 2, 3.18.4.1.2)",
        ),
        (
            "ITI-41",
            _with("RegistryObjectList", "Person", id="p1"),
            "Aucun objet d'un lot n'est une personne (ITI Vol. 3, 4.2.1)",
        ),
        (
            "ITI-41",
            _with("RegistryObjectList", "ExternalLink", id="l1", externalURI="urn:x"),
            "Ni un lien (ITI Vol. 3, 4.2.1)",
        ),
        (
            "ITI-18, réponse",
            _with("RegistryObjectList", "AdhocQuery", id="q1"),
            "Une réponse ne porte pas de requête (ITI Vol. 2, 3.18.4.1.2.7)",
        ),
    ],
)
def test_what_xds_does_not_use_is_left_out(name: str, tamper: Tamper, reason: str) -> None:
    """The reference is the whole of ebRIM; ours, what XDS makes of it."""
    assert verdicts(_changed(name, tamper)) == (False, True), reason


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (edit("//rim:Classification", "id", ""), "Un id vide n'identifie rien (ebRIM 3.0, 2.4.1)"),
        (edit("//rim:Slot", "name", ""), "Un slot sans nom ne dit rien (ebRIM 3.0, 2.4.4)"),
    ],
)
def test_only_ours_refuses_empty_names(tamper: Tamper, reason: str) -> None:
    assert verdicts(_changed("ITI-41", tamper)) == (False, True), reason


def test_only_ours_knows_optimised_documents() -> None:
    body = package.read(xds.iti41()).body
    assert body is not None
    assert verdicts(body) == (True, False)


PUBLICATION = "XDS/publication.xml"


@pytest.mark.parametrize("file", [PUBLICATION, "XDS/response.xml"])
def test_both_say_the_same_of_the_public_samples(file: str) -> None:
    path = REFERENCE / "ans-demonstrator-samples" / file
    if not path.is_file():
        pytest.skip("../shared/reference n'est pas là : échantillons absents")
    read = KINDS["iti-41" if file == PUBLICATION else "registry-response"].read
    found = read(path.read_bytes(), Context())
    root = found.request if file == PUBLICATION else found.body
    ours, reference = verdicts(root)
    assert ours == reference
    # The published lot has slots behind its classifications: nothing else is wrong.
    assert ours == (file != PUBLICATION)
    assert bool(list(disorder(root))) == (file == PUBLICATION)
    assert list(faults(root)) == []


# In the judges --------------------------------------------------------------------------------


def _disordered(root: etree._Element) -> None:
    entry = next(root.iter(f"{RIM}ExtrinsicObject"))
    entry.append(entry[0])


def severities(data: bytes, context: Context | None = None) -> dict[str, Severity]:
    found = validate(data, context=context).findings
    return {one.rule: one.severity for one in found if one.severity is not Severity.INFO}


@pytest.mark.parametrize(
    "data",
    [
        lambda: xds.iti41(_disordered),
        lambda: dmp.query_answer(_disordered),
        lambda: KINDS["iti-57"].rules.rules["XDS-027"].bad(),
        lambda: KINDS["iti-18"].rules.rules["XDS-027"].bad(),
        lambda: KINDS["metadata"].rules.rules["XDS-027"].bad(),
    ],
    ids=["ITI-41", "ITI-18, réponse", "ITI-57", "ITI-18", "METADATA.XML"],
)
def test_disorder_is_tolerated_or_refused_by_name(data: Callable[[], bytes]) -> None:
    assert severities(data()) == {"XDS-027": Severity.WARNING}
    assert severities(data(), Context(strict=True)) == {"XDS-027": Severity.ERROR}


def test_every_element_out_of_order_is_named() -> None:
    root = _changed("ITI-41", _disordered)
    (one,) = disorder(root)
    assert one.actual == "Slot creationTime après ExternalIdentifier"
    assert one.expected == ", ".join(registry_object_order())
    assert list(disorder(message("ITI-41"))) == []
    assert list(faults(root)) == []


def test_disorder_does_not_hide_a_fault() -> None:
    def both(root: etree._Element) -> None:
        _disordered(root)
        edit("//rim:ExtrinsicObject", "isOpaque", "non")(root)

    assert severities(xds.iti41(both)) == {"XDS-027": Severity.WARNING, "XDS-190": Severity.ERROR}


def test_outside_registry_objects_order_is_structure() -> None:
    def reversed_(root: etree._Element) -> None:
        found = next(root.iter(f"{XDSB}DocumentRequest"))
        found.append(found[0])

    assert severities(dmp.retrieve(reversed_)) == {"XDS-190": Severity.ERROR}


@pytest.mark.parametrize(
    ("name", "tamper", "message_", "expected", "actual", "place"),
    [
        (
            "ITI-41",
            remove("//rim:ExtrinsicObject/rim:Slot/rim:ValueList"),
            "Il manque un élément.",
            "ValueList",
            "",
            "//ExtrinsicObject[@id='DocumentKOS']/Slot[@name='creationTime']",
        ),
        (
            "ITI-41",
            edit("//rim:ExtrinsicObject", "isOpaque", "non"),
            "La valeur n'est pas du type que le schéma donne.",
            "",
            "non",
            "//ExtrinsicObject[@id='DocumentKOS']/@isOpaque",
        ),
        (
            "ITI-18",
            edit("//query:ResponseOption", "returnType", "Tout"),
            "La valeur n'est pas de celles que le schéma donne.",
            "",
            "Tout",
            "//AdhocQueryRequest/ResponseOption/@returnType",
        ),
        (
            "ITI-18, réponse",
            edit("//rim:ExternalIdentifier", "value", "x" * 257),
            "La valeur est trop longue.",
            "256 caractères au plus",
            "x" * 200,
            None,
        ),
        (
            "ITI-43",
            remove("//xdsb:RepositoryUniqueId"),
            "Cet élément n'est pas attendu ici.",
            "HomeCommunityId, RepositoryUniqueId",
            "DocumentUniqueId",
            "//RetrieveDocumentSetRequest/DocumentRequest/DocumentUniqueId",
        ),
        (
            "réponse, échec",
            edit("//rs:RegistryError", "gravite", "x"),
            "Cet attribut n'est pas du schéma.",
            "",
            "x",
            "//RegistryResponse/RegistryErrorList/RegistryError/@gravite",
        ),
    ],
)
def test_a_fault_says_what_and_where(
    name: str, tamper: Tamper, message_: str, expected: str, actual: str, place: str | None
) -> None:
    (one,) = faults(_changed(name, tamper))
    assert (one.message, one.expected, one.actual) == (message_, expected, actual)
    where, _, line = one.where.rpartition(" (ligne ")
    assert place is None or where == place
    assert int(line.removesuffix(")")) >= 1


def test_no_fault_is_in_the_words_of_a_library() -> None:
    """Every single change that our schema refuses is told in French."""
    for name in MESSAGES:
        good = xml.serialize(message(name))
        for one in shapes(good):
            root = etree.fromstring(one.data)
            for found in faults(root):
                assert found.message != "La structure n'est pas celle du schéma.", found


def test_lines_are_those_of_the_file() -> None:
    """Headers and other parts count: an editor opens the file, not the envelope."""

    def on_its_line(data: bytes) -> bytes:
        return data.replace(b"<rim:ExtrinsicObject", b"\n\n<rim:ExtrinsicObject", 1)

    spoiled = xds.iti41(edit("//rim:ExtrinsicObject", "isOpaque", "non"), body=on_its_line)
    (one,) = [found for found in validate(spoiled).findings if found.rule == "XDS-190"]
    lines = spoiled.split(b"\n")
    line = int(one.where.rpartition("(ligne ")[2].removesuffix(")"))
    assert lines[line - 1].startswith(b"<rim:ExtrinsicObject")


def test_a_message_full_of_faults_is_told_a_few_times() -> None:
    root = copy.deepcopy(message("ITI-41"))
    objects = next(root.iter(f"{RIM}RegistryObjectList"))
    for _ in range(5000):
        etree.SubElement(objects, f"{RIM}Association")
    assert len(list(faults(root))) == 20


def test_one_prefix_of_two_meanings_does_not_lose_the_place() -> None:
    other = etree.Element("{urn:kit:autre}Rien", nsmap={"rim": "urn:kit:autre"})
    root = copy.deepcopy(message("ITI-41"))
    next(root.iter(f"{RIM}Slot")).append(other)
    (one,) = faults(root)
    assert "Rien" in one.where


def _ownerless(root: etree._Element) -> None:
    del next(root.iter(f"{RIM}ExternalIdentifier")).attrib["registryObject"]


def test_a_part_that_does_not_name_its_owner_is_another_rule_s() -> None:
    """The schema refuses it; the official TD3.3c examples are so."""
    assert not xds_messages().validate(_changed("ITI-57", _ownerless))
    assert severities(dmp.update(_ownerless)) == {"ITI57-026": Severity.WARNING}
    assert severities(xds.iti41(_ownerless)) == {"XDS-028": Severity.ERROR}


def test_what_a_schema_cannot_see() -> None:
    """Quoting, lists and known ids are text to a schema."""
    for data in (dmp.query(id=Query.GET_ALL), dmp.query(wanted=())):
        body = package.read(data).body
        assert body is not None
        assert xds_messages().validate(body)
        assert severities(data)


@pytest.mark.slow
def test_what_the_schema_refuses_the_judge_notices() -> None:
    good = xds.iti41()
    found = re.search(rb"<lcm:SubmitObjects.*</lcm:SubmitObjectsRequest>", good, re.DOTALL)
    assert found is not None
    declared = b" ".join(
        b'xmlns:%s="%s"' % (prefix.encode(), xml.NS[prefix].encode()) for prefix in ("lcm", "rim")
    )
    alone = found[0].replace(b"Request>", b"Request " + declared + b">", 1)
    different = disagreements(
        markup.alterations(alone),
        refuses=lambda data: not xds_messages().validate(etree.fromstring(data)),
        accepted=lambda data: not noticed(good.replace(found[0], undeclared(data)), "iti-41"),
    )
    assert different == []


def test_the_schemas_come_with_the_package_and_need_no_network() -> None:
    folder = resources.files("spec").joinpath("xsd")
    names = {one.name for one in folder.iterdir()}
    for name in names:
        root = etree.fromstring(folder.joinpath(name).read_bytes())
        for one in root.iter("{http://www.w3.org/2001/XMLSchema}import"):
            assert one.get("schemaLocation") in names
