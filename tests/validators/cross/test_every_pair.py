"""One fact changed in one artefact: every comparison of the table that it is part of disagrees.

The exam of the examples agrees on everything. Each edit below gives one of its artefacts another
value of one fact, as plausible as the first; the rule of each pair then speaks. A pair that an edit
of one of its sides leaves in agreement would be a comparison that proves nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from validators.cross import CrossReport, compare
from validators.cross.comparison import Pair
from validators.cross.fact import Subject, Voice
from validators.examples import exam as example
from validators.finding import Severity

REPORT, ENVELOPE, SEAL = "compte rendu", "enveloppe", "signature"
"""Pieces that travel within another artefact."""
_BOUNDARY = b"\r\n--exemple-iti41"
_END = rb"(?![.\d])"
_INSTALLATION = rb"1\.2\.250\.1\.999\.1\.1\.8121\."

EDITS: dict[Subject, tuple[tuple[bytes, bytes], ...]] = {
    Subject.INS: (
        (rb"279035121518989", rb"162018885045327"),
        (rb"(RegistryPackage (?:(?!2790).)*)279035121518989", rb"\g<1>162018885045327"),
        (rb"(ExtrinsicObject (?:(?!2790).)*)279035121518989", rb"\g<1>162018885045327"),
        (rb"(resource-id(?:(?!2790).)*)279035121518989", rb"\g<1>162018885045327"),
    ),
    Subject.INS_AUTHORITY: (
        (rb"(1\.2\.250\.1\.213\.1\.4\.1)0", rb"\g<1>1"),
        (rb"(RegistryPackage (?:(?!\.4\.10).)*\.4\.1)0", rb"\g<1>1"),
        (rb"(ExtrinsicObject (?:(?!\.4\.10).)*\.4\.1)0", rb"\g<1>1"),
        (rb"(resource-id(?:(?!\.4\.10).)*\.4\.1)0", rb"\g<1>1"),
    ),
    Subject.BIRTH_FAMILY: ((rb"PAT-TROIS", rb"PAT-SEIZE"),),
    Subject.BIRTH_GIVEN: ((rb"DOMINIQUE", rb"CHARLOTTE"),),
    Subject.BIRTH_GIVENS: ((rb"DOMINIQUE", rb"CHARLOTTE"),),
    Subject.BIRTH_DATE: ((rb"19790328", rb"19790329"),),
    Subject.SEX: (
        (rb"(\|19790328\|)F\|", rb"\1M|"),
        (rb'(GenderCode code=")F', rb"\1M"),
        (rb"(PID-8\|)F", rb"\1M"),
        (rb"(\x10\x00\x40\x00CS\x02\x00)F", rb"\1M"),
    ),
    Subject.BIRTH_PLACE: ((rb"51215", rb"75056"),),
    Subject.USED_NAME: (
        (rb"(</given>)(</name>)", rb'\1<family qualifier="CL">PAT-SIX</family>\2'),
        (rb"(\x10\x00\x01\x10PN)\x0a\x00\^DOMINIQUE", b"\\1\x0e\x00PAT-SIX^CAMILE"),
    ),
    Subject.IPP: ((rb"IPP900", rb"IPP901"),),
    Subject.IPP_AUTHORITY: ((rb"(" + _INSTALLATION + rb")1" + _END, rb"\g<1>9"),),
    Subject.ACCESSION: ((rb"ACN900", rb"ACN901"),),
    Subject.ACCESSION_ISSUER: ((rb"(" + _INSTALLATION + rb")4" + _END, rb"\g<1>9"),),
    Subject.ORDER: ((rb"OPN900", rb"OPN901"),),
    Subject.ORDER_ISSUER: ((rb"(" + _INSTALLATION + rb")3" + _END, rb"\g<1>9"),),
    Subject.STUDY: (
        (rb"(" + _INSTALLATION + rb"5\.)1" + _END, rb"\g<1>2"),
        (rb"(/studies/" + _INSTALLATION + rb"5\.)1", rb"\g<1>2"),
    ),
    Subject.SERIES: (
        (rb"(" + _INSTALLATION + rb"6\.)1" + _END, rb"\g<1>2"),
        (rb"(/series/" + _INSTALLATION + rb"6\.)1" + _END, rb"\g<1>2"),
    ),
    Subject.MANIFEST_UID: ((rb"(" + _INSTALLATION + rb"7\.)1" + _END, rb"\g<1>2"),),
    Subject.INSTANCE: ((rb"(" + _INSTALLATION + rb"6\.1\.)1" + _END, rb"\g<1>9"),),
    # The content of a manifest comes behind its evidence, in the order of tags.
    Subject.CONTENT: ((rb"(.*" + _INSTALLATION + rb"6\.1\.)1" + _END, rb"\g<1>9"),),
    Subject.PLACE: ((rb"(" + _INSTALLATION + rb"6\.)1" + _END, rb"\g<1>2"),),
    Subject.SOP_CLASS: (
        (rb"(1\.2\.840\.10008\.5\.1\.4\.1\.1\.)2" + _END, rb"\g<1>4"),
        (rb"(.*1\.2\.840\.10008\.5\.1\.4\.1\.1\.)2" + _END, rb"\g<1>4"),
    ),
    Subject.HOST: ((rb"db900", rb"db901"),),
    Subject.MODALITY: ((rb"(?<![A-Za-z])CT(?![A-Za-z])", rb"MR"),),
    Subject.REGION: ((rb"67734004", rb"38266002"),),
    Subject.START: ((rb"2026112109(30)", rb"202611210931"), (rb"2026112108(30)", rb"202611210831")),
    Subject.STOP: ((rb"2026112109(45)", rb"202611210946"), (rb"2026112108(45)", rb"202611210846")),
    Subject.CREATION: (
        (rb"20261122091500", rb"20261122091600"),
        (rb"(\x08\x00\x12\x00DA\x08\x00)20261122", rb"\g<1>20261121"),
    ),
    Subject.VISIBILITY: (
        (rb"(INVISIBLE_PATIENT\^[^|]*\|\|)N", rb"\1Y"),
        (rb"(INVISIBLE_REP_LEGAUX\^[^|]*\|\|)N", rb"\1Y"),
        (rb'(nodeRepresentation=")N"', rb'\1MASQUE_PS"'),
        (b"2\\.16\\.840\\.1\\.113883\\.5\\.25", b"1.2.250.1.213.1.1.4.13"),
    ),
    Subject.STRUCTURE: (
        (rb"3101235550001", rb"3101235550002"),
        (rb'(Identifiant_Structure"(?:(?!3101).)*)3101235550001', rb"\g<1>3101235550002"),
    ),
    Subject.SITE: ((rb"3101235550001", rb"3101235550002"),),
    Subject.VALIDATOR: ((rb"801234560801", rb"801234560802"),),
    Subject.HASH: (
        (rb'(name="hash"(?:(?!Value>).)*Value>)\w{4}', rb"\g<1>0000"),
        (rb"51215", rb"75056"),
        (rb"(</\w*:?Signature>)", rb" \1"),
    ),
    Subject.SIZE: (
        (rb'(name="size"(?:(?!Value>).)*Value>)\d', rb"\g<1>9"),
        (rb"(\x10\x00\x01\x10PN)\x0a\x00\^DOMINIQUE", b"\\1\x0e\x00PAT-SIX^CAMILE"),
        (rb"(</\w*:?Signature>)", rb" \1"),
    ),
    Subject.SIGNED: (
        (rb"(urn:oid:" + _INSTALLATION + rb"8\.)1", rb"\g<1>9"),
        (rb"(" + _INSTALLATION + rb"8\.)1" + _END, rb"\g<1>9"),
    ),
    Subject.DIGEST: ((rb"(DigestValue>)\w{3}", rb"\1AAA"), (rb"51215", rb"75056")),
}
"""Subject -> what is looked for in an artefact, and what is written in its place."""

Key = tuple[Subject, Voice, Voice]


def key(pair: Pair) -> Key:
    return pair.subject, pair.left, pair.right


def pieces() -> dict[str, bytes]:
    """What is edited, one at a time."""
    files = example.exam()
    _, envelope, _, seal, _ = files[example.PUBLICATION].split(_BOUNDARY[2:])
    found = {name: data for name, data in files.items() if name != example.PUBLICATION}
    return found | {REPORT: example.report(), ENVELOPE: envelope, SEAL: seal}


def with_piece(name: str, data: bytes) -> dict[str, bytes]:
    """The exam whose piece of that name is another."""
    files = example.exam()
    if name == REPORT:
        return example.exam(data)
    if name in (ENVELOPE, SEAL):
        publication = files[example.PUBLICATION]
        return files | {example.PUBLICATION: publication.replace(pieces()[name], data)}
    return files | {name: data}


def edits() -> Iterator[tuple[Subject, str, bytes]]:
    """Subject, name and bytes of each piece that one edit changes."""
    for subject, changes in EDITS.items():
        for name, data in pieces().items():
            for right, wrong in changes:
                edited = re.sub(right, wrong, data, flags=re.DOTALL)
                if edited != data:
                    yield subject, name, edited


@cache
def agreeing() -> CrossReport:
    return compare(example.exam())


@cache
def broken() -> dict[Key, set[str]]:
    """Pair -> the pieces whose edit made it disagree, its rule having spoken."""
    found: dict[Key, set[str]] = defaultdict(set)
    for subject, name, data in edits():
        for files in exams(name, data):
            report = compare(files)
            spoken = any(one.severity is not Severity.INFO for one in report.findings)
            for pair in report.pairs:
                if spoken and not pair.agrees and pair.subject is subject:
                    found[key(pair)].add(name)
    return found


def exams(name: str, data: bytes) -> Iterator[dict[str, bytes]]:
    """The exams in which an edited piece is heard."""
    files = with_piece(name, data)
    yield files
    if name == example.MANIFEST:
        # The publication has the first manifest still: what it lists covers what is asked for.
        yield {file: known for file, known in files.items() if file != example.PUBLICATION}


def piece_of(where: str) -> str:
    """The piece that a place is in."""
    start = where.partition(" : ")[0]
    inside = {
        f"{example.MESSAGE} › compte rendu": REPORT,
        example.PUBLICATION: ENVELOPE,
        f"{example.PUBLICATION} › Signature01": SEAL,
    }
    return inside.get(start, start)


ONE_SIDE = {
    # Another structure's certificate takes another signature: the VIHF and the report are edited.
    (Subject.STRUCTURE, Voice.CERTIFICATE),
    # What is signed is the manifest of the publication: it stays when the other one changes.
    (Subject.DIGEST, Voice.MANIFEST),
}
"""Sides whose own edit says nothing; the other side of their pairs is edited."""


@pytest.mark.slow
@pytest.mark.parametrize("subject", [one for one in Subject if one in EDITS])
def test_one_change_of_either_side_breaks_each_pair(subject: Subject) -> None:
    table = [pair for pair in agreeing().pairs if pair.subject is subject]
    assert table, "nothing is compared"
    silent = [
        f"{pair.left} / {pair.right} : {where}"
        for pair in table
        for voice, where in ((pair.left, pair.left_where), (pair.right, pair.right_where))
        if (subject, voice) not in ONE_SIDE and piece_of(where) not in broken()[key(pair)]
    ]
    assert not silent, "\n".join(silent)


def test_every_subject_of_the_table_is_edited() -> None:
    assert {pair.subject for pair in agreeing().pairs} == set(EDITS)
