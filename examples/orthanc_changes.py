"""What the bench asks of a site's PACS that is an Orthanc, done by its REST API.

    [source]
    pacs_changes = ["{python}", "examples/orthanc_changes.py", "http://127.0.0.1:8042"]

The AE titles to which it sends are those of its own `DicomModalities`.

Réf.: Orthanc Book, "REST API of Orthanc" (tools/find, DELETE, modalities/…/store), grade: standard.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

_LEVELS = {"Study": "StudyInstanceUID", "Series": "SeriesInstanceUID", "Instance": "SOPInstanceUID"}
_TIMEOUT_S = 30
_OPENER = build_opener(ProxyHandler({}))
"""A PACS of the site: no proxy leads to it."""


class Refused(Exception):
    """Orthanc did not do it; the text says why, in French."""


def main(arguments: list[str]) -> int:
    """`URL ACTION IDENTIFIERS…`; 0 once it is done, 1 when it is not, 64 when it is unknown."""
    match arguments:
        case [root, "remove-study", study]:
            action = _remove, (root, "Study", study)
        case [root, "remove-instance", _, _, instance]:
            action = _remove, (root, "Instance", instance)
        case [root, "send", _, _, instance, title]:
            action = _send, (root, instance, title)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 64
    try:
        action[0](*action[1])
    except (Refused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _remove(root: str, level: str, uid: str) -> None:
    kind = {"Study": "studies", "Instance": "instances"}[level]
    _call("DELETE", f"{root}/{kind}/{_known(root, level, uid)}")


def _send(root: str, instance: str, title: str) -> None:
    modalities = _call("GET", f"{root}/modalities?expand")
    names = [name for name, one in modalities.items() if one["AET"] == title]
    if not names:
        raise Refused(f"Orthanc ne connaît pas {title} (DicomModalities)")
    known = _known(root, "Instance", instance)
    _call("POST", f"{root}/modalities/{quote(names[0])}/store", known)


def _known(root: str, level: str, uid: str) -> str:
    """Orthanc's own identifier of what has that UID."""
    found = _call("POST", f"{root}/tools/find", {"Level": level, "Query": {_LEVELS[level]: uid}})
    if len(found) != 1:
        raise Refused(f"Orthanc tient {len(found)} objet(s) d'identifiant {uid}, 1 attendu")
    return str(found[0])


def _call(method: str, url: str, content: object = None) -> Any:
    """What Orthanc answers, from JSON.

    Raises:
        Refused: it says no, or does not answer.
    """
    body = None if content is None else json.dumps(content).encode()
    request = Request(url, data=body, method=method)
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            return json.loads(answer.read() or b"null")
    except HTTPError as error:
        raise Refused(f"{method} {url} : HTTP {error.code} : {_why(error)}") from None
    except URLError as error:
        raise Refused(f"{method} {url} : {error.reason}") from None


def _why(error: HTTPError) -> str:
    said = error.read().decode(errors="replace")
    try:
        told = json.loads(said)
    except ValueError:
        return said[:200]
    return str(told.get("Details") or told.get("Message") or "") if isinstance(told, dict) else said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
