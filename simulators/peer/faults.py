"""What another Source can do wrong, handshake by handshake and request by request."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from simulators.peer.hostile import TRAPS
from wire.faults import FaultKind, Parameter, cut_after, delay, slow
from wire.http_faults import certificate, redirection, status

__all__ = ["MENU", "TLS", "WADO", "Written"]

TLS: Final = "TLS"
WADO: Final = "WADO-RS"
_ON: Final = (WADO,)
_MIB = Parameter(
    name="mio", words="jusqu'à", default=1024, unit="Mio", low=1, high=1_000_000,
)  # fmt: skip


class Written(StrEnum):
    """What is written of the boundary that the parts are separated by."""

    OTHER = "autre"
    NONE = "absente"


MENU: Final = (
    certificate(TLS),
    status(
        _ON,
        words="répond par ce code HTTP, sans image",
        meaning="answers by this HTTP status, without images",
    ),
    redirection(_ON, other_host="un autre hôte, absent de la liste blanche"),
    FaultKind(
        name="fermeture",
        words="ferme la connexion sans répondre",
        meaning="closes the connection without an answer",
        services=_ON,
    ),
    FaultKind(
        name="tronquee",
        words="finit sa réponse sans la frontière finale",
        meaning="ends its answer without the closing boundary",
        services=_ON,
    ),
    FaultKind(
        name="frontiere",
        words="annonce une autre frontière que celle qu'elle écrit, ou aucune",
        meaning="announces another boundary than it writes, or none",
        services=_ON,
        parameters=(
            Parameter(
                name="annonce",
                words="frontière annoncée",
                default=Written.OTHER.value,
                choices={Written.OTHER: "une autre", Written.NONE: "aucune"},
            ),
        ),
    ),
    FaultKind(
        name="type",
        words="rend une page sous un type de contenu qui n'a pas été demandé",
        meaning="returns a page of a content type that was not asked for",
        services=_ON,
        parameters=(
            Parameter(
                name="nom",
                words="Content-Type",
                default="text/html",
                choices={
                    "text/html": "une page HTML",
                    "application/json": "un objet JSON",
                    "application/octet-stream": "des octets",
                },
            ),
        ),
    ),
    FaultKind(
        name="en-trop",
        words="ajoute à la série une image que le KOS ne référence pas",
        meaning="adds an image to the series that the KOS does not reference",
        services=_ON,
    ),
    FaultKind(
        name="manquante",
        words="ne rend pas la dernière image de la série",
        meaning="leaves out the last image of the series",
        services=_ON,
    ),
    FaultKind(
        name="double",
        words="rend chaque image deux fois",
        meaning="returns each image twice",
        services=_ON,
    ),
    FaultKind(
        name="syntaxe",
        words="rend les images en Implicit VR Little Endian, qui n'est jamais demandé",
        meaning="returns images in Implicit VR Little Endian, which nobody asks for",
        services=_ON,
    ),
    FaultKind(
        name="sop-class",
        words="rend des objets d'une SOP Class privée",
        meaning="returns objects of a private SOP Class",
        services=_ON,
    ),
    FaultKind(
        name="sans-fin",
        words="rend une image qui ne finit pas",
        meaning="returns an image that does not end",
        services=_ON,
        parameters=(_MIB,),
    ),
    FaultKind(
        name="bombe",
        words="comprime sa réponse (Content-Encoding: gzip), mille fois plus grande ouverte",
        meaning="compresses its answer (Content-Encoding: gzip), a thousand times larger inside",
        services=_ON,
        parameters=(_MIB,),
    ),
    FaultKind(
        name="piege",
        words="rend des fichiers DICOM piégés",
        meaning="returns DICOM files that are traps",
        services=_ON,
        parameters=(
            Parameter(
                name="fichier",
                words="piège",
                default="executable",
                choices={name: words for name, (words, _) in TRAPS.items()},
            ),
        ),
    ),
    FaultKind(
        name="en-tetes",
        words="répond par des en-têtes démesurés",
        meaning="answers with oversized headers",
        services=_ON,
        parameters=(Parameter(name="mio", words="taille", default=8, unit="Mio", low=1, high=256),),
    ),
    delay(_ON, words="attend avant de répondre", meaning="waits before answering"),
    slow(_ON, words="répond par une liaison lente", meaning="answers through a slow line"),
    cut_after(
        _ON,
        words="coupe la connexion après tant d'octets",
        meaning="resets the connection after so many bytes",
    ),
)
"""Every fault, and the services that it can strike: the handshake, and the retrieval of a
series."""
