"""WADO-RS response: whose images they are, and whether they are those that were asked for."""

from __future__ import annotations

from spec.oids import INS_AUTHORITIES, INS_NIR_TEST
from validators.context import Context
from validators.dicom_tree import File
from validators.examples import kos
from validators.examples import wado as example
from validators.kos.reading import Reference as Listed
from validators.rule import Broken
from validators.wado.reading import WadoResponse, expected_kos
from validators.wado.rules import RESPONSE, Findings, dicomweb, draft

__all__: list[str] = []

_INS = ("DB.SO.39",)
_ENOUGH = 5


def _at(rank: int, path: str) -> str:
    return f"partie {rank}, {path}"


def _other_ids(file: File) -> list[tuple[str, list[str]]]:
    """Identifier and authorities of each item of OtherPatientIDsSequence."""
    return [
        (
            item.text(0x00100020),
            [one.text(0x00400032) for one in item.items(0x00100024)],
        )
        for item in file.data.items(0x00101002)
    ]


@RESPONSE.rule(
    "WADO-120",
    "Chaque objet porte l'INS qualifié dans OtherPatientIDsSequence",
    reference=draft("DB.SO.39"),
    requirements=_INS,
    bad=lambda: example.response([example.instance(ins="")]),
)
def ins_is_there(wado: WadoResponse) -> Findings:
    wrong = []
    for rank, file in wado.files:
        found = _other_ids(file)
        if not any(id and set(oids) & set(INS_AUTHORITIES) for id, oids in found):
            wrong.append((rank, found))
    for rank, found in wrong[:_ENOUGH]:
        yield Broken(
            message="L'objet ne porte pas d'INS.",
            expected="PatientID et autorité de l'INS",
            actual=" | ".join(f"{id}, {' '.join(oids)}" for id, oids in found),
            where=_at(rank, "0010,1002"),
        )


@RESPONSE.rule(
    "WADO-121",
    "L'INS des objets est celui du patient",
    reference=draft("DB.SO.39, DB.CO.68"),
    requirements=("DB.SO.39", "DB.CO.68"),
    given=Context(ins=kos.INS, ins_oid=INS_NIR_TEST),
    bad=lambda: example.response([example.instance(ins="162018885045327")]),
)
def ins_of_patient(wado: WadoResponse) -> Findings:
    if not wado.context.ins:
        return
    wrong = []
    for rank, file in wado.files:
        found = [
            id
            for id, oids in _other_ids(file)
            if set(oids) & ({wado.context.ins_oid} if wado.context.ins_oid else {*INS_AUTHORITIES})
        ]
        if found and set(found) != {wado.context.ins}:
            wrong.append((rank, found))
    for rank, found in wrong[:_ENOUGH]:
        yield Broken(
            message="L'objet porte l'INS d'un autre patient.",
            expected=wado.context.ins,
            actual=" | ".join(found),
            where=_at(rank, "0010,1002"),
        )


@RESPONSE.rule(
    "WADO-122",
    "PatientID reste l'identifiant local de la source",
    reference=draft("DB.SO.39"),
    requirements=_INS,
    given=Context(ipp=example.IPP),
    bad=lambda: example.response([example.instance(patient_id=kos.INS)]),
)
def patient_id(wado: WadoResponse) -> Findings:
    expected = wado.context.ipp
    wrong = [
        (rank, file.data.text(0x00100020))
        for rank, file in wado.files
        if expected and file.data.text(0x00100020) != expected
    ]
    for rank, written in wrong[:_ENOUGH]:
        yield Broken(
            message="PatientID a changé : seul OtherPatientIDsSequence doit l'être.",
            expected=expected,
            actual=written,
            where=_at(rank, "0010,0020"),
        )


def _expected(wado: WadoResponse) -> list[Listed] | None:
    """What the manifest lists of what was asked; None when it is not known."""
    manifest = expected_kos(wado.context)
    if manifest is None:
        return None
    listed = list(manifest.references())
    asked = wado.asked
    if asked is None:
        return listed
    return [
        one
        for one in listed
        if one.study == asked.study
        and asked.series in (None, one.series)
        and asked.instance in (None, one.instance)
    ]


@RESPONSE.rule(
    "WADO-123",
    "Aucun objet n'est hors du KOS",
    reference=draft("DB.SO.37, DB.SO.38"),
    requirements=("DB.SO.32", "DB.SO.38"),
    given=Context(kos=kos.kos(), target=example.PATH),
    bad=lambda: example.response([example.instance(series=f"{kos.SERIES}.99")]),
)
def in_kos(wado: WadoResponse) -> Findings:
    expected = _expected(wado)
    if expected is None:
        return
    listed = {(one.study, one.series, one.instance) for one in expected}
    wrong = []
    for rank, file in wado.files:
        found = tuple(file.data.text(tag) for tag in (0x0020000D, 0x0020000E, 0x00080018))
        if found not in listed:
            wrong.append((rank, found))
    for rank, found in wrong[:_ENOUGH]:
        yield Broken(
            message="Cet objet n'est pas de ce que le KOS liste et que la requête demande.",
            expected="une instance du KOS",
            actual=" / ".join(found),
            where=_at(rank, "0008,0018"),
        )


@RESPONSE.rule(
    "WADO-124",
    "Toutes les instances demandées sont données",
    reference=dicomweb("10.4.3"),
    given=Context(kos=kos.kos(), target=example.PATH),
    bad=lambda: example.response([example.instance(1)]),
)
def all_instances(wado: WadoResponse) -> Findings:
    expected = _expected(wado)
    # A series of the manifest is asked for at a time: without a target nothing can be missing.
    if expected is None or wado.status != 200 or wado.asked is None or wado.gives != "objects":
        return
    if wado.cut:
        return
    given = {file.data.text(0x00080018) for _, file in wado.files}
    missing = [one.instance for one in expected if one.instance not in given]
    if missing:
        yield Broken(
            message="Il manque des instances que le KOS liste.",
            expected=str(len(expected)),
            actual=f"{len(expected) - len(missing)} ; manque {' '.join(missing[:_ENOUGH])}",
        )
