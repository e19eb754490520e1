"""The child process of `styling`: a self-presenting document on stdin, its HTML on stdout.

Run by its path and isolated, so it imports nothing of the project. Exit code 0, or 1 and a French
sentence on stderr.
"""

from __future__ import annotations

import sys

from lxml import etree

_XSL = "http://www.w3.org/1999/XSL/Transform"
_FORBIDDEN = frozenset(f"{{{_XSL}}}{name}" for name in ("import", "include"))
_RIGHTS = ("read_file", "write_file", "create_dir", "read_network", "write_network")
_SECONDS = 10
_MEMORY = 768 * 1024 * 1024
_MOST = 32 * 1024 * 1024
"""Bytes of HTML."""


def main() -> None:
    """Transform the document by itself."""
    _confine()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    document = etree.fromstring(sys.stdin.buffer.read(), parser)
    if document.getroottree().docinfo.internalDTD is not None:
        raise ValueError("déclaration DOCTYPE refusée")
    for element in document.iter(*_FORBIDDEN):
        raise ValueError(f"{etree.QName(element).localname} refusé")
    nothing = etree.XSLTAccessControl(**dict.fromkeys(_RIGHTS, False))
    transform = etree.XSLT(document, access_control=nothing)
    html = etree.tostring(transform(document), method="html", encoding="UTF-8")
    if len(html) > _MOST:
        raise ValueError(f"plus de {_MOST} octets")
    sys.stdout.buffer.write(html)


def _confine() -> None:
    if sys.platform == "win32":
        raise ValueError("cette plate-forme ne sait pas limiter un processus")
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    try:
        main()
    except (etree.Error, ValueError, MemoryError, TypeError) as error:
        sys.exit(str(error) or type(error).__name__)
