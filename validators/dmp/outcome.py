"""What every registry's answer says of its outcome: a status, and errors that agree with it."""

from __future__ import annotations

from collections.abc import Callable

from protocols.ebrim import RegistryError
from spec.xds import ErrorCode, ResponseStatus
from spec.xds import Severity as ErrorSeverity
from validators.dmp.reading import Message
from validators.finding import Severity
from validators.rule import Broken, RuleSet
from validators.xds.rules import Findings, iti

__all__ = ["outcome_rules"]

Make = Callable[..., bytes]
"""Makes an example answer of a `status` and `errors`."""

_ERRORS = iti("Vol. 3, 4.2.4")
_OTHER_CODES = frozenset(
    {
        "XDSMissingHomeCommunityId",
        "XDSUnknownCommunity",
        "XDSUnavailableCommunity",
        "XDSMetadataIdentifierError",
        "XDSPatientIDReconciliationError",
        "XDSObjectTypeError",
        "UnmodifiableMetadataError",
        "XDSInvalidRequestException",
        "XDSRegistryNotAvailable",
        "XDSRegistryOutOfResources",
        "XDSRepositoryOutOfResources",
        "XDSReplaceFailed",
    }
)
"""Codes that IHE lists and that the bench never raises itself."""
_PARTS = ("errorCode", "severity")
_DOCUMENT = RegistryError(code=ErrorCode.DOCUMENT_UNIQUE_ID, context="Document inconnu")


def outcome_rules(
    rules: RuleSet, prefix: str, make: Make, *, partial: bool, root: str = "/"
) -> None:
    """Register the rules 110 to 113 of an answer.

    Args:
        partial: whether PartialSuccess is an outcome of the transaction.
        root: where the answer stands in the body, for the places of findings.
    """
    known = [ResponseStatus.SUCCESS, ResponseStatus.FAILURE]
    known += [ResponseStatus.PARTIAL_SUCCESS] if partial else []

    @rules.rule(
        f"{prefix}-110",
        "Le statut de la réponse est connu",
        reference=_ERRORS,
        bad=lambda: make(status="Success"),
    )
    def status(message: Message) -> Findings:
        if message.status not in known:
            yield Broken(
                message="Ce statut de réponse est inconnu.",
                expected=" | ".join(known),
                actual=message.status,
                where=f"{root}@status",
            )

    @rules.rule(
        f"{prefix}-111",
        "Le statut et les erreurs se répondent",
        reference=_ERRORS,
        bad=lambda: make(status=ResponseStatus.FAILURE),
    )
    def agreement(message: Message) -> Findings:
        serious = [one for one in message.errors if one.get("severity", "").endswith(":Error")]
        if message.status == ResponseStatus.FAILURE and not serious:
            yield Broken(
                message="Un échec sans erreur n'explique rien.",
                expected="RegistryError",
                actual=str(len(message.errors)),
                where=f"{root}RegistryErrorList",
            )
        if message.status == ResponseStatus.SUCCESS and serious:
            yield Broken(
                message="Un succès ne porte pas d'erreur.",
                expected="aucune, ou des avertissements",
                actual=" ".join(one.get("errorCode", "") for one in serious),
                where=f"{root}RegistryErrorList",
            )

    @rules.rule(
        f"{prefix}-112",
        "Chaque erreur a un code et une gravité connue",
        reference=_ERRORS,
        bad=lambda: make(
            status=ResponseStatus.FAILURE, errors=[RegistryError(code="", context="refus")]
        ),
    )
    def complete(message: Message) -> Findings:
        for one in message.errors:
            if not one.get("errorCode") or one.get("severity", ErrorSeverity.ERROR) not in list(
                ErrorSeverity
            ):
                yield Broken(
                    message="Cette erreur est incomplète.",
                    expected="errorCode, severity",
                    actual=", ".join(f"{name}={one.get(name, '')}" for name in _PARTS),
                    where=f"{root}RegistryErrorList/RegistryError",
                )

    @rules.rule(
        f"{prefix}-113",
        "Les codes d'erreur sont ceux d'IHE",
        reference=iti("Vol. 3, table 4.2.4.1-2"),
        severity=Severity.WARNING,
        good=lambda: make(status=ResponseStatus.FAILURE, errors=[_DOCUMENT]),
        bad=lambda: make(
            status=ResponseStatus.FAILURE, errors=[RegistryError(code="KIT-Refus", context="?")]
        ),
    )
    def codes(message: Message) -> Findings:
        for one in message.errors:
            code = one.get("errorCode", "")
            # The DMP has codes of its own, in a guide that is not public.
            if code and code not in list(ErrorCode) and code not in _OTHER_CODES:
                yield Broken(
                    message="Ce code n'est pas d'IHE.",
                    actual=code,
                    where=f"{root}RegistryErrorList/RegistryError/@errorCode",
                )
