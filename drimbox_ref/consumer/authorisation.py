"""TD0.3: a professional declares that the patient gave him access to the DMP.

Réf.: `setAuthorization` of the GIE SESAM-Vitale examples and WSDL, grade: sample. The draft dropped
TD0.3 for a Consumer and a third-party client offers it on EXPIRE and NON_EXISTE: an option, off.
"""

from __future__ import annotations

from lxml import etree

from drimbox_ref.consumer.behalf import BehalfChannel
from drimbox_ref.consumer.values import Behalf
from drimbox_ref.dmp import PeerUnavailable, Rejected
from spec.dmp import HABILITATION_ACTION, HABILITATION_NAMESPACE, HABILITATION_OK

__all__ = ["DmpAuthorisation"]

_NS = f"{{{HABILITATION_NAMESPACE}}}"


class DmpAuthorisation:
    """Declares authorisations."""

    def __init__(self, channel: BehalfChannel) -> None:
        self._channel = channel

    async def declare(self, behalf: Behalf, assertion: etree._Element) -> None:
        """Have this professional's structure authorised; the patient is the VIHF's."""
        demand = etree.Element(f"{_NS}setAuthorization", nsmap={"hab": HABILITATION_NAMESPACE})
        etree.SubElement(demand, f"{_NS}action").text = "AJOUT"
        answer = await self._channel.call(
            "habilitations",
            HABILITATION_ACTION,
            demand,
            behalf=behalf,
            assertion=assertion,
            transaction="TD0.3",
        )
        output = next((one for one in answer.body.iter() if _local(one) == "output"), None)
        said = {_local(one): (one.text or "").strip() for one in (() if output is None else output)}
        if "status" not in said:
            raise PeerUnavailable("TD0.3 : réponse sans statut")
        if said["status"].casefold() != HABILITATION_OK.casefold():
            raise Rejected(said.get("context") or said["status"], [said["status"]])


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
