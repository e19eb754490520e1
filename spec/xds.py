"""IHE XDS.b vocabulary: schemes, object types, statuses, slots, queries, actions, error codes.

Sources: IHE ITI TF Vol. 3 section 4.2 (metadata), Vol. 2 3.18, 3.41, 3.43, 3.57 (transactions),
grade `standard` unless a line says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = [
    "ASSOCIATION_OBJECT_TYPE",
    "Action",
    "AssociationType",
    "EntryScheme",
    "ErrorCode",
    "Query",
    "ReferenceType",
    "STABLE_DOCUMENT",
    "SUBMISSION_SET_NODE",
    "SetScheme",
    "Severity",
    "SlotName",
    "Status",
    "ResponseStatus",
]

STABLE_DOCUMENT: Final = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
"""objectType of a stable DocumentEntry (ITI Vol. 3 4.2.5.2)."""
SUBMISSION_SET_NODE: Final = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
"""classificationNode that makes a RegistryPackage a SubmissionSet."""
ASSOCIATION_OBJECT_TYPE: Final = (
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"
)


class EntryScheme(StrEnum):
    """Schemes of a DocumentEntry: classificationScheme, or identificationScheme for ids."""

    AUTHOR = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
    CLASS_CODE = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
    CONFIDENTIALITY_CODE = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
    EVENT_CODE = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
    FORMAT_CODE = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
    FACILITY_TYPE_CODE = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
    PRACTICE_SETTING_CODE = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
    TYPE_CODE = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
    PATIENT_ID = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
    UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"


class SetScheme(StrEnum):
    """Schemes of a SubmissionSet."""

    AUTHOR = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
    CONTENT_TYPE_CODE = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
    PATIENT_ID = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
    SOURCE_ID = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
    UNIQUE_ID = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"


class SlotName(StrEnum):
    """Slots of DocumentEntry, SubmissionSet, author classification and associations."""

    CREATION_TIME = "creationTime"
    SUBMISSION_TIME = "submissionTime"
    LANGUAGE_CODE = "languageCode"
    LEGAL_AUTHENTICATOR = "legalAuthenticator"
    SERVICE_START_TIME = "serviceStartTime"
    SERVICE_STOP_TIME = "serviceStopTime"
    SOURCE_PATIENT_ID = "sourcePatientId"
    SOURCE_PATIENT_INFO = "sourcePatientInfo"
    HASH = "hash"
    SIZE = "size"
    URI = "URI"
    REPOSITORY_UNIQUE_ID = "repositoryUniqueId"
    DOCUMENT_AVAILABILITY = "documentAvailability"
    REFERENCE_ID_LIST = "urn:ihe:iti:xds:2013:referenceIdList"
    CODING_SCHEME = "codingScheme"
    AUTHOR_PERSON = "authorPerson"
    AUTHOR_INSTITUTION = "authorInstitution"
    AUTHOR_ROLE = "authorRole"
    AUTHOR_SPECIALTY = "authorSpecialty"
    AUTHOR_TELECOMMUNICATION = "authorTelecommunication"
    INTENDED_RECIPIENT = "intendedRecipient"
    SUBMISSION_SET_STATUS = "SubmissionSetStatus"
    PREVIOUS_VERSION = "PreviousVersion"
    ORIGINAL_STATUS = "OriginalStatus"
    NEW_STATUS = "NewStatus"


class AssociationType(StrEnum):
    """Types of Association (ITI Vol. 3 4.2.2.2, 4.2.1.2; Metadata Update: 4.2.1.7)."""

    HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    REPLACE = "urn:ihe:iti:2007:AssociationType:RPLC"
    APPEND = "urn:ihe:iti:2007:AssociationType:APND"
    TRANSFORM = "urn:ihe:iti:2007:AssociationType:XFRM"
    TRANSFORM_REPLACE = "urn:ihe:iti:2007:AssociationType:XFRM_RPLC"
    SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
    IS_SNAPSHOT_OF = "urn:ihe:iti:2010:AssociationType:IsSnapshotOf"
    UPDATE_AVAILABILITY_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
    SUBMIT_ASSOCIATION = "urn:ihe:iti:2010:AssociationType:SubmitAssociation"


class Status(StrEnum):
    """availabilityStatus; the two of ASIP come from TRE_R270-AvailabilityStatus (ANS)."""

    APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
    DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
    ARCHIVED = "urn:asip:ci-sis:2010:StatusType:Archived"
    DELETED = "urn:asip:ci-sis:2010:StatusType:Deleted"


class ResponseStatus(StrEnum):
    """status of a RegistryResponse or AdhocQueryResponse (ITI Vol. 3 4.2.4.2)."""

    SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
    FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
    PARTIAL_SUCCESS = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"


class Severity(StrEnum):
    """severity of a RegistryError."""

    ERROR = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
    WARNING = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"


class Query(StrEnum):
    """Ids of the stored queries (ITI Vol. 2 3.18.4.1.2.3.7)."""

    FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
    FIND_SUBMISSION_SETS = "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9"
    FIND_FOLDERS = "urn:uuid:958f3006-baad-4929-a4de-ff1114824431"
    GET_ALL = "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"
    GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
    GET_FOLDERS = "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4"
    GET_ASSOCIATIONS = "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155"
    GET_DOCUMENTS_AND_ASSOCIATIONS = "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a"
    GET_SUBMISSION_SETS = "urn:uuid:51224314-5390-4169-9b91-b1980040715a"
    GET_SUBMISSION_SET_AND_CONTENTS = "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83"
    GET_FOLDER_AND_CONTENTS = "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7"
    GET_FOLDERS_FOR_DOCUMENT = "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578"
    GET_RELATED_DOCUMENTS = "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6"
    FIND_DOCUMENTS_BY_REFERENCE_ID = "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492"


class ReferenceType(StrEnum):
    """CXi.5 of a referenceIdList value (ITI Vol. 3 4.2.3.2.28; values of JDV_J231, ANS)."""

    ACCESSION = "urn:ihe:iti:xds:2013:accession"
    ORDER = "urn:ihe:iti:xds:2013:order"
    STUDY_INSTANCE_UID = "urn:ihe:iti:xds:2016:studyInstanceUID"
    UNIQUE_ID = "urn:ihe:iti:xds:2013:uniqueId"
    REFERRAL = "urn:ihe:iti:xds:2013:referral"
    WORKFLOW_INSTANCE_ID = "urn:ihe:iti:xdw:2013:workflowInstanceId"
    ENCOUNTER_ID = "urn:ihe:iti:xds:2015:encounterId"


class Action(StrEnum):
    """WS-Addressing Actions of requests; `answer` is that of the response."""

    PROVIDE_AND_REGISTER = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    STORED_QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
    RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSet"
    UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"

    @property
    def answer(self) -> str:
        """The Action of the answer.

        That of ITI-57 has a hyphen at the DMP (GIE SESAM-Vitale WSDL and message examples, grade
        `sample`), none in the IHE WSDL.
        """
        return {
            Action.PROVIDE_AND_REGISTER: f"{self.value}Response",
            Action.STORED_QUERY: f"{self.value}Response",
            Action.RETRIEVE: f"{self.value}Response",
            Action.UPDATE: f"{self.value}-Response",
        }[self]


class ErrorCode(StrEnum):
    """errorCode of a RegistryError (ITI Vol. 3 table 4.2.4.1-2)."""

    MISSING_DOCUMENT = "XDSMissingDocument"
    MISSING_DOCUMENT_METADATA = "XDSMissingDocumentMetadata"
    REPOSITORY_METADATA_ERROR = "XDSRepositoryMetadataError"
    REGISTRY_METADATA_ERROR = "XDSRegistryMetadataError"
    REPOSITORY_DUPLICATE_IN_MESSAGE = "XDSRepositoryDuplicateUniqueIdInMessage"
    REGISTRY_DUPLICATE_IN_MESSAGE = "XDSRegistryDuplicateUniqueIdInMessage"
    DUPLICATE_UNIQUE_ID = "XDSDuplicateUniqueIdInRegistry"
    NON_IDENTICAL_HASH = "XDSNonIdenticalHash"
    NON_IDENTICAL_SIZE = "XDSNonIdenticalSize"
    UNKNOWN_PATIENT = "XDSUnknownPatientId"
    PATIENT_DOES_NOT_MATCH = "XDSPatientIdDoesNotMatch"
    DEPRECATED_DOCUMENT = "XDSRegistryDeprecatedDocumentError"
    UNRESOLVED_REFERENCE = "UnresolvedReferenceException"
    UNKNOWN_STORED_QUERY = "XDSUnknownStoredQuery"
    MISSING_PARAMETER = "XDSStoredQueryMissingParam"
    PARAMETER_NUMBER = "XDSStoredQueryParamNumber"
    TOO_MANY_RESULTS = "XDSTooManyResults"
    RESULT_NOT_SINGLE_PATIENT = "XDSResultNotSinglePatient"
    UNKNOWN_REPOSITORY = "XDSUnknownRepositoryId"
    DOCUMENT_UNIQUE_ID = "XDSDocumentUniqueIdError"
    METADATA_UPDATE = "XDSMetadataUpdateError"
    METADATA_UPDATE_OPERATION = "XDSMetadataUpdateOperationError"
    METADATA_VERSION = "XDSMetadataVersionError"
    LOCAL_POLICY = "LocalPolicyRestrictionError"
    INVALID_CONTENT = "InvalidDocumentContent"
    EXTRA_METADATA = "XDSExtraMetadataNotSaved"
    REGISTRY_ERROR = "XDSRegistryError"
    REPOSITORY_ERROR = "XDSRepositoryError"
    REGISTRY_BUSY = "XDSRegistryBusy"
    REPOSITORY_BUSY = "XDSRepositoryBusy"
