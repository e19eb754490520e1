"""ITI-41 at the DMP: what is kept, what is refused, and with which code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from protocols.ebrim import Author, Slot
from simulators.dmp import Cut
from simulators.dmp.faults import cut_of
from simulators.dmp.service import Service
from spec.dmp import REPOSITORY_OID, Text
from spec.xds import AssociationType, ErrorCode, Status
from tests.simulators.dmp.box import (
    STRUCTURE,
    Box,
    Certificates,
    Lot,
    codes,
    fault_of,
    ins,
    link,
    outcome,
    read,
)


def stored(box: Box, unique_id: str):
    with box.service._operations.store.reading() as session:
        return session.entry_of_document(unique_id), session.content(unique_id)


def test_a_good_lot_is_kept_and_completed(box: Box) -> None:
    lot = box.lot()
    reply = box.publish(lot)
    assert outcome(reply).succeeded
    assert (reply.transaction, reply.detail) == ("ITI-41", "TD2.1a")
    entry, content = stored(box, lot.unique_id)
    assert content == b"a KOS"
    assert entry is not None
    assert entry.status == Status.APPROVED
    assert entry.version == "1"
    assert entry.logical_id == entry.id
    assert entry.repository_unique_id == REPOSITORY_OID
    assert entry.hash == hashlib.sha1(b"a KOS").hexdigest()
    assert {entry.id, lot.unique_id, "279035121518989"} <= set(reply.keys)
    envelope, package = read(reply)
    assert package.is_multipart
    assert envelope.relates_to is not None
    assert envelope.action == "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse"


def test_a_replacement_deprecates_the_old_entry(box: Box) -> None:
    box.publish(box.lot(1))
    old, _ = stored(box, box.lot(1).unique_id)
    reply = box.publish(box.lot(2, replaces=old.id, content=b"newer"))
    assert outcome(reply).succeeded
    assert reply.detail == "TD2.1b"
    assert stored(box, box.lot(1).unique_id)[0].status == Status.DEPRECATED
    assert stored(box, box.lot(2).unique_id)[0].status == Status.APPROVED
    again = box.publish(box.lot(3, replaces=old.id, content=b"third"))
    assert codes(again) == [ErrorCode.DEPRECATED_DOCUMENT]
    unknown = box.publish(box.lot(4, replaces="urn:uuid:0", content=b"x"))
    assert codes(unknown) == [ErrorCode.UNRESOLVED_REFERENCE]


def test_the_same_document_twice(box: Box) -> None:
    box.publish(box.lot(1))
    assert codes(box.publish(box.lot(1))) == [ErrorCode.DUPLICATE_UNIQUE_ID]
    other = Lot(box.certificates, 1, content=b"another KOS")
    other.set = replace(other.set, unique_id=f"{other.set.unique_id}.9")
    other.sign()
    assert codes(box.publish(other)) == [ErrorCode.NON_IDENTICAL_HASH]


def altered(box: Box, change: Callable[[Lot], None], *, sign: bool = True) -> list[str]:
    lot = Lot(box.certificates)
    if not sign:
        change(lot)
        return codes(box.publish(lot))
    lot.sign()
    change(lot)
    return codes(box.publish(lot))


def on_kos(**changes: object) -> Callable[[Lot], None]:
    def change(lot: Lot) -> None:
        lot.entries[0] = replace(lot.entries[0], **changes)

    return change


def drop_document(lot: Lot) -> None:
    del lot.documents["DocumentKOS"]


def add_document(lot: Lot) -> None:
    lot.documents["Nobody"] = b"x"


def drop_member(lot: Lot) -> None:
    del lot.associations[0]


def reference_member(lot: Lot) -> None:
    lot.associations[0] = replace(
        lot.associations[0], slots=(Slot("SubmissionSetStatus", ("Reference",)),)
    )


def same_unique_ids(lot: Lot) -> None:
    lot.entries[0] = replace(lot.entries[0], unique_id=lot.entries[1].unique_id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (drop_document, ErrorCode.MISSING_DOCUMENT),
        (add_document, ErrorCode.MISSING_DOCUMENT_METADATA),
        (drop_member, ErrorCode.REGISTRY_METADATA_ERROR),
        (reference_member, ErrorCode.REGISTRY_METADATA_ERROR),
        (same_unique_ids, ErrorCode.REPOSITORY_DUPLICATE_IN_MESSAGE),
        (on_kos(patient_id=ins("162018885045327")), ErrorCode.PATIENT_DOES_NOT_MATCH),
        (on_kos(hash="0" * 40), ErrorCode.NON_IDENTICAL_HASH),
        (on_kos(hash="zz"), ErrorCode.REGISTRY_METADATA_ERROR),
        (on_kos(size="1"), ErrorCode.NON_IDENTICAL_SIZE),
        (on_kos(type_code=None), ErrorCode.REGISTRY_METADATA_ERROR),
        (on_kos(language_code=""), ErrorCode.REGISTRY_METADATA_ERROR),
        (on_kos(service_start_time="hier"), ErrorCode.REGISTRY_METADATA_ERROR),
        (on_kos(unique_id="not an oid"), ErrorCode.REGISTRY_METADATA_ERROR),
    ],
)
def test_metadata_defects(box: Box, change: Callable[[Lot], None], code: str) -> None:
    assert altered(box, change) == [code]


def test_all_metadata_defects_are_told_at_once(box: Box) -> None:
    assert len(altered(box, on_kos(title="", language_code="", class_code=None))) == 3


def test_hash_and_size_may_be_left_to_the_repository(box: Box) -> None:
    lot = box.lot()
    lot.entries[0] = replace(lot.entries[0], hash="", size="")
    assert outcome(box.publish(lot)).succeeded
    entry, _ = stored(box, lot.unique_id)
    assert entry.size == str(len(b"a KOS"))


@pytest.mark.parametrize(
    ("matricule", "code"),
    [
        ("153078987658513", ErrorCode.UNKNOWN_PATIENT),
        ("999999999999999", ErrorCode.UNKNOWN_PATIENT),
        ("270108604926542", ErrorCode.REGISTRY_ERROR),
    ],
)
def test_only_an_open_dmp_is_fed(box: Box, matricule: str, code: str) -> None:
    assert codes(box.publish(box.lot(patient=ins(matricule)))) == [code]


def test_only_an_author_feeds(box: Box, make_service: Callable[..., Service]) -> None:
    author = Author(institutions=("X^^^^^&1&ISO^IDNST^^^0000",), person="899700000001^KIT")
    lot = box.lot()
    lot.entries[0] = replace(lot.entries[0], authors=(author,))
    (error,) = outcome(box.publish(lot)).errors
    assert error.context == Text.AUTHOR
    lenient = Box(make_service(check_author=False), box.certificates)
    assert outcome(lenient.publish(lot)).succeeded


def test_the_lot_is_signed_by_a_signature_certificate(
    box: Box, certificates: Certificates, make_service: Callable[..., Service]
) -> None:
    unsigned = Lot(certificates)
    assert codes(box.publish(unsigned)) == [ErrorCode.INVALID_CONTENT]
    by_auth = box.lot(signer=certificates.auth)
    assert codes(box.publish(by_auth)) == [ErrorCode.INVALID_CONTENT]
    foreign = certificates.pki.sign(
        "DRIMbox", STRUCTURE, issuer="market", key=certificates.sign.key
    )
    assert codes(box.publish(box.lot(signer=foreign))) == [ErrorCode.INVALID_CONTENT]
    tampered = box.lot()
    tampered.documents["DocumentKOS"] = b"tampered"
    tampered.entries[0] = replace(tampered.entries[0], hash="", size="")
    assert codes(box.publish(tampered)) == [ErrorCode.INVALID_CONTENT]
    other_set = box.lot()
    other_set.set = replace(other_set.set, unique_id="1.2.3")
    assert codes(box.publish(other_set)) == [ErrorCode.INVALID_CONTENT]
    unlinked = box.lot()
    unlinked.associations = [a for a in unlinked.associations if a.type != AssociationType.SIGNS]
    assert codes(box.publish(unlinked)) == [ErrorCode.REGISTRY_METADATA_ERROR]
    lenient = Box(make_service(require_lot_signature=False), certificates)
    assert outcome(lenient.publish(unsigned)).succeeded


def test_a_replacement_starts_from_the_lot(box: Box) -> None:
    lot = box.lot()
    lot.associations.append(link(AssociationType.REPLACE, "elsewhere", "urn:uuid:1"))
    assert codes(box.publish(lot)) == [ErrorCode.REGISTRY_METADATA_ERROR]


def test_a_cut_keeps_all_or_nothing(box: Box) -> None:
    lot, faults = box.lot(), box.service.faults
    faults.set("coupure", "TD2.1", times=1, moment=Cut.BEFORE)
    assert cut_of(box.publish(lot).struck) is Cut.BEFORE
    assert stored(box, lot.unique_id) == (None, None)
    assert faults.placed == ()
    faults.set("coupure", "TD2.1", times=1, moment=Cut.AFTER)
    assert cut_of(box.publish(lot).struck) is Cut.AFTER
    assert stored(box, lot.unique_id)[1] == b"a KOS"
    assert codes(box.publish(lot)) == [ErrorCode.DUPLICATE_UNIQUE_ID]


def test_an_error_lasts_and_a_bad_lot_is_told_its_own(box: Box) -> None:
    fault = box.service.faults.set("erreur-xds", "TD2.1", code=ErrorCode.REPOSITORY_BUSY.value)
    for lot in (box.lot(), box.lot()):
        reply = box.publish(lot)
        assert codes(reply) == [ErrorCode.REPOSITORY_BUSY]
        assert "Panne simulée" in outcome(reply).errors[0].context
        assert stored(box, lot.unique_id) == (None, None)
    unsigned = Lot(box.certificates)
    assert codes(box.publish(unsigned)) == [ErrorCode.INVALID_CONTENT]
    assert box.service.faults.clear(fault) == 1
    assert outcome(box.publish(box.lot())).succeeded


def test_a_soap_fault_keeps_nothing(box: Box) -> None:
    lot = box.lot()
    box.service.faults.set("faute-soap", "TD2.1", times=1)
    box.service.faults.set("faute-soap", "TD2.1", times=1, code="DMPInvalidCertificate")
    ours, theirs = fault_of(box.publish(lot)), fault_of(box.publish(lot))
    assert (ours.code, ours.subcode) == ("Receiver", "")
    assert (theirs.code, theirs.subcode) == ("Sender", "DMPInvalidCertificate")
    assert stored(box, lot.unique_id) == (None, None)


def test_feeding_is_indirect_only(box: Box) -> None:
    reply = box.publish(box.lot(), box.air())
    assert fault_of(reply).subcode == "KIT-DMPRights"
    wrong = box.publish(box.lot(), box.vihf(patient=ins("162018885045327")))
    assert fault_of(wrong).subcode == "KIT-DMPPatientMismatch"
    assert read(wrong)[1].is_multipart


def test_one_of_many_simultaneous_copies_is_kept(box: Box) -> None:
    lot = box.lot()
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: box.publish(lot), range(8)))
    refusals = [codes(reply) for reply in replies]
    assert refusals.count([]) == 1
    assert refusals.count([ErrorCode.DUPLICATE_UNIQUE_ID]) == 7
