"""Judging what a box asks of token servers: of Pro Santé Connect, and of the API of a target."""

from validators.oauth.asking import DEMAND
from validators.oauth.exchange import EXCHANGE
from validators.oauth.exchange_answer import EXCHANGE_ANSWER
from validators.oauth.inquiry import INQUIRY
from validators.oauth.reading import FormRequest, TokenAnswer, read_answer, read_request

__all__ = [
    "DEMAND",
    "EXCHANGE",
    "EXCHANGE_ANSWER",
    "INQUIRY",
    "FormRequest",
    "TokenAnswer",
    "read_answer",
    "read_request",
]
