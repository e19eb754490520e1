"""A supplied schema reads nothing outside its folder, whatever it asks for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators.supplied.schemas import SCH, XS, Files, document, pattern, rule, schema
from validators.supplied import SchemaError
from validators.supplied.schema import beside
from validators.supplied.schematron import read
from validators.supplied.stylesheet import compile_schema
from validators.supplied.xsd import Xsd

SECRET = "secret-du-dossier-voisin"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that no schema may read."""
    file = tmp_path / "secret.xml"
    file.write_text(f"<v>{SECRET}</v>")
    return file


@pytest.mark.parametrize(
    "reference",
    [
        "../x.sch", "sub/../../x.sch", "/etc/passwd", "//host/x", "file:///etc/passwd",
        "http://127.0.0.1/x", "C:\\x", "c:/x", "\\\\host\\x", "%2e%2e/x", "%2Fetc/passwd",
        "http://[x", "a\0b",
    ],
)  # fmt: skip
def test_a_reference_never_leaves_the_folder(reference: str) -> None:
    with pytest.raises(SchemaError, match="main"):
        beside("main.sch", reference)


def test_a_reference_stays_relative_to_its_file() -> None:
    assert beside("a/b/main.sch", "../c/d.xml") == "a/c/d.xml"
    assert beside("main.sch", "./d%20e.xml") == "d e.xml"


@pytest.mark.parametrize("href", ["../out.sch", "http://127.0.0.1:9/out.sch", "/etc/hostname"])
@pytest.mark.parametrize("element", ['<include href="{}"/>', '<pattern><rule context="a"><extends href="{}"/></rule></pattern>'])  # fmt: skip # noqa: E501
def test_a_schematron_includes_nothing_from_elsewhere(element: str, href: str) -> None:
    files = Files({"main.sch": schema(element.format(href))})
    with pytest.raises(SchemaError, match=r"main\.sch"):
        read("main.sch", files.load)


@pytest.mark.parametrize("location", ["../out.xsd", "file:///etc/hostname", "/etc/hostname"])
@pytest.mark.parametrize("name", ["include", "redefine", 'import namespace="urn:x"'])
def test_an_xsd_includes_nothing_from_elsewhere(name: str, location: str) -> None:
    text = f'<xs:schema xmlns:xs="{XS}"><xs:{name} schemaLocation="{location}"/></xs:schema>'
    with pytest.raises(SchemaError, match=r"main\.xsd"):
        Xsd("main.xsd", Files({"main.xsd": text}).load)


def test_an_xsd_expands_no_external_entity(secret: Path) -> None:
    text = (
        f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
        f'<xs:schema xmlns:xs="{XS}"><xs:annotation><xs:documentation>&s;</xs:documentation>'
        '</xs:annotation><xs:element name="&s;"/></xs:schema>'
    )
    with pytest.raises(SchemaError) as refused:
        Xsd("main.xsd", Files({"main.xsd": text}).load)
    assert SECRET not in str(refused.value)


def test_a_schematron_has_no_document_type() -> None:
    text = f'<!DOCTYPE x [<!ENTITY s "x">]>{schema(pattern())}'
    with pytest.raises(SchemaError, match="DOCTYPE"):
        read("main.sch", Files({"main.sch": text}).load)


@pytest.mark.parametrize("name", ["include", "import", "template", "output", "param", "variable"])
def test_only_functions_and_keys_are_taken_from_a_schema(name: str) -> None:
    foreign = f'<xsl:{name} xmlns:xsl="http://www.w3.org/1999/XSL/Transform" href="x"/>'
    with pytest.raises(SchemaError, match=f"main.sch:2 : xsl:{name} refusé"):
        read("main.sch", Files({"main.sch": schema(foreign, pattern())}).load)


READING = {
    "document": "document('{uri}')//v",
    "doc": "doc('{uri}')//v",
    "doc, spaced and commented": "doc (: x :) ('{uri}')//v",
    "doc, by its namespace": "Q{{http://www.w3.org/2005/xpath-functions}}doc('{uri}')//v",
    "doc, found by name": "function-lookup(QName('http://www.w3.org/2005/xpath-functions', 'doc'), 1)('{uri}')//v",  # noqa: E501
    "doc, as a value": "for-each('{uri}', doc#1)//v",
    "unparsed-text": "unparsed-text('{uri}')",
    "unparsed-text-lines": "unparsed-text-lines('{uri}')",
    "json-doc": "json-doc('{uri}')",
    "collection": "collection('{folder}?select=*.xml')//v",
    "uri-collection": "uri-collection('{folder}')",
    "transform": "transform(map{{'stylesheet-location': '{uri}', 'source-node': /}})?output",
    "environment": "environment-variable('KIT_SECRET')",
    "environment names": "available-environment-variables() ! environment-variable(.)",
    "parse-xml with an entity": "parse-xml('&lt;!DOCTYPE v [&lt;!ENTITY s SYSTEM &quot;{uri}&quot;>]>&lt;v>&amp;s;&lt;/v>')",  # noqa: E501
    "network": "doc('http://127.0.0.1:9/')//v",
}


@pytest.mark.parametrize("expression", READING.values(), ids=READING.keys())
def test_an_expression_reads_nothing(
    expression: str, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a file, nor an address, nor the environment: the test stops, or finds nothing."""
    monkeypatch.setenv("KIT_SECRET", SECRET)
    saxon = pytest.importorskip("validators.supplied.saxon", reason="saxonche n'est pas installé")
    from validators.supplied.assertions import Assertions

    written = expression.format(uri=secret.as_uri(), folder=secret.parent.as_uri())
    check = f'<report test="exists({written})" id="R"><value-of select="{written}"/></report>'
    files = Files({"main.sch": schema(pattern(rule("/e:r", check)), binding="xslt3")})
    made = compile_schema(read("main.sch", files.load))
    found, refused = [], ""
    try:
        found = list(Assertions("main.sch", saxon.Transform(made.text, {})).judge(document()))
    except SchemaError as error:
        refused = str(error)
    assert SECRET not in f"{found} {refused}"


INSTRUCTIONS = {
    "result-document": '<xsl:result-document href="{out}"><b/></xsl:result-document>',
    "source-document": '<xsl:source-document href="{uri}"><xsl:copy-of select="."/></xsl:source-document>',  # noqa: E501
    "evaluate": "<xsl:evaluate xpath=\"'1 + 1'\"/>",
}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_a_function_of_the_schema_writes_and_reads_nothing(
    name: str, secret: Path, tmp_path: Path
) -> None:
    saxon = pytest.importorskip("validators.supplied.saxon", reason="saxonche n'est pas installé")
    from validators.supplied.assertions import Assertions

    out = tmp_path / "out.xml"
    body = INSTRUCTIONS[name].format(uri=secret.as_uri(), out=out.as_uri())
    function = (
        '<xsl:function xmlns:xsl="http://www.w3.org/1999/XSL/Transform" name="e:f">'
        f"{body}</xsl:function>"
    )
    check = '<report test="exists(e:f())" id="R"><value-of select="e:f()"/></report>'
    files = Files({"main.sch": schema(function, pattern(rule("/e:r", check)), binding="xslt3")})
    made = compile_schema(read("main.sch", files.load))
    try:
        found = list(Assertions("main.sch", saxon.Transform(made.text, {})).judge(document()))
    except SchemaError:
        found = []
    assert SECRET not in str(found)
    assert all("n'a pas pu être évaluée" in one.message for one in found)
    assert not out.exists()


def test_extensions_that_turn_or_multiply_are_refused() -> None:
    def abstract(id: str, *extended: str) -> str:
        inner = "".join(f'<extends rule="{one}"/>' for one in extended)
        return f'<rule abstract="true" id="{id}">{inner}<assert test="1">x</assert></rule>'

    turning = (abstract("a", "b"), abstract("b", "a"), rule("e:a", '<extends rule="a"/>'))
    growing = [abstract(f"r{n}", *([f"r{n - 1}"] * 2 if n else [])) for n in range(40)]
    for rules, reason in (
        ([abstract("a", "a")], "sans fin"),
        (turning, "sans fin"),
        ([*growing, rule("e:a", '<extends rule="r39"/>')], "trop d'extensions"),
    ):
        with pytest.raises(SchemaError, match=reason):
            read("main.sch", Files({"main.sch": schema(pattern(*rules))}).load)


@pytest.mark.parametrize("prefix", ["", "1x", "xml", "xmlns", "kit-sch", "a b"])
def test_a_prefix_of_ours_or_that_is_none_is_refused(prefix: str) -> None:
    text = schema(f'<ns prefix="{prefix}" uri="urn:x"/>', pattern())
    with pytest.raises(SchemaError, match=r"main\.sch:2 :"):
        read("main.sch", Files({"main.sch": text}).load)


WHOLE = schema(
    '<include href="part.sch"/><phase id="f"><active pattern="p"/></phase>',
    '<let name="x" value="document(\'v.xml\')//code"/>',
    '<pattern id="p" is-a="abs"><param name="el" value="e:a"/></pattern>',
    pattern(
        '<rule abstract="true" id="base"><assert test="@b" role="warn">b</assert></rule>',
        rule("e:a", '<extends rule="base"/>', '<report test="$x" diagnostics="d">r</report>'),
    ),
    '<diagnostics><diagnostic id="d"><value-of select="."/></diagnostic></diagnostics>',
)
PART = (
    f'<pattern xmlns="{SCH}" abstract="true" id="abs"><rule context="$el">'
    '<assert test="$el">x</assert></rule></pattern>'
)
WHOLE_XSD = (
    f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:e"><xs:include schemaLocation="main.xsd"/>'
    '<xs:element name="r"><xs:complexType><xs:sequence><xs:any processContents="skip"/>'
    '</xs:sequence><xs:attribute name="b" type="xs:int"/></xs:complexType></xs:element></xs:schema>'
)


def spoiled(text: str) -> st.SearchStrategy[str]:
    """A text with a few pieces of it taken out, doubled or put elsewhere."""
    place = st.integers(0, len(text))
    cuts = st.lists(st.tuples(place, place, place), min_size=1, max_size=4)

    def spoil(cuts: list[tuple[int, int, int]]) -> str:
        made = text
        for start, end, to in cuts:
            start, end = sorted((start, end))
            made = made[:to] + made[start:end] + made[to:] if to % 2 else made[:start] + made[end:]
        return made

    return cuts.map(spoil)


@given(spoiled(WHOLE), spoiled(PART))
def test_a_spoiled_schematron_is_read_or_refused(main: str, part: str) -> None:
    for files in (
        Files({"main.sch": main, "part.sch": PART}),
        Files({"main.sch": WHOLE, "part.sch": part}),
    ):
        with suppress(SchemaError):
            compile_schema(read("main.sch", files.load))


@given(spoiled(WHOLE_XSD))
def test_a_spoiled_xsd_is_read_or_refused(text: str) -> None:
    with suppress(SchemaError):
        list(Xsd("main.xsd", Files({"main.xsd": text}).load).judge(document()))
