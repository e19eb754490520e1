"""Documents of the DMP shown: N1, N3, the producer's style sheet, and what hostile ones try."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drimbox_ref.consumer.reports import Rendering, present, read
from drimbox_ref.consumer.reports.styling import StyleRefused, apply
from protocols.errors import RemoteProtocolError
from tests.drimbox_ref.consumer.bed import NUMBERS, Sync

OID = "1.2.250.1.213.1.4.10"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
XSL = 'xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"'
SECTIONS = f"""<structuredBody>
<component><section><title>Conclusion</title><text>
Nodule <content styleCode="Bold">stable</content> &lt;b&gt;.
<list listType="ordered"><item>un</item><item>deux</item></list>
<table><tbody><tr><td colspan="2" onclick="alert(1)">12 mm</td></tr></tbody></table>
<linkHtml href="javascript:alert(1)">voir</linkHtml><script>alert(2)</script>
<renderMultiMedia referencedObject="IMG1"/><renderMultiMedia referencedObject="IMG2"/>
</text><entry><observationMedia ID="IMG1"><value mediaType="image/png" representation="B64">{PNG}
</value></observationMedia></entry>
<component><section><title>Sous-section</title><text>dedans</text></section></component>
</section></component></structuredBody>"""


def document(body: str, ins: str = "279035121518989") -> str:
    return f"""<ClinicalDocument xmlns="urn:hl7-org:v3"><title>CR de scanner</title>
<effectiveTime value="20260131"/><recordTarget><patientRole><id extension="{ins}" root="{OID}"/>
<patient><name><family>PAT-TROIS</family></name></patient></patientRole></recordTarget>
<component>{body}</component></ClinicalDocument>"""


def encapsulated(data: bytes, kind: str) -> str:
    text = base64.b64encode(data).decode()
    return document(
        f'<nonXMLBody><text mediaType="{kind}" representation="B64">{text}</text></nonXMLBody>'
    )


def styled(templates: str, ins: str = "279035121518989") -> bytes:
    inside = document(SECTIONS, ins)
    return f"<xsl:stylesheet {XSL}>{templates}{inside}</xsl:stylesheet>".encode()


def whole(content: str) -> str:
    """The template that begins and ends it all."""
    return f'<xsl:template match="/">{content}</xsl:template>'


def shown(text: str) -> Rendering:
    return present(read(text.encode()))


def test_sections_become_plain_html() -> None:
    html = shown(document(SECTIONS)).body.decode()
    assert "<h2>Conclusion</h2>" in html
    assert "<strong><span>stable</span></strong>" in html
    assert "<ol><li>un</li><li>deux</li></ol>" in html
    assert "<h3>Sous-section</h3>" in html
    assert '<td colspan="2">12 mm</td>' in html
    assert f'src="data:image/png;base64,{PNG}"' in html
    assert "&lt;b&gt;" in html
    assert "[contenu joint non affiché]" in html
    for absent in ("<script", "onclick", "href=", "<a "):
        assert absent not in html


def test_the_file_of_an_n1_is_shown() -> None:
    assert shown(encapsulated(b"%PDF-1.7 x", "application/pdf")) == Rendering(
        "application/pdf", b"%PDF-1.7 x"
    )
    assert b"<pre>a &lt; b" in shown(encapsulated(b"a < b", "text/plain")).body
    assert b"data:image/png" in shown(encapsulated(base64.b64decode(PNG), "image/png")).body


@pytest.mark.parametrize(
    "text",
    [
        encapsulated(b"<html><script>alert(1)</script>", "text/html"),
        encapsulated(b"MZ", "application/pdf"),
        encapsulated(b"<svg onload='x'/>", "image/png"),
        document("<nonXMLBody><text representation='B64'>***</text></nonXMLBody>"),
        document("<nonXMLBody/>"),
        "<autre/>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + document("<structuredBody/>"),
        "<a>" * 400 + "</a>" * 400,
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        shown(text)


@settings(max_examples=40)
@given(st.text(max_size=80))
def test_no_text_escapes_from_its_element(text: str) -> None:
    written = "".join(one for one in text if one.isprintable())
    body = written.replace("&", "&amp;").replace("<", "&lt;")
    html = shown(
        document(
            "<structuredBody><component><section><text>"
            f"{body}</text></section></component></structuredBody>"
        )
    ).body.decode()
    assert html.count("<div>") == html.count("</div>")
    assert "<script" not in html


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_the_producer_s_style_sheet_is_applied() -> None:
    html = await apply(styled(whole("<html><body><h1>Du producteur</h1></body></html>")))
    assert b"<h1>Du producteur</h1>" in html


@pytest.mark.anyio
async def test_a_style_sheet_reaches_no_file(tmp_path: Path) -> None:
    secret, made = tmp_path / "secret.xml", tmp_path / "ecrit"
    secret.write_text("<secret>clé privée</secret>")
    exslt = 'xmlns:e="http://exslt.org/common" xsl:extension-element-prefixes="e"'
    for hostile in (
        f'<xsl:include href="{secret.as_uri()}"/>',
        f'<xsl:import href="{secret.as_uri()}"/>',
        whole(f"""<xsl:value-of select="document('{secret.as_uri()}')"/>"""),
        whole(f'<x {exslt}><e:document href="{made.as_uri()}">z</e:document></x>'),
    ):
        said = ""
        try:
            said = (await apply(styled(hostile))).decode()
        except StyleRefused as refused:
            said = str(refused)
        assert "clé privée" not in said
    assert not made.exists()


DOUBLING = """<xsl:call-template name="d"><xsl:with-param name="s" select="concat($s,$s)"/>
</xsl:call-template>"""


@pytest.mark.anyio
@pytest.mark.parametrize(
    "templates",
    [
        whole('<xsl:apply-templates select="/"/>'),
        whole(DOUBLING.replace("concat($s,$s)", "'ab'"))
        + f'<xsl:template name="d"><xsl:param name="s"/>{DOUBLING}</xsl:template>',
        whole("<xsl:nothing/>") + "<xsl:template/>",
    ],
    ids=["boucle", "mémoire", "faute"],
)
async def test_a_style_sheet_without_end_is_stopped(templates: str) -> None:
    with pytest.raises(StyleRefused):
        await apply(styled(templates))


def asked(bed: Sync, content: bytes, **options: Any) -> Any:
    """What the frame of a document gets: page of the frame."""
    bed.study()
    bed.bed.report(f"1.2.250.1.999.42.{next(NUMBERS)}", content, **options)
    user = bed.opened()

    async def run() -> Any:
        link = next(one for one in user.page.links if "/documents/" in one.url)
        around = await user.get(link.url)
        assert around.status == 200
        assert "PAT-TROIS" in around.text()
        return await user.follow("Ouvrir le document seul")

    page = bed.portal.call(run)
    return user, page


def test_a_report_is_read_in_a_frame_that_can_do_nothing(bed: Sync) -> None:
    since = bed.since()
    _, page = asked(bed, document(SECTIONS, bed.bed.ins).encode())
    assert page.status == 200
    assert "Nodule stable" in page.text()
    last = [one for one in bed.bed.exchanges if one.transaction == "consumer-page"][-1]
    assert last.response is not None
    policy = last.response.header("content-security-policy") or ""
    assert policy.startswith("sandbox; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    assert bed.asked(since).count("ITI-43") == 2
    events = bed.portal.call(bed.bed.admin, "audit")
    assert "1.2.250.1.999.42" in str(events[0])


def test_a_self_presenting_report_is_shown_as_its_producer_wants(bed: Sync) -> None:
    templates = whole("<html><body><p>À ma façon</p></body></html>")
    _, page = asked(bed, styled(templates, bed.bed.ins))
    assert "À ma façon" in page.text()


def test_a_style_sheet_that_fails_gives_way_to_ours(bed: Sync) -> None:
    _, page = asked(bed, styled('<xsl:include href="x"/>', bed.bed.ins))
    assert "Nodule stable" in page.text()
    assert "présentation de la DRIMbox" in page.text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (document(SECTIONS, "199019912345678"), "INS d'un autre patient"),
        ("<x/>", "illisible"),
    ],
)
def test_what_must_not_be_shown_says_why(bed: Sync, content: str, said: str) -> None:
    _, page = asked(bed, content.encode())
    assert page.status == 502
    assert said in page.alerts[0]
    assert "Nodule" not in page.text()
