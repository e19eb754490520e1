"""Specific Character Set (0008,0005): which codec reads and writes the texts of a data set.

Source: PS3.3 C.12.1.1.2. Code extensions (ISO 2022) are read with their first character set.
"""

from __future__ import annotations

__all__ = ["CODECS", "codec_of"]

CODECS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 166": "iso8859-11",
    "ISO_IR 192": "utf-8",
    "ISO_IR 203": "iso8859-15",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


def codec_of(specific_character_set: str) -> str:
    """The Python codec of a Specific Character Set value, `latin-1` when it is unknown.

    Latin-1 decodes any byte, so that a text in an undeclared set is shown rather than lost.
    """
    first = specific_character_set.split("\\")[0].strip(" \0").replace("ISO 2022 IR", "ISO_IR")
    codec = CODECS.get(first, "latin-1")
    return "latin-1" if codec == "ascii" else codec
