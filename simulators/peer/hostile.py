"""Files that a Source may serve in place of images: malformed, lying, or carrying a program.

Each is made of a true image: UIDs, header and length of the part stay right, the trap comes after.

Réf.: DICOM PS3.10 7.1 and 7.5 (preamble, files that are two things), PS3.5 7.1.1 and 7.5
(lengths, items), PS3.3 C.7.6.3 (pixels), PS3.5 6.1 (character sets); security catalogue, DIC-07
to DIC-09.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from protocols.dicom import encode_element, is_implicit, replace_elements
from simulators.peer.offers import Image

__all__ = ["MARKUP", "TRAPS", "trapped"]

_PREAMBLE: Final = 128
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_BOMB_MIB: Final = 256
_DEEP: Final = 10_000
_CREATOR, _SCRIPT = 0x00090010, 0x00091001
_SCRIPTED, _IMAGE = b"<script>document.title='KIT-INJECTE'</script>", b"<img src=x onerror=kit()>"
MARKUP: Final = (_SCRIPTED.decode(), _IMAGE.decode())
"""What no page may have but escaped."""
_CHARSET, _NAME, _DESCRIPTION = 0x00080005, 0x00100010, 0x0008103E
_FRAMES, _ROWS, _COLUMNS = 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH = 0x00280100, 0x00280101, 0x00280102
_SEQUENCE: Final = struct.pack("<HH2sHI", 0x7FE1, 0x1002, b"SQ", 0, 0xFFFFFFFF)
_ITEM: Final = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
_NO_MORE: Final = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)


def _with(image: Image, *elements: tuple[int, str, bytes]) -> Image:
    implicit = is_implicit(image.transfer_syntax)
    written = {
        tag: encode_element(tag, vr, value + b" " * (len(value) % 2), implicit=implicit)
        for tag, vr, value in elements
    }
    dataset = replace_elements(
        image.dataset, transfer_syntax=image.transfer_syntax, elements=written
    )
    return replace(image, dataset=dataset)


def _after(image: Image, more: bytes) -> bytes:
    return replace(image, dataset=image.dataset + more).file()


def _executable(image: Image) -> bytes:
    start = b"MZ" + b"\0" * 58 + struct.pack("<I", _PREAMBLE)
    return start.ljust(_PREAMBLE, b"\0") + image.file()[_PREAMBLE:]


def _page(image: Image) -> bytes:
    return (b"<html>" + _SCRIPTED + b"<!--").ljust(_PREAMBLE) + image.file()[_PREAMBLE:]


def _not_dicom(image: Image) -> bytes:
    file = image.file()
    return file[:_PREAMBLE] + b"KIT!" + file[_PREAMBLE + 4 :]


def _cut(image: Image) -> bytes:
    return image.file()[:-1000]


def _too_long(image: Image) -> bytes:
    return _after(image, struct.pack("<HH2sHI", 0x7FE1, 0x1001, b"OB", 0, 0x7FFFFFFE) + b"\0" * 64)


def _unclosed(image: Image) -> bytes:
    return _after(image, _SEQUENCE + _ITEM)


def _nested(image: Image) -> bytes:
    return _after(image, (_SEQUENCE + _ITEM) * _DEEP + _NO_MORE * _DEEP)


def _bomb(image: Image) -> bytes:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    header = struct.pack("<HH2sHI", 0x7FE1, 0x1001, b"OB", 0, _BOMB_MIB << 20)
    start = squeeze.compress(image.dataset + header) + squeeze.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing looks back: one mebibyte of zeros is squeezed once, not 256 times
    # on the loop that every service of the bench shares.
    zeros = squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    body = start + zeros * _BOMB_MIB + squeeze.flush()
    return replace(image, transfer_syntax=_DEFLATED, dataset=body).file()


def _program(image: Image) -> bytes:
    return _with(image, (_CREATOR, "LO", b"KIT"), (_SCRIPT, "LT", _SCRIPTED)).file()


def _short(value: int) -> bytes:
    return struct.pack("<H", value)


def _immense(image: Image) -> bytes:
    return _with(image, (_ROWS, "US", _short(65535)), (_COLUMNS, "US", _short(65535))).file()


def _many(image: Image) -> bytes:
    return _with(image, (_FRAMES, "IS", b"1000000000")).file()


def _bits(image: Image) -> bytes:
    bits = ((_ALLOCATED, "US", _short(8)), (_STORED, "US", _short(16)), (_HIGH, "US", _short(99)))
    return _with(image, *bits).file()


def _no_pixels(image: Image) -> bytes:
    return _with(image, (_ROWS, "US", _short(0)), (_COLUMNS, "US", _short(0))).file()


def _unknown_charset(image: Image) -> bytes:
    return _with(image, (_CHARSET, "CS", b"KIT_IR 999"), (_NAME, "PN", b"\xe9\xff^\x80")).file()


def _unbalanced(image: Image) -> bytes:
    charset = (_CHARSET, "CS", b"ISO 2022 IR 6\\ISO 2022 IR 87")
    return _with(image, charset, (_NAME, "PN", b"\x1b$BKIT^\x1b\x1b$)C=\x1b(")).file()


def _markup(image: Image) -> bytes:
    text = (
        (_NAME, "PN", _SCRIPTED + b"^A^B^C^D^E"),
        (_DESCRIPTION, "LO", b"<img src=x onerror=kit()>"),
    )
    return _with(image, *text).file()


TRAPS: Final[Mapping[str, tuple[str, Callable[[Image], bytes]]]] = {
    "executable": ("un préambule de programme (MZ)", _executable),
    "page": ("un préambule de page HTML", _page),
    "prefixe": ("le préfixe DICM absent", _not_dicom),
    "coupe": ("mille octets manquent à la fin", _cut),
    "longueur": ("une longueur au-delà de la fin du fichier", _too_long),
    "non-fermee": ("une séquence qui n'est pas fermée", _unclosed),
    "imbrication": ("dix mille séquences l'une dans l'autre", _nested),
    "deflate": ("256 Mio de zéros sous Deflated Explicit VR", _bomb),
    "programme": ("un script dans un élément privé", _program),
    "immense": ("65 535 lignes et colonnes annoncées", _immense),
    "milliard": ("un milliard d'images annoncées", _many),
    "bits": ("plus de bits utiles que de bits alloués", _bits),
    "vide": ("zéro ligne et zéro colonne annoncées", _no_pixels),
    "charset": ("un jeu de caractères inconnu", _unknown_charset),
    "iso-2022": ("des échappements ISO 2022 bancals", _unbalanced),
    "balises": ("des balises dans PatientName et SeriesDescription", _markup),
}
"""Name -> what it is, in French; how it is made of an image."""


def trapped(image: Image, trap: str) -> bytes:
    """The file of that image under that trap.

    Raises:
        KeyError: there is none of that name.
    """
    return TRAPS[trap][1](image)
