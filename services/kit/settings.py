"""Settings common to all services, read once from the environment (`SANWU_*`); wrong ones stop the start, all named."""

import re
import sys
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.address import LOOPBACK, Network
from services.kit.broker import Broker, is_here, sealed_by
from services.kit.keypair import key_bytes


def _is_key(text: str) -> str:
    key_bytes(text)
    return text


PublicKey = Annotated[str, AfterValidator(_is_key)]
#: The TLS modes of a PostgreSQL URL in which the server has to prove who it is.
_PROVEN: Final = frozenset({"verify-ca", "verify-full"})
_PORT: Final = re.compile(r":[0-9]*$")


def _hosts_of(url: str) -> list[str]:
    """Every host that a PostgreSQL URL names, before its database or behind it; of a socket its folder stands for one."""
    parts = urlsplit(url)
    named = [_PORT.sub("", unquote(place)) for place in parts.netloc.rpartition("@")[2].split(",")]
    return named + [_PORT.sub("", host) for given in parse_qs(parts.query).get("host", ()) for host in given.split(",")]


class Settings(BaseSettings):
    """What every service needs to know. Frozen; a service's own settings extend it."""

    model_config = SettingsConfigDict(env_prefix="SANWU_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL URL with the service's own role")
    kafka: str = Field(description="bootstrap servers, `host:port[,host:port]`")
    kafka_username: str = Field(
        description="who this service is to Kafka (SCRAM-SHA-512): its own name, as the rights say"
    )
    kafka_password: SecretStr = Field(description="its password there")
    kafka_tls: str = Field(
        default="off", description="`off`, `system` (what the system trusts), or a file with the CA's certificate (PEM)"
    )
    kafka_certificate: Path | None = Field(
        default=None, description="own certificate with its key (PEM), where the brokers ask for one"
    )
    wire_is_private: bool = Field(
        default=False,
        description=(
            "let Kafka and PostgreSQL on other machines be reached without TLS, where the network itself is sealed"
        ),
    )
    registry_root: tuple[PublicKey, ...] = Field(
        min_length=1,
        description=(
            "public root keys of the registry (Ed25519, base64url): divisions, catalogue, staff and signing keys count only "
            "when signed by one of them; two while the key is being changed"
        ),
    )
    http_host: str = Field(default="127.0.0.1", description="address of the inner port")
    http_port: int = Field(ge=0, le=65535, description="inner port; the gateway stands in front")
    home: Path = Field(description="folder for rendered bodies and public files")
    objects_url: str | None = Field(
        default=None,
        description="store of public files, as s3://bucket/prefix; without it the folder `objects` of `home`",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="the one origin that people see, without a slash at the end"
    )
    gateways: tuple[Network, ...] = Field(
        default=LOOPBACK, description="whose word counts on where a request comes from (`X-Forwarded-For`)"
    )
    topic_prefix: str = Field(default="", description="put before every topic name, so that tests can share a broker")
    pool_size: int = Field(default=8, ge=2, le=50, description="PostgreSQL connections of the pool")
    session_timeout_ms: int = Field(
        default=45_000, ge=6_000, description="a consumer silent for longer loses its partitions"
    )
    live_within_s: int = Field(
        default=60,
        ge=45,
        description=(
            "a process of which a role has not turned for so many seconds answers 503 to `/livez` and should be started "
            "anew; whatever a role waits for has a deadline below 45 s"
        ),
    )
    instance: str | None = Field(
        default=None,
        description="this copy's own name: killed and started again under it, it has its partitions back at once",
    )
    key_seal: SecretStr | None = Field(
        default=None,
        min_length=32,
        description=(
            "what the keys of contents are wrapped with, in tables and on the topic: a long random text, the same for ingest, "
            "publish and audit; lost, nothing can be read any more. Registry has one of its own, for signing keys and second "
            "factors: lost, all second factors are. Without it keys and these rest in clear"
        ),
    )
    household_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description=(
            "turns 家里的一行 on: what the last four digits of households' cards are hashed with, a long random text, the same for "
            "ingest and publish; changed or lost, no household finds its line in what was entered before. Without it nobody "
            "can look, and no digits are taken"
        ),
    )
    trail_days: int = Field(default=184, ge=184, description="how long staff actions are kept, at least 184 days")
    trail_key: SecretStr | None = Field(
        default=None,
        description=(
            "Ed25519 private key (32 bytes, base64url) by which this service alone signs the heads of its trail; keep it "
            "where nobody of the database reaches it. Without it no head is signed"
        ),
    )
    trail_keys: dict[str, str] = Field(
        default={},
        description="public halves of all services' `trail_key`, a JSON object by service: signed heads are checked by them",
    )
    secure_cookies: bool | None = Field(
        default=None, description="cookies over HTTPS only; unset: whenever `SANWU_PUBLIC_URL` is https"
    )

    @property
    def cookies_are_secure(self) -> bool:
        """Whether browsers may send our cookies over HTTPS alone."""
        return self.public_url.startswith("https://") if self.secure_cookies is None else self.secure_cookies

    @property
    def root(self) -> Ed25519PrivateKey | None:
        """The registry's root key; the registry alone has it."""
        return None

    @property
    def broker(self) -> Broker:
        """Kafka as this service sees it."""
        tls = sealed_by(self.kafka_tls, self.kafka_certificate)
        return Broker(self.kafka, self.kafka_username, self.kafka_password.get_secret_value(), tls)

    @field_validator("kafka_tls")
    @classmethod
    def _tls_can_be_made(cls, tls: str) -> str:
        try:
            sealed_by(tls)
        except OSError as error:
            message = f"{tls} holds no CA's certificate (PEM): {error.strerror or error}"
            raise ValueError(message) from None
        return tls

    @model_validator(mode="after")
    def _no_secret_on_an_open_wire(self) -> Self:
        if self.wire_is_private:
            return self
        away = [s for s in self.kafka.split(",") if not is_here(s.strip().rpartition(":")[0])]
        if away and self.kafka_tls == "off":
            message = (
                f"Kafka at {away[0].strip()} would be reached in the clear: set SANWU_KAFKA_TLS to `system` or to the "
                "file of its CA, or SANWU_WIRE_IS_PRIVATE=true where the network itself is sealed"
            )
            raise ValueError(message)
        url = self.database_url.get_secret_value()
        away = [host for host in _hosts_of(url) if not is_here(host)]
        if away and not _PROVEN & set(parse_qs(urlsplit(url).query).get("sslmode", ())):
            message = (
                f"PostgreSQL at {away[0]} would be reached without proof that it is the one: add "
                "`?sslmode=verify-full&sslrootcert=FILE` to SANWU_DATABASE_URL, or set SANWU_WIRE_IS_PRIVATE=true where "
                "the network itself is sealed"
            )
            raise ValueError(message)
        return self

    @classmethod
    def load(cls) -> Self:
        """Read the environment; on faults print all of them, one a line, and exit with status 2."""
        try:
            return cls()
        except ValidationError as error:
            for fault in error.errors():
                # What is wrong with several together has no place; its sentence names them.
                place = f"SANWU_{'_'.join(map(str, fault['loc'])).upper()}: " if fault["loc"] else ""
                sys.stderr.write(f"{place}{fault['msg']}\n")
            sys.exit(2)
