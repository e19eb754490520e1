"""Schemas that the user supplies (XSD, Schematron): judged beside our rules, never in their place.

The official files belong to whoever publishes them: none is in this project. They are read inside
one folder, without network, and what they say of a document is findings like any other.
"""

from validators.supplied.schema import Load, Schema, SchemaError
from validators.supplied.subject import XML_KINDS, subject

__all__ = ["XML_KINDS", "Load", "Schema", "SchemaError", "subject"]
