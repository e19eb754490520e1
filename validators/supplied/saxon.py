"""XSLT 3 by SaxonC-HE (the `schematron` extra), closed: what it runs reads and writes nothing.

Not one file, address, environment variable or foreign function is within its reach: the engine
refuses them itself, whatever the stylesheet writes. The documents that a schema may consult are
handed to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from saxonche import PySaxonApiError, PySaxonProcessor, PyXsltExecutable

from validators.supplied.schema import SchemaError
from validators.supplied.stylesheet import FILES, place_of_line

__all__ = ["Transform", "engine"]

_CLOSED = {
    "http://saxon.sf.net/feature/allowedProtocols": "",
    "http://saxon.sf.net/feature/allow-external-functions": "off",
    "http://saxon.sf.net/feature/disableXslEvaluate": "true",
}
_PLACE = re.compile(
    r"(?: (?:in|at) kit-xsl:[\w-]+(?:/@[\w-]+)?)?(?: on line \d+)(?: column \d+)?(?: of \S+)?"
)
_START = "{urn:drimbench:schematron}start"


@cache
def engine() -> PySaxonProcessor:
    """The engine of the process: it takes a fifth of a second to start."""
    processor = PySaxonProcessor(license=False)
    for name, value in _CLOSED.items():
        processor.set_configuration_property(name, value)
    return processor


class Transform:
    """A compiled stylesheet and the documents that it may consult.

    Raises:
        SchemaError: an expression that the engine refuses, or a document that is not XML.
    """

    def __init__(self, stylesheet: str, documents: Mapping[str, str]) -> None:
        processor = engine()
        try:
            compiled = processor.new_xslt30_processor().compile_stylesheet(
                stylesheet_text=stylesheet
            )
            known = {name: processor.parse_xml(xml_text=text) for name, text in documents.items()}
            if known:
                compiled.set_parameter(FILES, processor.make_map2(known))
        except PySaxonApiError as error:
            raise SchemaError(_told(error, stylesheet)) from None
        self._compiled: PyXsltExecutable = compiled

    def __call__(self, document: str) -> str:
        """What the stylesheet makes of a document, both as text.

        Raises:
            SchemaError: it stopped.
        """
        try:
            self._compiled.set_initial_mode(_START)
            node = engine().parse_xml(xml_text=document)
            return str(self._compiled.transform_to_string(xdm_node=node))
        except PySaxonApiError as error:
            raise SchemaError(_told(error)) from None


def _told(error: PySaxonApiError, stylesheet: str = "") -> str:
    """The engine's words, with the place in the schema rather than in our stylesheet."""
    text = str(error).strip()
    line = re.search(r"on line (\d+) column \d+ of ", text)
    place = place_of_line(stylesheet, int(line[1])) if line else ""
    words = " ".join(_PLACE.sub("", text).replace("kit-sch:", "").split())
    return f"{place} : {words}" if place else words
