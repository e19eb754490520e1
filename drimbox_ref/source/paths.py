"""What the path of a request names: a DICOMweb resource of this service, or nothing that it has.

Réf. PS3.18 10.4 (retrieve), 9.1 (UIDs), grade: standard.
"""

from __future__ import annotations

from protocols.dicomweb import Resource, parse_path

__all__ = ["RetrievePaths"]


class RetrievePaths:
    """`Paths` that correct nothing: a UID that is none is no name of anything."""

    def read(self, path: str) -> Resource:
        """The resource.

        Raises:
            RemoteProtocolError: not a retrieve path, or a UID that is not one.
        """
        return parse_path(path)
