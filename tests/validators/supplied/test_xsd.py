"""An XSD is compiled with the files of its folder, and says what it refuses."""

from __future__ import annotations

import pytest

from tests.validators.supplied.schemas import XS, Files, document, told
from validators.finding import Severity
from validators.supplied import SchemaError
from validators.supplied.xsd import Xsd

TYPES = (
    f'<xs:schema xmlns:xs="{XS}"><xs:simpleType name="digit">'
    '<xs:restriction base="xs:string"><xs:pattern value="[12]"/></xs:restriction>'
    "</xs:simpleType></xs:schema>"
)


def main(*pointing: str, kind: str = "e:digit") -> str:
    return (
        f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:e" xmlns:e="urn:e" '
        f'elementFormDefault="qualified">{"".join(pointing)}'
        '<xs:element name="r"><xs:complexType><xs:sequence>'
        '<xs:element name="a" maxOccurs="2"><xs:complexType>'
        f'<xs:attribute name="b" type="{kind}"/></xs:complexType></xs:element>'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )


INCLUDED = Files(
    {"main.xsd": main('<xs:include schemaLocation="t/types.xsd"/>'), "t/types.xsd": TYPES}
)


def test_a_valid_document_has_no_finding() -> None:
    assert list(Xsd("main.xsd", INCLUDED.load).judge(document())) == []


def test_a_fault_tells_its_place_and_what_was_expected() -> None:
    (found,) = Xsd("main.xsd", INCLUDED.load).judge(document("<c/>"))
    assert found.rule == "USER-XSD/ELEMENT_CONTENT"
    assert found.severity is Severity.ERROR
    assert found.where == "/r/c (ligne 2)"
    assert found.expected == "a"
    assert "urn:e" not in found.message
    assert found.spec == "main.xsd, fourni par l'utilisateur"


def test_types_of_included_files_hold() -> None:
    found = list(Xsd("main.xsd", INCLUDED.load).judge(document("<a b='3'/>")))
    assert any("pattern" in message for _, message in told(found))
    assert {one.where for one in found} == {"/r/a (ligne 2)"}


def test_names_have_spaces_and_accents() -> None:
    files = Files(
        {
            "jeux d'été/main.xsd": main(
                '<xs:include schemaLocation="%C3%A9l%C3%A9ments/a b.xsd"/>'
            ),
            "jeux d'été/éléments/a b.xsd": TYPES,
        }
    )
    assert list(Xsd("jeux d'été/main.xsd", files.load).judge(document())) == []


def test_files_may_include_each_other() -> None:
    turning = TYPES.replace("<xs:simple", '<xs:include schemaLocation="../main.xsd"/><xs:simple', 1)
    files = Files({**INCLUDED, "t/types.xsd": turning})
    assert list(Xsd("main.xsd", files.load).judge(document())) == []


def test_a_published_address_stands_for_the_file_beside() -> None:
    pointing = '<xs:import namespace="urn:t" schemaLocation="http://www.w3.org/2001/t.xsd"/>'
    types = TYPES.replace("<xs:schema", '<xs:schema targetNamespace="urn:t"', 1)
    files = Files({"main.xsd": main(pointing, kind="t:digit"), "t.xsd": types})
    files["main.xsd"] = files["main.xsd"].replace("<xs:schema", '<xs:schema xmlns:t="urn:t"', 1)
    assert list(Xsd("main.xsd", files.load).judge(document())) == []
    assert list(Xsd("main.xsd", files.load).judge(document("<a b='3'/>"))) != []
    del files["t.xsd"]
    with pytest.raises(SchemaError, match=r"t\.xsd : absent"):
        Xsd("main.xsd", files.load)


def test_a_document_type_of_its_own_is_read_past() -> None:
    # Published schemas (that of XML Signature) have one; its external part is never fetched.
    doctype = (
        '<!DOCTYPE xs:schema PUBLIC "-//W3C//DTD XMLSchema 200102//EN" "http://127.0.0.1:9/x.dtd" '
        '[<!ENTITY most "2">]>'
    )
    text = main(kind="xs:string").replace('maxOccurs="2"', 'maxOccurs="&most;"')
    schema = Xsd("main.xsd", Files({"main.xsd": doctype + text}).load)
    assert list(schema.judge(document())) == []
    assert len(list(schema.judge(document("<a/><a/><a/>")))) == 1


def test_another_namespace_is_a_note() -> None:
    files = Files({"main.xsd": main(kind="xs:string").replace("urn:e", "urn:f")})
    (found,) = Xsd("main.xsd", files.load).judge(document())
    assert (found.severity, found.expected, found.actual) == (Severity.INFO, "urn:f", "urn:e")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<xs:schema", "XML mal formé"),
        ("<r/>", "xs:schema attendu"),
        (main(), "XSD refusé"),
        (main('<xs:include schemaLocation="absent.xsd"/>'), "absent.xsd : absent"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Xsd("main.xsd", Files({"main.xsd": text}).load)
