"""The proxy e-santé: opens PSC sessions for software by CIBA, and sends its requests to APIs."""

from simulators.proxy_esante.service import Backend, ProxyConfig, ProxyEsante, build

__all__ = ["Backend", "ProxyConfig", "ProxyEsante", "build"]
