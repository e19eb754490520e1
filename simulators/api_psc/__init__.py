"""The authorization server of the DMP's API: a PSC token becomes an API token bound to a client."""

from simulators.api_psc.exchange import ApiClient, ExchangeError
from simulators.api_psc.service import ApiPsc, ApiPscConfig, build

__all__ = ["ApiClient", "ApiPsc", "ApiPscConfig", "ExchangeError", "build"]
