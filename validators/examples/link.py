"""An example viewer link that is right, and edits that spoil it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ACCESSION", "DOCUMENT", "STUDY", "link"]

_LOCAL = "1.2.250.1.999.1.1.8121"
STUDY = f"{_LOCAL}.5.1"
ACCESSION = "ACN900"
DOCUMENT = f"{_LOCAL}.2.1"
_VALUES = {
    "requestType": "STUDY",
    "studyUID": STUDY,
    "accessionNumber": ACCESSION,
    "idCDA": DOCUMENT,
}


def link(
    *,
    base: str = "https://vi900.test.mesimagesmedicales.fr/IHEInvokeImageDisplay",
    names: Sequence[str] = tuple(_VALUES),
    extra: str = "",
    **values: str,
) -> bytes:
    """The link with those parameters, in that order, then `extra` as it is."""
    written = {**_VALUES, **values}
    query = "&".join(f"{name}={written[name]}" for name in names)
    return f"{base}?{query}{extra}".encode()
