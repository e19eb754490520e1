"""Judging the DMP's transactions besides ITI-41: ITI-18, ITI-43, ITI-57, TD0.2, and answers."""

from validators.dmp import existence_patient
from validators.dmp.existence import EXISTENCE
from validators.dmp.existence import read as read_existence
from validators.dmp.existence_answer import EXISTENCE_ANSWER
from validators.dmp.existence_answer import read as read_existence_answer
from validators.dmp.query import QUERY
from validators.dmp.query import read as read_query
from validators.dmp.query_answer import QUERY_ANSWER
from validators.dmp.query_answer import read as read_query_answer
from validators.dmp.reading import Message
from validators.dmp.registry_answer import FAULT, REGISTRY_ANSWER, read_fault
from validators.dmp.registry_answer import read as read_registry_answer
from validators.dmp.retrieve import RETRIEVE
from validators.dmp.retrieve import read as read_retrieve
from validators.dmp.retrieve_answer import RETRIEVE_ANSWER
from validators.dmp.retrieve_answer import read as read_retrieve_answer
from validators.dmp.update import UPDATE
from validators.dmp.update import read as read_update

__all__ = [
    "EXISTENCE",
    "EXISTENCE_ANSWER",
    "FAULT",
    "QUERY",
    "QUERY_ANSWER",
    "REGISTRY_ANSWER",
    "RETRIEVE",
    "RETRIEVE_ANSWER",
    "UPDATE",
    "Message",
    "existence_patient",
    "read_existence",
    "read_existence_answer",
    "read_fault",
    "read_query",
    "read_query_answer",
    "read_registry_answer",
    "read_retrieve",
    "read_retrieve_answer",
    "read_update",
]
