"""Settings of the registry."""

from datetime import timedelta
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, SecretStr, field_validator, model_validator

from services.kit.settings import Settings, key_bytes
from services.kit.signature import public_half


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
        return Ed25519PrivateKey.from_private_bytes(key_bytes(self.registry_root_key.get_secret_value()))
