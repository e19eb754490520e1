"""Pro Santé Connect: an OpenID Connect provider with PSC's paths, tokens and refusals."""

from simulators.psc.faults import (
    Acknowledged,
    Active,
    Body,
    Forged,
    Given,
    Identity,
    Keys,
    Leads,
    Person,
    Polled,
    Returned,
    Said,
    Stranger,
    Who,
    menu,
)
from simulators.psc.oauth import Client
from simulators.psc.phone import Answer, Asked, Phone
from simulators.psc.professionals import TEST_PROFESSIONALS, Activity, Practice, Professional
from simulators.psc.realm import Lifetimes, TokenType
from simulators.psc.service import Psc, PscConfig, build

__all__ = [
    "TEST_PROFESSIONALS",
    "Acknowledged",
    "Active",
    "Activity",
    "Answer",
    "Asked",
    "Body",
    "Client",
    "Forged",
    "Given",
    "Identity",
    "Keys",
    "Leads",
    "Lifetimes",
    "Person",
    "Phone",
    "Polled",
    "Practice",
    "Professional",
    "Psc",
    "PscConfig",
    "Returned",
    "Said",
    "Stranger",
    "TokenType",
    "Who",
    "build",
    "menu",
]
