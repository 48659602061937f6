"""What the registry must know beside what every service does."""

from datetime import timedelta
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, SecretStr, field_validator, model_validator

from services.kit.keypair import key_bytes, private_key, public_half
from services.kit.settings import Settings


class RegistrySettings(Settings):
    """Common settings, and how long people stay signed in."""

    registry_root_key: SecretStr = Field(
        description=(
            "private half of the root key (Ed25519, base64url), which no other service and no database may know; its public "
            "half is one of SANWU_REGISTRY_ROOT"
        )
    )
    session_length: timedelta = Field(
        default=timedelta(hours=12), description="a working day; then people sign in again"
    )
    idle_limit: timedelta = Field(
        default=timedelta(hours=8), description="a session that was not used for so long is over"
    )
    idle_limit_of_overseers: timedelta = Field(
        default=timedelta(minutes=30),
        description="the same for reviewers, inspectors and operators; use is seen when a page renews its token of 15 minutes",
    )
    one_time_length: timedelta = Field(
        default=timedelta(days=7), description="a one-time password that was not used for so long opens nothing"
    )
    device_length: timedelta = Field(
        default=timedelta(days=180),
        description="a browser in which an account signed in is known for so long: others' failures do not shut it out",
    )
    address_failures: int = Field(
        default=30,
        ge=5,
        description="failed sign-ins from one network (IPv4 /24, IPv6 /64) before it waits; ten times as many from one IPv6 /48",
    )
    address_again: timedelta = Field(
        default=timedelta(seconds=20), description="how long until such a network may fail once more"
    )
    sign_in_places: int = Field(
        default=50, ge=2, description="sign-ins that are under way at once; whoever comes beyond is told to come again"
    )
    free_failures: int = Field(default=5, ge=1, description="failed sign-ins before an account waits")
    longest_wait: timedelta = Field(default=timedelta(minutes=15), description="upper bound of the growing wait")

    @field_validator("registry_root_key")
    @classmethod
    def _is_key(cls, key: SecretStr) -> SecretStr:
        key_bytes(key.get_secret_value())
        return key

    @model_validator(mode="after")
    def _others_believe_it(self) -> Self:
        if public_half(self.root) not in self.registry_root:
            message = f"SANWU_REGISTRY_ROOT does not name {public_half(self.root)}, the public half of the root key"
            raise ValueError(message)
        return self

    @property
    def root(self) -> Ed25519PrivateKey:
        """The key that signs what this service says."""
        return private_key(self.registry_root_key.get_secret_value())
