"""The ISO skeleton (in lxml, XPath 1.0) says the same as our compiler of any small schema."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, isoschematron

from tests.validators.supplied.schemas import Files, pattern, rule, schema
from validators.supplied.schematron import read
from validators.supplied.stylesheet import compile_schema

pytest.importorskip("saxonche", reason="l'extra « schematron » n'est pas installé")

from validators.supplied.assertions import Assertions
from validators.supplied.saxon import Transform

SVRL = "{http://purl.oclc.org/dsdl/svrl}"

contexts = st.sampled_from(
    ["e:a", "e:a[@b = 1]", "e:c", "/e:r", "e:r", "*", "e:c/e:a", "e:a[not(@b)]"]
)
tests = st.sampled_from(
    ["@b", "@b = $two", "count(e:a) &gt; 1", "parent::e:c", "string-length(.) &gt; $n", "false()",
     "e:a | e:c", "not(preceding-sibling::*)", "sum(//@b) mod 2 = 1", "name() = 'a'"]
)  # fmt: skip
checks = st.builds(
    lambda kind, test, rank: (
        f'<{kind} test="{test}">{kind} {rank} <value-of select="name()"/></{kind}>'
    ),
    st.sampled_from(["assert", "report"]),
    tests,
    st.integers(0, 9),
)
rules = st.builds(
    lambda context, checks, n: rule(context, f'<let name="n" value="{n}"/>', *checks),
    contexts,
    st.lists(checks, min_size=1, max_size=3),
    st.integers(0, 3),
)
patterns = st.lists(st.lists(rules, min_size=1, max_size=3), min_size=1, max_size=3)
elements = st.recursive(
    st.sampled_from(["<a b='1'/>", "<a b='2'>xy</a>", "<a/>", "<c>t</c>"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda some: f"<c>{''.join(some)}</c>"),
    max_leaves=8,
)


def skeleton(main: str, document: etree._Element) -> Counter[str]:
    """The messages of the skeleton, each with how often it is told."""
    judge = isoschematron.Schematron(etree.fromstring(main), store_report=True)
    judge.validate(document)
    found = judge.validation_report.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    return Counter(" ".join("".join(one.itertext()).split()) for one in found)


def told(main: str, document: etree._Element) -> Counter[str]:
    """Ours."""
    sheet = compile_schema(read("main.sch", Files({"main.sch": main}).load))
    found = Assertions("main.sch", Transform(sheet.text, {})).judge(document)
    return Counter(one.message for one in found if one.rule != "USER-SCH/CONTEXT")


@settings(max_examples=60)
@given(patterns, st.lists(elements, max_size=4))
def test_both_tell_the_same(made: list[list[str]], content: list[str]) -> None:
    main = schema(
        '<let name="two" value="2"/>',
        *(pattern(*some, id=f"p{rank}") for rank, some in enumerate(made)),
        binding="xslt",
    )
    document = etree.fromstring(f"<r xmlns='urn:e'>{''.join(content)}</r>")
    assert told(main, document) == skeleton(main, document)


def test_a_rule_on_texts_is_ours_alone() -> None:
    """A rule may stand on any node (ISO/IEC 19757-3, rule context). The skeleton goes through
    elements, comments and processing instructions alone: it never comes to a text."""
    main = schema(pattern(rule("text()", '<assert test="false()">vu</assert>')), binding="xslt")
    document = etree.fromstring("<r xmlns='urn:e'><a>xy</a></r>")
    assert told(main, document)["vu"] == 1
    assert skeleton(main, document)["vu"] == 0
