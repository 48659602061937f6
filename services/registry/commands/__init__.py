"""What changes the registry: one function a change. Reference data is said again only when it differs."""

from services.registry.commands.passwords import hash_passwords
from services.registry.commands.signing_in import (
    Attempt,
    PasswordChange,
    Tokens,
    change_own_password,
    renew,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from services.registry.commands.staff import set_staff
from services.registry.commands.states import ensure_signer, set_calendar, set_divisions, set_items, set_profile

__all__ = [
    "Attempt",
    "PasswordChange",
    "Tokens",
    "change_own_password",
    "ensure_signer",
    "hash_passwords",
    "renew",
    "set_calendar",
    "set_divisions",
    "set_items",
    "set_profile",
    "set_staff",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
]
