"""Settings common to all services, read once from the environment (`SANWU_*`); wrong ones stop the start, all named."""

import sys
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.address import LOOPBACK, Network


class Settings(BaseSettings):
    """What every service needs to know. Frozen; a service's own settings extend it."""

    model_config = SettingsConfigDict(env_prefix="SANWU_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL URL with the service's own role")
    kafka: str = Field(description="bootstrap servers, `host:port[,host:port]`")
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
    trail_days: int = Field(default=184, ge=184, description="how long staff actions are kept, at least 184 days")
    secure_cookies: bool = Field(default=False, description="cookies over HTTPS only; off on loopback alone")

    @classmethod
    def load(cls) -> Self:
        """Read the environment; on faults print all of them, one a line, and exit with status 2."""
        try:
            return cls()
        except ValidationError as error:
            for fault in error.errors():
                sys.stderr.write(f"SANWU_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}\n")
            sys.exit(2)
