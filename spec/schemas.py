"""The XML schemas of this project (`xsd/` beside this file), compiled from the package's files."""

from __future__ import annotations

from functools import cache
from importlib import resources

from lxml import etree

__all__ = ["registry_object_order", "xds_messages"]

_XS = "{http://www.w3.org/2001/XMLSchema}"


def xds_messages() -> etree.XMLSchema:
    """The schema of every message of XDS.b, requests and answers.

    A new object each time, for a millisecond: validating fills the object's error log, which
    threads must not share.
    """
    return etree.XMLSchema(_read("xds.xsd"))


@cache
def registry_object_order() -> tuple[str, ...]:
    """Local names of the elements of a registry object, in the order that ebRIM demands."""
    group = _read("rim.xsd").find(f"{_XS}group[@name='described']")
    assert group is not None
    names = [one.get("name") or one.get("ref") or "" for one in group.iter(f"{_XS}element")]
    return tuple(name.rpartition(":")[2] for name in names)


def _read(name: str) -> etree._ElementTree:
    with resources.as_file(resources.files("spec").joinpath("xsd")) as folder:
        return etree.parse(str(folder / name), etree.XMLParser(no_network=True))
