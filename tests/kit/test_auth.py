"""Tokens: who holds one, for how long, and what a page of somebody else can do with it."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import httpx2
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.base import Role
from services.contracts.staff import Staff, StaffRevision, StaffSet
from services.kit import reference
from services.kit.auth import issue_token
from services.kit.runtime import AnyRuntime
from tests import builders
from tests.kit.ground import Ground
from tests.kit.site import client_of, open_site

NAME = "clerk-210881006206"
OTHER_KEY = Ed25519PrivateKey.generate()


@dataclass(frozen=True, slots=True)
class Site:
    runtime: AnyRuntime
    client: httpx2.AsyncClient
    ground: Ground

    async def me(self, token: str) -> tuple[int, str]:
        answer = await self.client.get("/me", headers={"authorization": f"Bearer {token}"})
        return answer.status_code, answer.json().get("role") or answer.json()["code"]

    async def say(self, staff: Staff) -> None:
        """Let the registry's word about a person arrive."""
        async with self.runtime.database.transaction() as conn:
            await reference.project(conn, StaffSet(**builders.stamp(staff.staff_id, 2), staff=staff))
        await self.runtime.reference.refresh()


@pytest_asyncio.fixture
async def site(ground: Ground) -> AsyncIterator[Site]:
    runtime, app = await open_site(ground)
    async with client_of(app) as client:
        yield Site(runtime, client, ground)


async def test_who_signed_in_a_moment_ago_is_known_to_the_process_that_has_not_heard_of_them(site: Site) -> None:
    known = site.runtime.reference.staff[builders.staff_id(NAME)]
    new = known.model_copy(update={"staff_id": builders.staff_id("clerk-new")})
    assert await site.me(token(sub=new.staff_id)) == (401, "unauthenticated")
    # Another process of the service heard it and wrote it down.
    async with site.runtime.database.transaction() as conn:
        await reference.project(conn, StaffSet(**builders.stamp(new.staff_id, 2), staff=new))
    await asyncio.sleep(0.06)
    assert await site.me(token(sub=new.staff_id)) == (200, "clerk")


async def test_forged_tokens_are_few_looks_into_the_database(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, taken_over = [], site.runtime.reference._take_over

    def take_over(rows: Sequence[tuple[str, str, str]]) -> None:
        looks.append(rows)
        taken_over(rows)

    monkeypatch.setattr(site.runtime.reference, "_take_over", take_over)
    began = time.monotonic()
    answers = await asyncio.gather(*(site.me(token(sub=f"nobody-{n}")) for n in range(100)))
    assert set(answers) == {(401, "unauthenticated")}
    assert 1 <= len(looks) <= 1 + (time.monotonic() - began) / 0.05


def token(**changes: object) -> str:
    """A good token, or one with other claims."""
    issued = builders.NOW.timestamp()
    claims = {"iss": "sanwu-registry", "sub": builders.staff_id(NAME), "iat": issued, "exp": int(issued) + 900}
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(kept, builders.SIGNING_KEY, algorithm="EdDSA", headers={"kid": builders.SIGNER_KID})


def test_helper_makes_what_the_registry_makes() -> None:
    assert token() == issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(NAME), builders.NOW)


async def test_good_token_tells_who_asks(site: Site) -> None:
    answer = await site.client.get("/me", headers={"authorization": f"Bearer {token()}"})
    assert answer.json() == {"username": NAME, "role": "clerk", "scope": builders.VILLAGE}


async def test_token_lives_fifteen_minutes(site: Site) -> None:
    site.ground.clock.advance(minutes=14, seconds=59)
    assert await site.me(token()) == (200, "clerk")
    site.ground.clock.advance(seconds=1)
    assert await site.me(token()) == (401, "unauthenticated")


async def test_what_is_long_on_its_way_is_taken_when_the_token_ends_meanwhile_and_not_when_it_is_revoked(
    site: Site,
) -> None:
    for revoked, status in ((False, 200), (True, 401)):

        async def pieces(*, revoked: bool = revoked) -> AsyncIterator[bytes]:
            yield b"x" * 1000
            site.ground.clock.advance(minutes=20)
            if revoked:
                await site.say(_clerk(seconds=3600))
            yield b"x" * 1000

        now = site.ground.clock.now()
        good = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(NAME), now)
        headers = {"authorization": f"Bearer {good}"}
        answer = await site.client.post("/me", content=pieces(), headers=headers)
        assert answer.status_code == status
        assert (await site.me(good))[0] == 401


def _forged() -> dict[str, str]:
    good = token()
    head, claims, signature = good.split(".")
    operator = json.dumps(
        {"iss": "sanwu-registry", "sub": builders.staff_id("operator"), "iat": 1, "exp": 9_999_999_999}
    )
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"test-kid"}').decode().rstrip("=")
    public = builders.SIGNING_KEY.public_key().public_bytes_raw()
    return {
        "other claims": f"{head}.{base64.urlsafe_b64encode(operator.encode()).decode().rstrip('=')}.{signature}",
        "other key": jwt.encode(
            {"sub": "x", "iat": 1, "exp": 9_999_999_999}, OTHER_KEY, algorithm="EdDSA", headers={"kid": "test-kid"}
        ),
        "unknown kid": jwt.encode({"sub": "x"}, OTHER_KEY, algorithm="EdDSA", headers={"kid": "other"}),
        "no kid": jwt.encode({"sub": "x"}, OTHER_KEY, algorithm="EdDSA"),
        "no signature": f"{unsigned}.{claims}.",
        "public key as secret": jwt.encode({"sub": "x"}, public, algorithm="HS256", headers={"kid": "test-kid"}),
        "other issuer": token(iss="somebody"),
        "no expiry": token(exp=None),
        "no issue": token(iat=None),
        "unknown person": token(sub="nobody"),
        "ten years": token(exp=int(builders.NOW.timestamp()) + 315_360_000),
        "a second too long": token(exp=int(builders.NOW.timestamp()) + 901),
        "issued in the future": token(iat=builders.NOW.timestamp() + 61, exp=int(builders.NOW.timestamp()) + 900),
        "ends before it begins": token(iat=builders.NOW.timestamp() + 30, exp=builders.NOW.timestamp() + 20),
        "not a number": token(exp=float("nan")),
        "numbers in words": token(exp="later"),
        "no token": "x",
        "no base64": "a.b.c",
    }


FORGED = _forged()


@pytest.mark.parametrize("name", FORGED)
async def test_forged_token_is_refused(site: Site, name: str) -> None:
    assert await site.me(FORGED[name]) == (401, "unauthenticated")


async def test_other_scheme_is_refused(site: Site) -> None:
    for header in (f"Basic {token()}", token(), "Bearer", "Bearer "):
        answer = await site.client.get("/me", headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def _clerk(role: Role = Role.CLERK, until: date | None = None, seconds: float = -3600) -> Staff:
    revision = StaffRevision(since=date(2026, 1, 1), until=until, role=role, scope=builders.VILLAGE)
    return Staff(
        staff_id=builders.staff_id(NAME),
        username=NAME,
        revisions=(revision,),
        sessions_not_before=builders.NOW + timedelta(seconds=seconds),
    )


async def test_revocation_voids_tokens_issued_before_it_and_no_later_ones(site: Site) -> None:
    await site.say(_clerk(seconds=0.5))
    assert await site.me(token()) == (401, "unauthenticated")
    site.ground.clock.advance(seconds=0.5)
    later = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(NAME), site.ground.clock.now())
    assert await site.me(later) == (200, "clerk")


async def test_change_of_role_works_at_once_for_a_token_in_hand(site: Site) -> None:
    assert await site.me(token()) == (200, "clerk")
    await site.say(_clerk(Role.SUPERVISOR))
    assert await site.me(token()) == (200, "supervisor")


async def test_whoever_has_left_is_out(site: Site) -> None:
    await site.say(_clerk(until=date(2026, 11, 24)))
    assert await site.me(token()) == (401, "unauthenticated")


CSRF = {
    "own page": ({"sec-fetch-site": "same-origin"}, 200),
    "own origin": ({"origin": "http://127.0.0.1:8000"}, 200),
    "foreign origin": ({"origin": "http://evil.example"}, 403),
    "foreign origin says cross-site": ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, 403),
    "same site": ({"origin": "http://127.0.0.1:9000", "sec-fetch-site": "same-site"}, 403),
    "other scheme": ({"origin": "https://127.0.0.1:8000"}, 403),
    "own name in front": ({"origin": "http://127.0.0.1:8000.evil.example"}, 403),
    "null origin": ({"origin": "null"}, 403),
    "tells nothing": ({}, 403),
}


@pytest.mark.parametrize("name", CSRF)
async def test_cookie_works_for_our_own_pages_alone(site: Site, name: str) -> None:
    headers, status = CSRF[name]
    answer = await site.client.post("/me", headers={**headers, "cookie": f"sanwu_token={token()}"})
    assert answer.status_code == status, answer.text


async def test_cookie_may_read_from_anywhere_and_a_bearer_needs_no_origin(site: Site) -> None:
    cookie = {"cookie": f"sanwu_token={token()}", "origin": "http://evil.example"}
    assert (await site.client.get("/me", headers=cookie)).status_code == 200
    assert (await site.client.post("/me", headers={"authorization": f"Bearer {token()}"})).status_code == 200
