"""Who asks, and what part of the tree that person may touch.

Tokens are signed by the registry with Ed25519 (RFC 8037) and checked here against this service's own copy of the
signing keys, so only signing in needs the registry. Role and scope come from the copy, not from the token: a change
or a revocation works at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import Options

from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.staff import Signer
from services.kit.actions import Who
from services.kit.clock import local_day
from services.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from services.kit.keypair import public_key
from services.kit.reference import Reference

ISSUER: Final = "sanwu-registry"
TOKEN_LIFETIME: Final = timedelta(minutes=15)
#: How far the clocks of two machines may be apart.
CLOCKS_APART: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff who is signed in."""

    staff_id: str
    username: str
    role: Role
    scope: str
    name: str
    affairs: tuple[Affair, ...] = ()
    #: Which signing-in the token is from; None of one that was given out before tokens said it.
    session_id: str | None = None

    @property
    def who(self) -> Who:
        """The actor as the trail names one."""
        return Who(self.staff_id, self.role.value, self.scope)

    def require(self, *roles: Role) -> None:
        """Raise ForbiddenError unless the actor has one of the roles."""
        if self.role not in roles:
            raise ForbiddenError(required_roles=[r.value for r in roles])

    def require_affair(self, affair: Affair) -> None:
        """Raise ForbiddenError when the actor's part of the three affairs does not hold this one."""
        if self.affairs and affair not in self.affairs:
            detail = "这个事项不在您负责的公开类别内。"
            raise ForbiddenError(detail)

    def require_scope(self, reference: Reference, code: str) -> None:
        """Raise NotFoundError for an unknown division, ForbiddenError for one outside the actor's part of the tree."""
        if code not in reference.divisions:
            detail = f"没有代码为 {code} 的区划。"
            raise NotFoundError(detail)
        if not reference.covers(self.scope, code):
            detail = f"区划 {code} 不在您的管辖范围内。"
            raise ForbiddenError(detail)


def issue_token(key: Ed25519PrivateKey, kid: str, staff_id: str, now: datetime, session_id: str | None = None) -> str:
    """A token of 15 minutes for a member of staff; with its session (`sid`) it ends when that one is ended."""
    claims = {"iss": ISSUER, "sub": staff_id, "iat": now.timestamp(), "exp": int((now + TOKEN_LIFETIME).timestamp())}
    if session_id is not None:
        claims["sid"] = session_id
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid})


@lru_cache(maxsize=64)
def _kid_of(header: str) -> str:
    """Which key a token says it is signed with, by its header, which all tokens of a key share."""
    return str(jwt.get_unverified_header(f"{header}..").get("kid"))


@lru_cache(maxsize=8192)
def _claims(token: str, key: str) -> Mapping[str, Any]:
    """What a token says, its signature checked; the same token comes many times in its fifteen minutes."""
    # The time is compared by the caller, with the clock that was passed in.
    options: Options = {"require": ["sub", "iat", "exp"], "verify_exp": False, "verify_iat": False}
    return MappingProxyType(jwt.decode(token, public_key(key), algorithms=["EdDSA"], issuer=ISSUER, options=options))


def _issued_at(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When a token was issued; ValueError when it lives longer than any of ours, or was issued in the future."""
    issued, ends = float(claims["iat"]), float(claims["exp"])
    # So written that it fails for what is no number, too.
    if not ends - TOKEN_LIFETIME.total_seconds() <= issued < ends:
        message = "a token of ours lives fifteen minutes"
        raise ValueError(message)
    if issued > (now + CLOCKS_APART).timestamp():
        message = "issued in the future"
        raise ValueError(message)
    return datetime.fromtimestamp(issued, UTC)


def _refuse_early(signer: Signer, issued: datetime) -> None:
    """ValueError when the key did not sign yet."""
    if signer.not_before is not None and issued < signer.not_before - CLOCKS_APART:
        message = "the key signed nothing yet"
        raise ValueError(message)


def read_token(token: str, reference: Reference, now: datetime, asked_at: datetime | None = None) -> Actor:
    """The actor behind a token; UnauthenticatedError when it is forged, expired, revoked or its bearer has left.

    What was `asked_at` a moment before the token's end is not undone by how long it took to come; what was revoked since is.
    """
    try:
        signer = reference.signers[_kid_of(token.partition(".")[0])]
        claims = _claims(token, signer.public_key)
        issued = _issued_at(claims, now)
        _refuse_early(signer, issued)
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
        detail = "登录凭证无效，请重新登录。"
        raise UnauthenticatedError(detail) from error
    retired = signer.not_after is not None and now >= signer.not_after
    if retired or (asked_at or now).timestamp() >= float(claims["exp"]):
        detail = "登录已过期，请重新登录。"
        raise UnauthenticatedError(detail)
    actor = actor_of(claims["sub"], reference, now)
    if actor is None or issued < reference.staff[actor.staff_id].sessions_not_before:
        detail = "此账号已停用或登录已被收回，请重新登录。"
        raise UnauthenticatedError(detail)
    session_id = claims.get("sid")
    if any(ended.session_id == session_id for ended in reference.staff[actor.staff_id].ended_sessions):
        detail = "您已退出，请重新登录。"
        raise UnauthenticatedError(detail)
    return replace(actor, session_id=session_id)


def actor_of(staff_id: str, reference: Reference, now: datetime) -> Actor | None:
    """A member of staff with the rights of this moment; None for who is unknown or has left."""
    staff = reference.staff.get(staff_id)
    held = staff.at(local_day(now)) if staff is not None else None
    if staff is None or held is None:
        return None
    return Actor(staff.staff_id, staff.username, held.role, held.scope, staff.called, held.affairs)
