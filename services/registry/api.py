"""JSON routes of the registry."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.contracts.base import Role
from services.contracts.staff import Staff
from services.kit.auth import TOKEN_LIFETIME
from services.kit.clock import local_day
from services.kit.web import ActorDep, PageDep, RuntimeDep, Transaction
from services.registry import commands
from services.registry.schemas import DivisionOut, SignInIn, SignInOut, StaffOut

router = APIRouter(prefix="/registry/v1")


@router.post("/sign-in")
async def sign_in(body: SignInIn, runtime: RuntimeDep) -> SignInOut:
    """Exchange name and password for a token of 15 minutes."""
    tokens = await commands.sign_in(
        runtime.database, runtime.settings, body.username, body.password, runtime.clock.now()
    )
    return SignInOut(access_token=tokens.access, expires_in=int(TOKEN_LIFETIME.total_seconds()))


@router.get("/divisions")
async def divisions(runtime: RuntimeDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """Divisions within the caller's part of the tree, by code."""
    codes = [c for c in sorted(runtime.reference.divisions) if runtime.reference.covers(actor.scope, c)]
    chosen = [c for c in codes if page.after is None or c > page.after]
    items = []
    for code in chosen[: page.limit]:
        now = runtime.reference.divisions[code].now
        start = runtime.reference.duty_division(code).duties_from
        items.append(
            DivisionOut(
                code=code,
                name=now.name,
                kind=now.kind,
                parent=now.parent,
                duties_from=start.isoformat() if start else None,
                sample=runtime.reference.is_sample(),
            ),
        )
    return page.answer(items, items[-1].code if len(chosen) > page.limit else None)


@router.get("/catalogue")
async def catalogue(runtime: RuntimeDep, _actor: ActorDep) -> dict[str, Any]:
    """The catalogue as it stands today."""
    today = local_day(runtime.clock.now())
    items = [
        {"code": code, **item.at(today).model_dump(mode="json")}
        for code, item in sorted(runtime.reference.items.items())
    ]
    return {"items": items, "next": None}


@router.get("/calendar")
async def calendar(runtime: RuntimeDep, _actor: ActorDep) -> dict[str, Any]:
    """The years whose days off and make-up working days are known."""
    return {"items": [y.model_dump(mode="json") for _, y in sorted(runtime.reference.years.items())], "next": None}


@router.get("/staff")
async def staff(runtime: RuntimeDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """Accounts, for operators."""
    actor.require(Role.OPERATOR)
    everybody = sorted(runtime.reference.staff.values(), key=lambda s: s.username)
    chosen = [s for s in everybody if page.after is None or s.username > page.after]
    items = [_staff_out(s, runtime) for s in chosen[: page.limit]]
    return page.answer(items, items[-1].username if len(chosen) > page.limit else None)


def _staff_out(member: Staff, runtime: RuntimeDep) -> StaffOut:
    held = runtime.reference.staff_role(member.staff_id, runtime.clock.now())
    role, scope = held or (None, None)
    return StaffOut(staff_id=member.staff_id, username=member.username, role=role, scope=scope)


@router.post("/staff/{username}/revoke", status_code=204)
async def revoke(username: str, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """Void every token and session of a person; every service applies it as soon as it reads the event."""
    actor.require(Role.OPERATOR)
    await commands.revoke_sessions(conn, username, runtime.clock.now())
    return Response(status_code=204)
