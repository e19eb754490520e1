"""The viewer link: how a report leads to the images of a Source.

Source: draft requirement DB.VI_SO.07, after IHE IID, grade `draft`; the demonstrator writes the
same. Section 4.2.2 of the viewer specification, which is the normative text, is not public.
"""

from __future__ import annotations

__all__ = ["HOST_PREFIX", "PARAMETERS", "PATH", "REQUEST_TYPE"]

PATH = "/IHEInvokeImageDisplay"
REQUEST_TYPE = "STUDY"
PARAMETERS = ("requestType", "studyUID", "accessionNumber", "idCDA")
"""All four, in the order of the grammar."""
HOST_PREFIX = "vi"
"""Viewers are served on `vi<N>.…` (white list; grade `sample`)."""
