"""What only a program or a person can do: images taken out of a native product's PACS, or of the
site's; an archive imported or exported.

DICOM has no message by which a modality takes back what it sent, and who may remove images in a
PACS is its own affair: the bench asks, the product by `[source] changes`, the site's real PACS by
`[source] pacs_changes`.

The program is called with an action and identifiers, and exits with 0 once it is done:

    PROGRAM remove-instance STUDY SERIES INSTANCE
    PROGRAM remove-study    STUDY
    PROGRAM import-xdm      FILE
    PROGRAM export-xdm      FOLDER
    PROGRAM resync          STUDY
    PROGRAM send            STUDY SERIES INSTANCE AE

`import-xdm` is asked of a Source that starts from preloaded KOS (`bench.preloading`); `export-xdm`
writes the Source's whole local archive to that folder, as XDM in one or more ZIP files; `resync`
begins a resynchronisation with the PACS, of that exam alone or of all (DB.SO.28); `send` has the
site's PACS send an object that it holds by C-STORE. A site's PACS is asked for `remove-…` and
`send` alone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.outcomes import CannotVerify, NotSendable

__all__ = ["ByHand", "ByProgram", "Changes", "by_hand"]

_WORDS = 400
"""How much of what a program printed is told."""


class ByHand(Exception):
    """Nobody but a person can do it; the text says what is to be done, in French."""


Changes = Callable[[str, Sequence[str]], None]
"""Carries out an action on identifiers.

Raises:
    ByHand: a person is to do it.
    CannotVerify, NotSendable: it was not done.
"""


def by_hand(action: str, identifiers: Sequence[str]) -> None:
    """Without a program.

    Raises:
        ByHand: always.
    """
    told = {
        "remove-instance": "retirer du PACS du produit l'image {2} (examen {0}, série {1})",
        "remove-study": "retirer du PACS du produit l'examen {0}",
        "export-xdm": "exporter l'archive locale de la Source en XDM (ZIP) dans le dossier {0}",
        "resync": "lancer la resynchronisation de la Source avec le PACS (examen {0}, ou tous)",
        "import-xdm": "importer dans la Source l'archive XDM {0}",
    }[action]
    raise ByHand(told.format(*identifiers))


@dataclass(frozen=True, slots=True)
class ByProgram:
    """The vendor's program, or the site's, waited for; `key` is what the profile calls it."""

    command: tuple[str, ...]
    timeout: float
    key: str = "source.changes"

    def __call__(self, action: str, identifiers: Sequence[str]) -> None:
        """Run it.

        Raises:
            NotSendable: it cannot be started.
            CannotVerify: it says that it failed, or does not end in time.
        """
        asked = " ".join((action, *identifiers))
        try:
            done = subprocess.run(
                [*self.command, action, *identifiers],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.timeout,
                check=False,
            )
        except OSError as error:
            raise NotSendable(
                f"{self.key} : « {self.command[0]} » ne se lance pas ({error.strerror})"
            ) from None
        except subprocess.TimeoutExpired:
            raise CannotVerify(f"{self.key} : {asked} n'a pas fini en {self.timeout:g} s") from None
        if done.returncode != 0:
            said = done.stdout.decode(errors="replace").strip()[-_WORDS:]
            raise CannotVerify(f"{self.key} : {asked} : code {done.returncode} : {said}")
