"""How a client of Kafka gets in: where the brokers are, who it is (SASL/SCRAM-SHA-512, RFC 5802), how the line is sealed.

Every driver of this project is made with `Broker.options()`; there is no way in without a name. The module is light:
`sanwu status` reads it in its second.
"""

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

MECHANISM: Final = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class Broker:
    """Kafka as one principal sees it. `servers`: `host:port[,host:port]`; `tls`: None for a line in the clear."""

    servers: str
    username: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """What each of the driver's classes is made with."""
        return {
            "bootstrap_servers": self.servers,
            "security_protocol": "SASL_PLAINTEXT" if self.tls is None else "SASL_SSL",
            "ssl_context": self.tls,
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }


def sealed_by(tls: str, certificate: Path | None = None) -> ssl.SSLContext | None:
    """The TLS of a line, 1.2 or newer, host names checked; None for `off`. OSError when a file cannot be read.

    `tls`: `off`, `system` for what the system trusts, or the path of a file with the CA's certificate.
    `certificate`: a file with an own certificate and its key (PEM), for brokers that ask for one.
    """
    if tls == "off":
        return None
    context = ssl.create_default_context(cafile=None if tls == "system" else tls)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def is_here(host: str) -> bool:
    """Tell whether a host, or the folder of a socket, is of this machine, so that what is said to it passes no wire."""
    if host in {"localhost", ""} or host.startswith("/"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
