"""WADO-RS response: what each object says that it is, against its own header and the manifest."""

from __future__ import annotations

from spec.oids import INS_AUTHORITIES
from validators.context import Context
from validators.dicom_tree import DataSet
from validators.examples import kos
from validators.examples import wado as example
from validators.rule import Broken
from validators.wado.reading import WadoResponse, expected_kos
from validators.wado.rules import RESPONSE, Findings, dicomweb

__all__: list[str] = []

_ENOUGH = 5
_PATIENT_ID_TYPES = ("TEXT", "RFID", "BARCODE")
_CT, _MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"


def _at(rank: int, path: str) -> str:
    return f"partie {rank}, {path}"


def _as_mr(data: bytes) -> bytes:
    """The same object under another class of the same length, its meta information apart."""
    head, _, rest = data.partition(_CT.encode())
    return head + _CT.encode() + rest.replace(_CT.encode(), _MR.encode(), 1)


@RESPONSE.rule(
    "WADO-114",
    "La méta-information et l'objet nomment la même classe",
    reference=dicomweb("8.7.3, PS3.10 7.1"),
    bad=lambda: example.response([_as_mr(example.instance(1)), example.instance(2)]),
)
def same_class(wado: WadoResponse) -> Findings:
    wrong = [
        (rank, file)
        for rank, file in wado.files
        if file.media_sop_class != file.data.text(0x00080016)
    ]
    for rank, file in wrong[:_ENOUGH]:
        yield Broken(
            message="La méta-information contredit l'objet.",
            expected=file.data.text(0x00080016),
            actual=file.media_sop_class,
            where=_at(rank, "0002,0002"),
        )


@RESPONSE.rule(
    "WADO-115",
    "Chaque objet dit sa modalité",
    reference=dicomweb("8.7.3, PS3.3 C.7.3.1"),
    bad=lambda: example.response([example.instance(1, modality=""), example.instance(2)]),
)
def modality(wado: WadoResponse) -> Findings:
    wrong = [rank for rank, file in wado.files if not file.data.text(0x00080060)]
    for rank in wrong[:_ENOUGH]:
        yield Broken(
            message="La modalité est absente ou vide.",
            expected="une valeur",
            where=_at(rank, "0008,0060"),
        )


@RESPONSE.rule(
    "WADO-116",
    "L'INS ajouté porte son type et celui de son autorité",
    reference=dicomweb("8.7.3, PS3.3 C.7.1.1"),
    requirements=("DB.SO.39",),
    bad=lambda: example.response([example.instance(1, id_type=""), example.instance(2)]),
)
def typed_ins(wado: WadoResponse) -> Findings:
    wrong = []
    for rank, file in wado.files:
        for item in file.data.items(0x00101002):
            if item.text(0x00100022) not in _PATIENT_ID_TYPES:
                found = (item.text(0x00100022), "0010,1002/0010,0022")
                wrong.append((rank, " | ".join(_PATIENT_ID_TYPES), *found))
            wrong += [
                (rank, "ISO", one.text(0x00400033), "0010,1002/0010,0024/0040,0033")
                for one in _ins_authorities(item)
                if one.text(0x00400033) != "ISO"
            ]
    for rank, expected, actual, path in wrong[:_ENOUGH]:
        yield Broken(
            message="Le type de l'identifiant, ou celui de son autorité, manque ou est inconnu.",
            expected=expected,
            actual=actual,
            where=_at(rank, path),
        )


def _ins_authorities(item: DataSet) -> list[DataSet]:
    return [one for one in item.items(0x00100024) if one.text(0x00400032) in INS_AUTHORITIES]


@RESPONSE.rule(
    "WADO-125",
    "La classe d'un objet est celle que le KOS annonce",
    reference=dicomweb("8.7.3, PS3.3 table 10-11"),
    given=Context(kos=kos.kos()),
    bad=lambda: example.response([example.instance(1).replace(_CT.encode(), _MR.encode())]),
)
def class_of_manifest(wado: WadoResponse) -> Findings:
    manifest = expected_kos(wado.context)
    if manifest is None:
        return
    classes = {one.instance: one.sop_class for one in manifest.references()}
    wrong = [
        (rank, file, classes[file.data.text(0x00080018)])
        for rank, file in wado.files
        if classes.get(file.data.text(0x00080018), file.data.text(0x00080016))
        != file.data.text(0x00080016)
    ]
    for rank, file, expected in wrong[:_ENOUGH]:
        yield Broken(
            message="Le KOS annonce cette instance sous une autre classe.",
            expected=expected,
            actual=file.data.text(0x00080016),
            where=_at(rank, "0008,0016"),
        )
