"""Pieces that come alone (VIHF, lot signature, METADATA.XML, IOCM note), and XDM archives."""

from __future__ import annotations

import io
import zipfile

import pytest

from protocols import xml
from protocols.xmlsig import verify_lot
from spec.vihf import AttributeName
from tests.cost import costs, growth
from validators.api import KINDS, Context, guess, rules, validate
from validators.examples import kos as manifest
from validators.examples import lot, vihf, xdm, xds
from validators.examples.xds import edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.xdm.reading import is_safe
from validators.zip_archive import pack, unpack

FOLDER = xdm.FOLDER


def fired(data: bytes, kind: str | None = None, context: Context | None = None) -> set[str]:
    return {found.rule for found in validate(data, kind, context=context).findings}


class TestVihf:
    def test_alone_or_in_its_envelope_the_same_faults_are_told(self) -> None:
        for id, rule in KINDS["iti-41"].rules.rules.items():
            if id in KINDS["vihf"].rules.rules:
                alone = fired(vihf.assertion_of(rule.bad()), "vihf", rule.given)
                assert id in alone & fired(rule.bad(), context=rule.given)

    def test_an_envelope_is_read_too(self) -> None:
        envelope = xds.iti41().partition(b"\r\n\r\n")[2]
        start = envelope.index(b"<soap:Envelope")
        end = envelope.index(b"</soap:Envelope>") + len(b"</soap:Envelope>")
        assert fired(envelope[start:end], "vihf") == set()

    def test_two_assertions_are_one_finding(self) -> None:
        one = xml.parse(vihf.vihf())
        holder = xml.parse(b"<two/>")
        holder.append(xml.parse(vihf.vihf()))
        holder.append(one)
        assert fired(xml.serialize(holder), "vihf") == {"VIHF-000"}

    def test_both_modes_pass(self) -> None:
        assert validate(vihf.vihf()).verdict == "pass"
        assert validate(vihf.air()).verdict == "pass"

    def test_a_generic_professional_is_refused_in_air_only(self) -> None:
        generic = {"name_id": "3101235550001/radiologie"}
        assert fired(vihf.air(**generic)) == {"VIHF-030"}
        assert fired(vihf.vihf(**generic)) == set()

    def test_without_patient(self) -> None:
        """TD0.2 and searches need one, the assertion by itself is told so by VIHF-014."""
        assert fired(vihf.air({AttributeName.RESOURCE_ID: None})) == {"VIHF-014"}


class TestLot:
    def test_it_is_that_of_the_publication(self) -> None:
        data = lot.lot_of(xds.iti41())
        assert guess(data) == "lot"
        assert validate(data).verdict == "pass"
        assert verify_lot(data, {manifest.UID: manifest.kos()}).references == (manifest.UID,)

    def test_a_changed_manifest_is_told(self) -> None:
        spoiled = lot.lot(edit("//ds:Manifest/ds:Reference[2]/ds:DigestValue", value="AAAA"))
        assert fired(spoiled) == {"LOT-001"}

    def test_another_xml_is_one_finding(self) -> None:
        assert fired(b"<a/>", "lot") == {"LOT-000"}


class TestNotes:
    @pytest.mark.parametrize("title", [b"113001", b"113037", b"113038", b"113039"])
    @pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
    def test_the_four_titles_are_recognised(self, title: bytes, syntax: str) -> None:
        note = manifest.kos(transfer_syntax=syntax).replace(b"113030", title)
        assert guess(note) == "iocm"
        assert validate(note).verdict == "pass"

    def test_a_manifest_is_no_note(self) -> None:
        assert guess(manifest.kos()) == "kos"
        assert fired(manifest.kos(), "iocm") == {"IOCM-001"}


class TestMetadata:
    def test_both_roots_are_read(self) -> None:
        assert fired(xdm.metadata()) == set()
        enveloped = xdm.metadata(enveloped=True)
        assert guess(enveloped) == "metadata"
        assert fired(enveloped) == {"META-001"}
        assert validate(enveloped).verdict == "pass"

    def test_a_long_uri_comes_in_pieces(self) -> None:
        path = "//rim:Slot[@name='URI']//rim:Value"
        whole = xdm.metadata()
        value = b"<rim:Value>SS000001/KOS_1_1.DCM</rim:Value>"
        pieces = b"<rim:Value>2|KOS_1_1.DCM</rim:Value><rim:Value>1|SS000001/</rim:Value>"
        assert value in whole
        assert fired(whole.replace(value, pieces)) == set()
        assert fired(xdm.metadata(edit(path, value="C:\\KOS.DCM"))) == {"META-003", "META-004"}

    def test_submissions_keep_their_kind(self) -> None:
        """Without URI it is what is sent, with one it is what is kept."""
        bare = xdm.metadata(lambda root: _without_uris(root))
        assert guess(bare) == "iti-41"
        assert guess(xdm.metadata()) == "metadata"


def _without_uris(root: object) -> None:
    for _ in range(2):
        remove("//rim:Slot[@name='URI']")(root)  # type: ignore[arg-type]


class TestArchives:
    def test_documents_are_judged_with_their_metadata(self) -> None:
        other = manifest.kos(sop_instance=f"{manifest.UID}.9")
        found = fired(xdm.archive({f"{FOLDER}/KOS_1_1.DCM": other}))
        assert {"XDS-060", "XDS-061", "XDS-091", "XDS-112"} <= found

    def test_each_finding_says_in_which_lot(self) -> None:
        bad = xdm.metadata(edit("//rim:Slot[@name='languageCode']//rim:Value", value="fr"))
        report = validate(xdm.archive({f"{FOLDER}/METADATA.XML": bad}))
        (found,) = [found for found in report.findings if found.rule == "XDS-053"]
        assert found.where.startswith(f"{FOLDER} //ExtrinsicObject")

    def test_one_bad_lot_does_not_hide_another(self) -> None:
        good = {
            name.replace("SS000001", "SS000002"): data.replace(b"SS000001", b"SS000002")
            for name, data in unpack(xdm.archive()).items()
            if "SS000001" in name
        }
        found = fired(xdm.archive({f"{FOLDER}/METADATA.XML": b"<", **good}))
        assert found == {"XDM-006"}

    def test_the_layout_of_ihe_is_accepted(self) -> None:
        flat = xdm.archive(
            {f"{FOLDER}/CR.TXT": None},
            rename=lambda name: name.removeprefix("KA202611/").replace("SS000001", "SUBSET01"),
        )
        beside = {name: data.replace(b"SS000001/", b"") for name, data in unpack(flat).items()}
        assert fired(pack(beside)) == {"XDM-010"}

    def test_a_page_of_its_own_document_type(self) -> None:
        page = (
            b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "a">\n'
            b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body/></html>'
        )
        assert fired(xdm.archive({"KA202611/INDEX.HTM": page})) == set()

    @pytest.mark.parametrize(
        "name", ["/etc/passwd", "../a", "a/../../b", "C:\\a", "a\\..\\b", "\\\\h\\p", "a\x07b"]
    )
    def test_names_that_climb_are_told(self, name: str) -> None:
        assert not is_safe(name)
        assert "XDM-001" in fired(xdm.archive({name: b"x"}))

    def test_an_entity_in_metadata_is_a_fault(self) -> None:
        bomb = b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
        found = validate(xdm.archive({f"{FOLDER}/METADATA.XML": bomb})).findings
        assert [one.rule for one in found if one.severity is Severity.ERROR] == ["XDM-006"]

    def test_a_bomb_is_one_finding_and_is_not_inflated(self) -> None:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{FOLDER}/METADATA.XML", bytes(200 << 20))
        assert fired(target.getvalue()) == {"XDM-000"}

        def inflate() -> None:
            with zipfile.ZipFile(target) as archive:
                archive.read(f"{FOLDER}/METADATA.XML")

        judged, inflated = costs(lambda: fired(target.getvalue()), inflate)
        assert judged < inflated / 4

    def test_many_lots_are_read_in_linear_time(self) -> None:
        def lots(count: int) -> bytes:
            return pack(
                {f"A{rank}/IHE_XDM/SS{rank:06}/METADATA.XML": b"<" for rank in range(count)}
            )

        few, many = lots(250), lots(4_000)
        assert {"XDM-002", "XDM-006"} <= {one.rule for one in validate(many, "xdm").findings}
        # 256 if quadratic
        assert growth(lambda: validate(few, "xdm"), lambda: validate(many, "xdm")) < 64

    def test_every_truncation_gives_a_report(self) -> None:
        data = xdm.archive()
        for end in range(0, len(data), 997):
            assert validate(data[:end], "xdm").verdict == "fail"


def test_an_inherited_rule_is_taken_once() -> None:
    kind = KINDS["vihf"].rules
    with pytest.raises(ValueError, match="VIHF-001"):
        inherit(kind, KINDS["iti-41"].rules, ["VIHF-001"], example=bytes)


def test_a_shared_rule_is_explained_by_its_first_kind() -> None:
    assert rules()["VIHF-008"] is KINDS["iti-41"].rules.rules["VIHF-008"]
