"""A Schematron is read, made flat, compiled, played: each construct decides of a finding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.validators.supplied.schemas import SCH, Files, document, pattern, rule, schema, told
from validators.finding import Cause, Finding, Severity
from validators.supplied import SchemaError
from validators.supplied.schematron import read
from validators.supplied.stylesheet import compile_schema

pytest.importorskip("saxonche", reason="l'extra « schematron » n'est pas installé")

from validators.supplied.assertions import Assertions
from validators.supplied.saxon import Transform


def played(
    main: str,
    judged: etree._Element | None = None,
    phase: str = "",
    documents: dict[str, str] | None = None,
    **files: str,
) -> list[Finding]:
    """What a schema says of a document; `files` are others of its folder (`__` for a dot)."""
    folder = Files({"main.sch": main, **{k.replace("__", "."): v for k, v in files.items()}})
    made = compile_schema(read("main.sch", folder.load, phase))
    schema = Assertions("main.sch", Transform(made.text, documents or {}))
    return list(schema.judge(document() if judged is None else judged))


def test_an_assertion_tells_text_place_and_what_was_expected() -> None:
    checks = (
        "<assert test=\"@c\" id='A1' diagnostics='d'>Il manque c sur <name/>, b = "
        "<value-of select='@b'/>, {sic}</assert>"
    )
    diagnostics = (
        '<diagnostics><diagnostic id="d">vu <value-of select="@b"/></diagnostic></diagnostics>'
    )
    (first, second) = played(schema(pattern(rule("e:a", checks)), diagnostics))
    assert first.rule == "USER-SCH/A1"
    assert first.message == "Il manque c sur a, b = 1, {sic}"
    assert (first.expected, first.actual) == ("@c", "vu 1")
    assert first.where == "/r/a[1] (ligne 2)"
    assert second.where == "/r/a[2] (ligne 3)"
    assert first.severity is Severity.ERROR
    assert "fourni par l'utilisateur" in first.spec


def test_a_document_that_keeps_it_has_no_finding() -> None:
    assert played(schema(pattern(rule("e:a", '<assert test="@b">b</assert>')))) == []


def test_a_report_speaks_when_its_test_holds() -> None:
    main = schema(pattern(rule("e:a", '<report test="@b = 2" id="R">deux</report>')))
    (found,) = played(main)
    assert (found.rule, found.expected) == ("USER-SCH/R", "not(@b = 2)")


@pytest.mark.parametrize(
    ("attributes", "severity"),
    [
        ('role="warning"', Severity.WARNING),
        ('flag="Avertissement"', Severity.WARNING),
        ('role="info"', Severity.INFO),
        ('role="FATAL"', Severity.ERROR),
        ('role="inconnu"', Severity.ERROR),
        ('role="inconnu" flag="info"', Severity.INFO),
    ],
)
def test_role_and_flag_weigh(attributes: str, severity: Severity) -> None:
    main = schema(pattern(rule("/e:r", f'<assert test="false()" {attributes}>non</assert>')))
    assert [one.severity for one in played(main)] == [severity]


def test_role_of_a_rule_holds_for_its_checks() -> None:
    main = schema(
        '<pattern><rule context="/e:r" role="warn"><assert test="false()">a</assert>'
        '<assert test="false()" role="error">b</assert></rule></pattern>'
    )
    assert [one.severity for one in played(main)] == [Severity.WARNING, Severity.ERROR]


def test_the_first_rule_that_fits_takes_the_node() -> None:
    rules = (
        rule("e:a[@b = 1]", '<assert test="false()">premier</assert>'),
        rule("e:a", '<assert test="false()">second</assert>'),
        rule("@b", '<assert test=". = 1">attribut</assert>'),
    )
    found = played(schema(pattern(*rules)))
    assert [one.message for one in found] == ["premier", "second", "attribut"]
    assert found[2].where == "/r/a[2]/@b (ligne 3)"


def test_each_pattern_looks_at_every_node() -> None:
    one = pattern(rule("e:a[1]", '<assert test="false()">x</assert>'), id="p1")
    two = pattern(rule("e:a[1]", '<assert test="false()">y</assert>'), id="p2")
    assert told(played(schema(one, two))) == [("USER-SCH/p1", "x"), ("USER-SCH/p2", "y")]


def test_variables_of_schema_pattern_and_rule() -> None:
    main = schema(
        '<let name="all" value="count(//e:a)"/>',
        '<pattern id="p"><let name="wanted" value="2"/><rule context="e:a">'
        '<let name="mine" value="@b"/>'
        '<report test="$mine = $wanted">b = <value-of select="$mine"/> sur '
        '<value-of select="$all"/></report></rule></pattern>',
    )
    assert told(played(main)) == [("USER-SCH/p", "b = 2 sur 2")]


def test_a_variable_of_one_pattern_is_read_from_another() -> None:
    # Official schemas keep their variables in a pattern of their own.
    main = schema(
        '<pattern id="variables"><let name="two" value="2"/></pattern>',
        pattern(rule("e:a", '<report test="@b = $two">deux</report>')),
    )
    assert told(played(main)) == [("USER-SCH/m", "deux")]


def test_two_patterns_may_give_one_name_two_values() -> None:
    def one(id: str, value: str) -> str:
        return (
            f'<pattern id="{id}"><let name="x" value="{value}"/><rule context="/e:r">'
            '<report test="true()"><value-of select="$x"/></report></rule></pattern>'
        )

    main = schema(one("p1", "count(//e:a)"), one("p2", "'deux'"))
    assert told(played(main)) == [("USER-SCH/p1", "2"), ("USER-SCH/p2", "deux")]


def test_phases_choose_patterns() -> None:
    main = schema(
        '<phase id="f1"><active pattern="p1"/></phase>',
        '<phase id="f2"><let name="seen" value="\'f2\'"/><active pattern="p2"/></phase>',
        pattern(rule("/e:r", '<assert test="false()">un</assert>'), id="p1"),
        pattern(
            rule("/e:r", '<assert test="false()">deux <value-of select="$seen"/></assert>'),
            id="p2",
        ).replace("$seen", "'f2'"),
        defaultPhase="f1",
    )
    assert [one.message for one in played(main)] == ["un"]
    assert [one.message for one in played(main, phase="f2")] == ["deux f2"]
    assert len(played(main, phase="#ALL")) == 2
    with pytest.raises(SchemaError, match="f1, f2"):
        played(main, phase="f3")


def test_an_abstract_pattern_takes_its_parameters() -> None:
    main = schema(
        '<include href="abs.sch"/>',
        '<pattern id="p" is-a="abs"><param name="el" value="e:a"/>'
        '<param name="el-name" value="\'élément\'"/></pattern>',
    )
    abstract = (
        f'<pattern xmlns="{SCH}" abstract="true" id="abs"><rule context="$el">'
        '<assert test="false()"><value-of select="$el-name"/></assert></rule></pattern>'
    )
    assert told(played(main, abs__sch=abstract)) == [("USER-SCH/p", "élément")] * 2
    with pytest.raises(SchemaError, match="abs"):
        played(main.replace('<include href="abs.sch"/>', ""))


def test_an_abstract_rule_is_extended_and_never_played_alone() -> None:
    rules = (
        '<rule abstract="true" id="base"><let name="n" value="name()"/>'
        '<assert test="false()">base <value-of select="$n"/></assert></rule>',
        rule("/e:r", '<extends rule="base"/>', '<assert test="false()">propre</assert>'),
    )
    assert [one.message for one in played(schema(pattern(*rules)))] == ["base r", "propre"]
    with pytest.raises(SchemaError, match="absente"):
        played(schema(pattern(rules[1])))


def test_files_are_included_from_where_they_stand() -> None:
    folder = Files(
        {
            "sub/main.sch": schema('<include href="inc/one.sch"/>'),
            "sub/inc/one.sch": f'<pattern xmlns="{SCH}" id="p">'
            '<include href="../two.sch#r"/></pattern>',
            "sub/two.sch": f'<rules xmlns="{SCH}"><rule id="r" context="/e:r">'
            '<extends href="../checks.sch"/></rule></rules>',
            "checks.sch": f'<rule xmlns="{SCH}"><assert test="false()">atteint</assert></rule>',
        }
    )
    made = compile_schema(read("sub/main.sch", folder.load))
    found = list(Assertions("main.sch", Transform(made.text, {})).judge(document()))
    assert told(found) == [("USER-SCH/p", "atteint")]


def test_a_value_set_of_the_folder_is_consulted() -> None:
    codes = "<codes><code>1</code></codes>"
    main = schema(
        pattern(rule("e:a", "<assert test=\"@b = document('codes.xml')//code\">hors</assert>"))
    )
    (found,) = played(main, documents={"codes.xml": codes})
    assert found.where == "/r/a[2] (ligne 3)"
    for reading in ("doc($name)//code", "document($name)//code", "$name ! doc(.)//code"):
        other = schema(
            "<let name='name' value=\"'codes.xml'\"/>",
            pattern(rule("e:a", f'<assert test="@b = {reading}">hors</assert>')),
        )
        assert len(played(other, documents={"codes.xml": codes})) == 1


def test_the_names_of_files_are_found_in_strings_alone() -> None:
    main = schema(
        '<let name="x" value="\'../v/J.xml\'"/>',
        pattern(
            rule("e:a", "<assert test=\"document(&quot;k''l.xml&quot;) (: 'n.xml' :)\">t</assert>")
        ),
    )
    made = compile_schema(read("main.sch", Files({"main.sch": main}).load))
    assert made.files == ("../v/J.xml", "k''l.xml")


def test_what_cannot_be_evaluated_is_told_and_hides_nothing_else() -> None:
    checks = (
        '<assert test="error()" id="bad">jamais</assert>',
        '<assert test="false()" id="next">suivant</assert>',
    )
    (stopped, broken) = played(schema(pattern(rule("e:a[1]", *checks))))
    assert stopped.rule == "USER-SCH/bad"
    assert "n'a pas pu être évaluée" in stopped.message
    assert (stopped.severity, stopped.cause) == (Severity.ERROR, Cause.PROFILE)
    assert "main.sch:2" in stopped.spec
    assert broken.message == "suivant"


def test_a_variable_that_cannot_be_evaluated_stops_its_rule_alone() -> None:
    rules = (
        rule(
            "e:a[1]",
            '<let name="x" value="error()"/>',
            '<assert test="$x" id="dead">mort</assert>',
        ),
        rule("e:a", '<assert test="false()" id="alive">vivant</assert>'),
    )
    found = played(schema(pattern(*rules)))
    assert "n'a pas pu être évaluée" in found[0].message
    assert found[-1].rule == "USER-SCH/alive"


def test_a_schema_that_looks_at_nothing_says_so() -> None:
    (found,) = played(schema(pattern(rule("e:absent", '<assert test="@b">b</assert>'))))
    assert (found.rule, found.severity) == ("USER-SCH/CONTEXT", Severity.WARNING)


def test_functions_and_keys_of_the_schema_serve() -> None:
    xsl = "http://www.w3.org/1999/XSL/Transform"
    main = schema(
        f'<function xmlns="{xsl}" name="e:twice"><param name="n"/>'
        '<sequence select="2 * number($n)"/></function>',
        f'<key xmlns="{xsl}" name="by" match="e:a" use="@b"/>',
        pattern(
            rule("/e:r", "<assert test=\"e:twice(key('by', '2')/@b) = 5\">faux</assert>"),
        ),
    )
    assert [one.message for one in played(main)] == ["faux"]


def test_version_one_expressions_keep_their_meaning() -> None:
    # XPath 1.0 takes the first node of a set, XPath 2.0 refuses several.
    check = '<assert test="string(//e:a/@b) = \'1\'" id="A">premier</assert>'
    main = schema(pattern(rule("/e:r", check)), binding="xslt")
    assert played(main) == []
    (stopped,) = played(main.replace('"xslt"', '"xslt2"'))
    assert "n'a pas pu être évaluée" in stopped.message


def test_subject_moves_the_place() -> None:
    main = schema(pattern(rule("/e:r", '<assert test="false()" subject="e:a[2]">là</assert>')))
    assert [one.where for one in played(main)] == ["/r/a[2] (ligne 3)"]


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        ("<schema/>", "sch:schema attendu"),
        ('<schema xmlns="http://www.ascc.net/xml/schematron"/>', "Schematron 1.5"),
        ("<schema", "XML mal formé"),
        (schema(pattern(), binding="stx"), "queryBinding « stx »"),
        (schema(), "aucun motif"),
        (schema('<ns prefix="x"/>', pattern()), "main.sch:2"),
        (schema(pattern('<rule><assert test="1">x</assert></rule>')), "sans contexte"),
        (schema(pattern(rule("a", "<assert>x</assert>"))), "assert sans test"),
        (schema(pattern(rule("a", '<assert test="1" diagnostics="d">x</assert>'))), "« d » absent"),
        (schema('<include href="absent.sch"/>'), "demandé par main.sch:2"),
        (schema('<include href="main.sch"/>'), "inclusions sans fin"),
        (schema('<pattern documents="x"/>'), "@documents"),
        (schema(pattern(rule("e:a[", '<assert test="1">x</assert>'))), "main.sch:2"),
        (schema(pattern(rule("e:a", '<assert test="zork(1)">x</assert>'))), "main.sch:2 .*zork"),
        (schema(pattern(rule("e:a", '<assert test=")1">x</assert>'))), "main.sch:2"),
    ],
)
def test_a_schema_that_cannot_be_used_says_where_and_why(main: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason) as refused:
        played(main)
    assert "kit-xsl" not in str(refused.value)


_TOKENS = {
    "doc(.)": "kit-sch:doc(.)",
    "fn:document (.)": "kit-sch:document (.)",
    "doc-available('v.xml')": "kit-sch:doc-available('v.xml')",
    "e:doc(.)": "e:doc(.)",
    "my-doc(.)": "my-doc(.)",
    "$doc": "$doc",
    "e:doc/@doc": "e:doc/@doc",
    "'doc(1)'": "'doc(1)'",
    "'d''un doc(2)'": "'d''un doc(2)'",
    '"document(3)"': '"document(3)"',
    "(: doc(4) 'x :)": "(: doc(4) 'x :)",
    "+": "+",
}
"""An expression's token -> what is left of it."""


@given(st.lists(st.sampled_from(sorted(_TOKENS)), min_size=1, max_size=12))
def test_calls_that_read_files_are_rewritten_and_nothing_else(tokens: list[str]) -> None:
    """Whatever stands around them: strings, comments, names that look alike."""
    check = etree.Element(f"{{{SCH}}}report", test=" ".join(tokens))
    main = etree.fromstring(schema(pattern(rule("e:a"))))
    next(main.iter(f"{{{SCH}}}rule")).append(check)
    folder = Files({"main.sch": etree.tostring(main, encoding="unicode")})
    made = etree.fromstring(compile_schema(read("main.sch", folder.load)).text)
    (found,) = [one.get("test") for one in made.iter("{*}if")]
    assert found == " ".join(_TOKENS[token] for token in tokens)
