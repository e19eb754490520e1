"""What a profile names among the points that texts leave open: the judges then demand it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Demands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The values that a product says are its own. What is None or empty is not demanded.

    Attributes:
        image_hosts: hosts that a RetrieveURL may name.
        viewer_hosts: hosts that a link to the viewer may name.
        schemes: schemes of both, in lower case.
        pdfa: levels of PDF/A that a report may claim (`1B`, `3A`).
        kos_transfer_syntax: UID.
        author: of the manifest's entry, `drimbox` or `professional`.
        study_uid_authority: CX.4 of the study's reference; "" demands that there is none.
        event_code_scheme: `value_set` or `code_system`.
        lot_algorithm, signature_algorithm: `rsa-sha1` or `rsa-sha256`.
        vihf_version: `3.0` or `4.0`.

    Except for the first four, names and values are those of `spec/options.toml`.
    """

    image_hosts: tuple[str, ...] = ()
    viewer_hosts: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    pdfa: tuple[str, ...] = ()
    kos_transfer_syntax: str | None = None
    author: str | None = None
    study_uid_authority: str | None = None
    event_code_scheme: str | None = None
    lot_algorithm: str | None = None
    signature_algorithm: str | None = None
    vihf_version: str | None = None

    def names(self, field: str) -> bool:
        """Whether a value is demanded for that attribute; no attribute is named ""."""
        return bool(field) and getattr(self, field) not in (None, ())
