"""A mail of MSSanté that carries a report, as its reader opens it.

Réf.: REM RIS MSS/CONF.23 (an XDM archive and the same documents as PDF/A-1), grade: draft; IHE ITI
TF Vol. 2, 3.32 (layout of the archive), grade: standard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import SMTP
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from protocols import ebrim, xml
from protocols.errors import RemoteProtocolError

__all__ = ["Mail", "Mailbox"]

_ARCHIVE = "IHE_XDM.ZIP"
_FOLDER = "IHE_XDM/SUBSET01"
_METADATA = "METADATA.XML"
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its reader opens it."""

    data: bytes = field(repr=False)

    @property
    def recipient(self) -> str:
        """To whom it is."""
        return str(message_from_bytes(self.data, policy=SMTP)["To"])

    def documents(self) -> tuple[bytes, ...]:
        """The documents that the metadata of its archive name.

        Raises:
            RemoteProtocolError: no archive, a broken one, or one whose metadata name no file of it.
        """
        attached = {
            (part.get_filename() or "").upper(): part.get_content()
            for part in message_from_bytes(self.data, policy=SMTP).iter_attachments()
        }
        data = attached.get(_ARCHIVE)
        if not isinstance(data, bytes):
            raise RemoteProtocolError(f"le courriel n'a pas de pièce jointe {_ARCHIVE}")
        try:
            with ZipFile(BytesIO(data)) as archive:
                if sum(one.file_size for one in archive.infolist()) > _LARGEST:
                    raise RemoteProtocolError("archive démesurée")
                metadata = ebrim.parse_submit(xml.parse(archive.read(f"{_FOLDER}/{_METADATA}")))
                names = [name for entry in metadata.entries for name in entry.uri]
                return tuple(archive.read(f"{_FOLDER}/{name}") for name in names)
        except (BadZipFile, KeyError) as error:
            raise RemoteProtocolError(f"archive {_ARCHIVE} illisible : {error}") from error


class Mailbox:
    """What one address was sent, the oldest first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.mails: list[Mail] = []

    def deliver(self, data: bytes) -> None:
        """Hold a mail.

        Raises:
            ValueError: it is to somebody else.
        """
        mail = Mail(data)
        if mail.recipient.casefold() != self.address.casefold():
            raise ValueError(f"un courriel pour {mail.recipient} n'est pas pour {self.address}")
        self.mails.append(mail)
