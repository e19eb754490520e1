"""ITI-18, the request: a search of the DMP (TD3.1a) or of one reference (TD3.1b)."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from protocols.ebrim import Parameter
from protocols.xml import NS
from spec.grade import Grade, Reference
from spec.imaging_metadata import (
    CCAM,
    MODALITIES,
    MODALITY_SYSTEMS,
    REFERENCE_TYPES_DMP,
    REGION_SYSTEMS,
    REGIONS,
)
from spec.vihf import AttributeName, AuthenticationMode
from spec.xds import Action, Query, Status
from validators.dmp.addressing import GIE_RIGHTS, request_rules
from validators.dmp.parameters import (
    DMP_QUERIES,
    KNOWN,
    Slot,
    is_coded,
    is_list,
    is_time,
    slots_of,
)
from validators.dmp.reading import Message, request
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples import vihf as assertion
from validators.examples.xds import edit, remove
from validators.finding import Severity
from validators.identifiers import dtm, is_oid
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.vihf import EVERYWHERE, VIHF
from validators.xds.assertion import parsed
from validators.xds.assertion import path as attribute_path
from validators.xds.registry import parts
from validators.xds.rules import Findings, iti, pdsm, same
from validators.xds.values import authority
from validators.xds.values import patient_id as ins

__all__ = ["QUERY", "read"]

_RIM = f"{{{NS['rim']}}}"
_QUERY = f"{{{NS['query']}}}"
_SEARCH = ("DB.CO.54", "DB.CO.67", "DMP/UX.27")

read = request(f"{_QUERY}AdhocQueryRequest")

QUERY = RuleSet(
    "iti-18",
    good=example.query,
    syntax="ITI18-000",
    unreadable=lambda: b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Envelope",
    reference=iti("Vol. 2, 3.18"),
    requirements=_SEARCH,
)

request_rules(QUERY, "ITI18", Action.STORED_QUERY, example.query)
inherit(QUERY, VIHF, EVERYWHERE, example=lambda data: example.query(assertion=data))


def _named_first(root: etree._Element) -> None:
    found = next(root.iter(f"{_RIM}AdhocQuery"))
    found.insert(0, etree.Element(f"{_RIM}Name"))


structure_rules(
    QUERY,
    example.query,
    faulty=remove("//query:ResponseOption"),
    disordered=_named_first,
)


def _adhoc(message: Message) -> etree._Element:
    """The query, an empty one when there is none: XDS-190 says so."""
    found = message.body.find(f"{_RIM}AdhocQuery")
    return etree.Element(f"{_RIM}AdhocQuery") if found is None else found


def _slots(message: Message, *names: str) -> list[Slot]:
    """The parameters of those names, all of them when none is given."""
    return [slot for slot in slots_of(_adhoc(message)) if not names or slot.name in names]


def _values(message: Message, name: str) -> list[str]:
    return [value for slot in _slots(message, name) for value in slot.values]


def _id(message: Message) -> str:
    return _adhoc(message).get("id", "")


_WHERE = "//AdhocQuery"
_DE = "$XDSDocumentEntry"


@QUERY.rule(
    "ITI18-020",
    "La requête enregistrée est l'une de celles d'IHE",
    reference=iti("Vol. 2, 3.18.4.1.2.4"),
    bad=lambda: example.query(id="urn:uuid:00000000-0000-4000-8000-000000000000"),
)
def known_query(message: Message) -> Findings:
    if message.body.find(f"{_RIM}AdhocQuery") is not None and _id(message) not in list(Query):
        yield Broken(
            message="Cette requête est inconnue.",
            expected="l'identifiant d'une requête enregistrée",
            actual=_id(message),
            where=f"{_WHERE}/@id",
        )


@QUERY.rule(
    "ITI18-021",
    "La requête est de celles que le DMP emploie",
    reference=Reference("IG-FHIR-PDSM4DMP-EEDS", "exemples d'usage du DMP", Grade.STANDARD),
    severity=Severity.WARNING,
    bad=lambda: example.query(id=Query.GET_ALL),
)
def served_query(message: Message) -> Findings:
    if _id(message) in list(Query) and _id(message) not in DMP_QUERIES:
        yield Broken(
            message="Aucun usage public de cette requête au DMP n'est connu.",
            expected=" | ".join(DMP_QUERIES),
            actual=_id(message),
            where=f"{_WHERE}/@id",
        )


@QUERY.rule(
    "ITI18-022",
    "ResponseOption demande LeafClass ou ObjectRef, en objets composés",
    reference=iti("Vol. 2, 3.18.4.1.2.2"),
    bad=lambda: example.query(return_type="RegistryObject"),
)
def response_option(message: Message) -> Findings:
    found = message.body.find(f"{_QUERY}ResponseOption")
    kind = "" if found is None else found.get("returnType", "")
    composed = "" if found is None else found.get("returnComposedObjects", "")
    if kind not in ("LeafClass", "ObjectRef") or composed not in ("true", "1"):
        yield Broken(
            message="La forme de la réponse n'est pas de celles d'IHE.",
            expected="LeafClass | ObjectRef, returnComposedObjects=true",
            actual=f"{kind}, {composed}",
            where="//ResponseOption",
        )


@QUERY.rule(
    "ITI18-023",
    "Les paramètres sont ceux de la requête",
    reference=iti("Vol. 2, 3.18.4.1.2.3.7"),
    severity=Severity.WARNING,
    bad=lambda: example.query(
        wanted=example.parameters(more=Parameter("$XDSDocumentEntryMimeType", ("a/b",)))
    ),
)
def known_parameters(message: Message) -> Findings:
    known = KNOWN.get(_id(message))
    for slot in _slots(message):
        if known is not None and slot.name not in known:
            yield Broken(
                message="Ce paramètre n'est pas de la requête : le registre l'ignore.",
                actual=slot.name,
                where=slot.where,
            )


@QUERY.rule(
    "ITI18-024",
    "Les valeurs sont citées : 'texte', nombre, ou liste entre parenthèses",
    reference=iti("Vol. 2, 3.18.4.1.2.3.5"),
    bad=lambda: example.query(edit("//rim:AdhocQuery/rim:Slot//rim:Value", value="IPP900")),
)
def quoting(message: Message) -> Findings:
    for slot in _slots(message):
        if not slot.is_well_quoted:
            yield Broken(
                message="Cette valeur est mal citée, ou manque.",
                expected="'valeur' | ('a','b') | nombre",
                actual=" ".join(slot.texts),
                where=slot.where,
            )


@QUERY.rule(
    "ITI18-025",
    "Un paramètre à plusieurs valeurs est une liste, un paramètre à une valeur n'en est pas une",
    reference=iti("Vol. 2, 3.18.4.1.2.3.5"),
    bad=lambda: example.query(
        wanted=example.parameters(status=Parameter(f"{_DE}Status", (Status.APPROVED.value,)))
    ),
)
def lists(message: Message) -> Findings:
    known = KNOWN.get(_id(message), frozenset())
    for slot in _slots(message):
        wanted = is_list(slot.name, _id(message))
        if slot.name in known and slot.is_well_quoted and slot.is_parenthesised != wanted:
            yield Broken(
                message="Ce paramètre n'est pas écrit comme il se doit.",
                expected="('a','b')" if wanted else "'valeur'",
                actual=" ".join(slot.texts),
                where=slot.where,
            )


@QUERY.rule(
    "ITI18-026",
    "Un paramètre à une valeur ne figure qu'une fois",
    reference=iti("Vol. 2, 3.18.4.1.2.3.5"),
    bad=lambda: example.query(
        wanted=example.parameters(
            again=Parameter("$XDSDocumentEntryServiceStartTimeFrom", ("20250101000000",))
        )
    ),
)
def repeated(message: Message) -> Findings:
    counted = Counter(slot.name for slot in _slots(message))
    for name, count in counted.items():
        # Codes and references may be repeated: each slot must then hold.
        alternative = is_coded(name) or name == f"{_DE}ReferenceIdList"
        if count > 1 and not alternative:
            yield Broken(
                message="Ce paramètre est répété.",
                expected="1",
                actual=str(count),
                where=f"{_WHERE}/Slot[@name='{name}']",
            )


_DEMANDED = {
    Query.FIND_DOCUMENTS: (f"{_DE}Status",),
    Query.FIND_DOCUMENTS_BY_REFERENCE_ID: (f"{_DE}Status", f"{_DE}ReferenceIdList"),
    Query.FIND_SUBMISSION_SETS: ("$XDSSubmissionSetStatus",),
    Query.GET_ASSOCIATIONS: ("$uuid",),
    Query.GET_SUBMISSION_SETS: ("$uuid",),
    Query.GET_RELATED_DOCUMENTS: ("$AssociationTypes",),
}


@QUERY.rule(
    "ITI18-027",
    "Les paramètres obligatoires de la requête sont là",
    reference=iti("Vol. 2, 3.18.4.1.2.3.7"),
    bad=lambda: example.query(wanted=example.parameters(status=None)),
)
def demanded(message: Message) -> Findings:
    for name in _DEMANDED.get(Query(_id(message)), ()) if _id(message) in list(Query) else ():
        if not _slots(message, name):
            yield Broken(
                message="Ce paramètre est obligatoire.",
                expected=name,
                where=_WHERE,
            )


@QUERY.rule(
    "ITI18-028",
    "La recherche nomme le patient, elle-même ou par son VIHF",
    reference=Reference("IG-FHIR-PDSM4DMP-EEDS", "RG_3010", Grade.STANDARD),
    bad=lambda: example.query(
        wanted=example.parameters(patient=None),
        assertion=assertion.air({AttributeName.RESOURCE_ID: None}),
    ),
)
def names_patient(message: Message) -> Findings:
    if message.envelope is None or _id(message) not in (
        Query.FIND_DOCUMENTS,
        Query.FIND_DOCUMENTS_BY_REFERENCE_ID,
    ):
        return
    said = [one.text(AttributeName.RESOURCE_ID) for one in parsed(message)]
    if not any(said) and not _slots(message, f"{_DE}PatientId"):
        yield Broken(
            message="Ni la requête ni le VIHF ne disent de quel patient il s'agit.",
            expected=f"{_DE}PatientId, ou resource-id",
            where=_WHERE,
        )


@QUERY.rule(
    "ITI18-029",
    "Le patient de la requête est un INS",
    reference=pdsm("DocumentEntry"),
    bad=lambda: example.query(
        wanted=example.parameters(patient=Parameter(f"{_DE}PatientId", ("IPP900",)))
    ),
)
def patient_is_ins(message: Message) -> Findings:
    for slot in _slots(message, f"{_DE}PatientId", "$XDSSubmissionSetPatientId"):
        for value in slot.values:
            yield from ins(value, slot.where)


@QUERY.rule(
    "ITI18-030",
    "Le patient de la requête est celui du VIHF",
    reference=Reference("IG-FHIR-PDSM4DMP-EEDS", "RG_3010", Grade.STANDARD),
    bad=lambda: example.query(
        wanted=example.parameters(
            patient=Parameter(
                f"{_DE}PatientId", ("162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH",)
            )
        )
    ),
)
def same_patient(message: Message) -> Findings:
    for said in parsed(message):
        written = said.text(AttributeName.RESOURCE_ID)
        for value in _values(message, f"{_DE}PatientId"):
            if written:
                where = attribute_path(AttributeName.RESOURCE_ID)
                yield from same(written, value, where, "Le patient du VIHF")


@QUERY.rule(
    "ITI18-031",
    "GetDocuments nomme ses documents par entryUUID ou par uniqueId, l'un des deux",
    reference=iti("Vol. 2, 3.18.4.1.2.3.7.5"),
    good=lambda: example.reference(),
    bad=lambda: example.query(id=Query.GET_DOCUMENTS, wanted=(), return_type="ObjectRef"),
)
def one_kind_of_id(message: Message) -> Findings:
    if _id(message) in (Query.GET_DOCUMENTS, Query.GET_DOCUMENTS_AND_ASSOCIATIONS):
        names = {slot.name for slot in _slots(message)}
        wanted = names & {f"{_DE}EntryUUID", f"{_DE}UniqueId", f"{_DE}LogicalID", "$LID"}
        if len(wanted) != 1:
            yield Broken(
                message="Il faut une sorte d'identifiant et une seule.",
                expected="1",
                actual=" ".join(sorted(wanted)),
                where=_WHERE,
            )


@QUERY.rule(
    "ITI18-032",
    "Un entryUUID est un urn:uuid, un uniqueId un OID sans préfixe",
    reference=iti("Vol. 2, 3.18.4.1.2.3.7.5"),
    good=lambda: example.reference(),
    bad=lambda: example.reference(
        Parameter(f"{_DE}UniqueId", ("urn:oid:1.2.250.1.999.1",), is_list=True)
    ),
)
def shape_of_ids(message: Message) -> Findings:
    for slot in _slots(message, f"{_DE}EntryUUID", "$uuid"):
        for value in slot.values:
            if not value.startswith("urn:uuid:"):
                yield Broken(
                    message="Ce n'est pas un entryUUID.",
                    expected="urn:uuid:…",
                    actual=value,
                    where=slot.where,
                )
    for slot in _slots(message, f"{_DE}UniqueId"):
        for value in slot.values:
            if not is_oid(value):
                yield Broken(
                    message="Ce n'est pas un uniqueId.",
                    expected="OID",
                    actual=value,
                    where=slot.where,
                )


@QUERY.rule(
    "ITI18-033",
    "Les codes s'écrivent code^^système",
    reference=iti("Vol. 2, 3.18.4.1.2.3.4"),
    bad=lambda: example.query(
        wanted=example.parameters(type=Parameter(f"{_DE}TypeCode", ("IMG-KOS",), is_list=True))
    ),
)
def coded(message: Message) -> Findings:
    for slot in _slots(message):
        for value in slot.values if is_coded(slot.name) else ():
            found = value.split("^")
            if len(found) != 3 or not found[0] or found[1] or not found[2]:
                yield Broken(
                    message="Ce code n'est pas écrit avec son système.",
                    expected="code^^système",
                    actual=value,
                    where=slot.where,
                )


@QUERY.rule(
    "ITI18-034",
    "Les bornes sont des dates HL7 en UTC, la première avant la seconde",
    reference=iti("Vol. 2, 3.18.4.1.2.3.7.1"),
    bad=lambda: example.query(
        wanted=example.parameters(
            since=Parameter("$XDSDocumentEntryServiceStartTimeFrom", ("2024-11-22",))
        )
    ),
)
def times(message: Message) -> Findings:
    bounds: dict[str, str] = {}
    for slot in _slots(message):
        for value in slot.values if is_time(slot.name) else ():
            bounds.setdefault(slot.name, value)
            # A bound may stop at the year or the month: dtm() wants a day.
            padded = value + "0101"[len(value) - 4 :] if len(value) in (4, 6) else value
            if not value.isdigit() or dtm(padded) is None:
                yield Broken(
                    message="Cette date est illisible.",
                    expected="AAAA[MM[JJ[HH[MM[SS]]]]]",
                    actual=value,
                    where=slot.where,
                )
    for name, since in bounds.items():
        until = bounds.get(name.removesuffix("From") + "To", "")
        if name.endswith("From") and until and since[: len(until)] > until[: len(since)]:
            yield Broken(
                message="La période finit avant de commencer.",
                expected=f"<= {until}",
                actual=since,
                where=f"{_WHERE}/Slot[@name='{name}']",
            )


@QUERY.rule(
    "ITI18-035",
    "Les statuts demandés sont ceux du DMP",
    reference=Reference("ANS, JDV_J52-AvailabilityStatus-CISIS", "TRE_R270", Grade.STANDARD),
    bad=lambda: example.query(
        wanted=example.parameters(status=Parameter(f"{_DE}Status", ("Approved",), is_list=True))
    ),
)
def statuses(message: Message) -> Findings:
    for slot in _slots(message, f"{_DE}Status", "$XDSSubmissionSetStatus"):
        for value in slot.values:
            if value not in list(Status):
                yield Broken(
                    message="Ce statut est inconnu.",
                    expected=" | ".join(Status),
                    actual=value,
                    where=slot.where,
                )


def _by_reference(value: str) -> bytes:
    more = Parameter(f"{_DE}ReferenceIdList", (value,), is_list=True)
    return example.query(
        id=Query.FIND_DOCUMENTS_BY_REFERENCE_ID, wanted=example.parameters(more=more)
    )


@QUERY.rule(
    "ITI18-036",
    "Une référence cherchée est d'un type que le DMP admet",
    reference=pdsm("ReferenceIdList"),
    good=lambda: _by_reference(f"ACN900^^^&1.2.3&ISO^{REFERENCE_TYPES_DMP[0]}"),
    bad=lambda: _by_reference("ACN900^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:referral"),
)
def references(message: Message) -> Findings:
    for slot in _slots(message, f"{_DE}ReferenceIdList"):
        for value in slot.values:
            cx = parts(value)
            if not cx[0] or cx[4] not in REFERENCE_TYPES_DMP:
                yield Broken(
                    message="Ce type de référence n'est pas de JDV_J231.",
                    expected=" | ".join(REFERENCE_TYPES_DMP),
                    actual=value,
                    where=slot.where,
                )


@QUERY.rule(
    "ITI18-037",
    "L'autorité d'un Accession Number cherché est la sienne",
    reference=Reference("DRIM-M_DRIMbox, démonstrateur d'ANS", "recherche", Grade.DEMONSTRATOR),
    severity=Severity.WARNING,
    good=lambda: _by_reference(f"ACN900^^^&1.2.3&ISO^{REFERENCE_TYPES_DMP[0]}"),
    bad=lambda: _by_reference(f"ACN900^^^&1.2.3.4.5.6&ISO^{REFERENCE_TYPES_DMP[0]}"),
)
def placeholder(message: Message) -> Findings:
    # The proof of concept writes a constant there, which matches no real issuer.
    for slot in _slots(message, f"{_DE}ReferenceIdList"):
        for value in slot.values:
            cx = parts(value)
            if cx[4] in REFERENCE_TYPES_DMP[:2] and authority(cx[3])[0] == "1.2.3.4.5.6":
                yield Broken(
                    message="Cette autorité de substitution ne trouve rien.",
                    actual=value,
                    where=slot.where,
                )


@QUERY.rule(
    "ITI18-038",
    "Modalités et régions sont cherchées dans un système où elles existent",
    reference=Reference("DRIM-M_DATA", "Validateur XDS", Grade.SAMPLE),
    tolerated=True,
    bad=lambda: example.query(
        wanted=example.parameters(
            modality=Parameter(f"{_DE}EventCodeList", ("CT^^1.2.3",), is_list=True)
        )
    ),
)
def event_systems(message: Message) -> Findings:
    # One sample publishes regions under the OID of CCAM: a search may have to ask for it too.
    for slot in _slots(message, f"{_DE}EventCodeList"):
        for value in slot.values:
            code, _, scheme = value.partition("^^")
            for codes, systems in (
                (MODALITIES, MODALITY_SYSTEMS),
                (REGIONS, (*REGION_SYSTEMS, CCAM)),
            ):
                if code in codes and scheme not in systems:
                    yield Broken(
                        message="Ce code n'appartient pas à ce système.",
                        expected=" | ".join(systems),
                        actual=value,
                        where=slot.where,
                    )


@QUERY.rule(
    "ITI18-039",
    "Une recherche ne se fait pas en mode INDIRECTE, la recherche d'une référence si",
    reference=GIE_RIGHTS,
    bad=lambda: example.query(assertion=assertion.vihf()),
)
def mode(message: Message) -> Findings:
    option = message.body.find(f"{_QUERY}ResponseOption")
    by_reference = (
        _id(message) == Query.GET_DOCUMENTS
        and option is not None
        and option.get("returnType") == "ObjectRef"
    )
    for said in parsed(message):
        name = AttributeName.AUTHENTIFICATION_MODE
        if said.text(name) == AuthenticationMode.INDIRECTE and not by_reference:
            yield Broken(
                message="Le mode INDIRECTE ne permet pas de consulter.",
                expected=AuthenticationMode.INDIRECTE_RENFORCEE,
                actual=said.text(name),
                where=attribute_path(name),
            )


@QUERY.rule(
    "ITI18-040",
    "Une recherche de documents nomme ses types",
    reference=Reference("IG-FHIR-PDSM4DMP-EEDS", "RG_3020", Grade.STANDARD),
    severity=Severity.INFO,
    bad=lambda: example.query(remove("//rim:Slot[@name='$XDSDocumentEntryTypeCode']")),
)
def typed(message: Message) -> Findings:
    codes = (f"{_DE}TypeCode", f"{_DE}ClassCode", f"{_DE}FormatCode")
    if _id(message) == Query.FIND_DOCUMENTS and not _slots(message, *codes):
        yield Broken(
            message="Sans type, la recherche ramène tous les documents du patient.",
            expected=f"{_DE}TypeCode",
            where=_WHERE,
        )
