"""Changes a secret of the running city: secrets.json first, then whoever checks it, then whoever uses it is started anew.

    await kafka(home, "ingest")       # a service, `operator`, or `broker` for the brokers themselves
    await postgres(home, "ingest")
    await root(home); await finish_root(home)

Cut short at any moment, the next start of the city brings all of them to what secrets.json says.
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Final

from aiokafka.errors import KafkaError
from services.kit.encoded import base64url_of
from services.kit.keypair import public_half_of

from deploy.local import scram, watch
from deploy.local.faults import Fault
from deploy.local.home import Home, read_json
from deploy.local.info import FORMER_ROOT, NEXT_ROOT, ROOT, known
from deploy.local.kafka import INSIDE, OPERATOR, secret_of
from deploy.local.part import process_of
from deploy.local.postgres import SERVICES, Postgres
from deploy.local.service import service_of

_BACK_SECONDS: Final = 120.0
_BACK_PAUSE: Final = 0.2
_ROOT_BYTES: Final = 32


async def kafka(home: Home, user: str) -> None:
    """Give a user of Kafka a new password."""
    if user not in {*SERVICES, OPERATOR, INSIDE}:
        raise Fault(f"{user} is nobody on Kafka: choose {', '.join((*SERVICES, OPERATOR, INSIDE))}.")
    as_operator = known(home.path).broker.options()
    password = secrets.token_urlsafe(24)
    home.keep({secret_of(user): password})
    if user == INSIDE:
        await restart(home, "kafka")
        return
    try:
        await scram.let_in(as_operator, {user: password})
    except (KafkaError, OSError, TimeoutError) as error:
        raise Fault(f"Kafka did not take the password; its next start will: {error!r}") from error
    if user in SERVICES:
        await restart_service(home, user)


async def postgres(home: Home, service: str) -> None:
    """Give a service's role a new password."""
    if service not in SERVICES:
        raise Fault(f"{service} is no service: choose {', '.join(SERVICES)}.")
    home.keep({service: secrets.token_urlsafe(24)})
    await Postgres(home).settle()
    await restart_service(home, service)


async def root(home: Home) -> str:
    """Let a new root key vouch, once every service believes it; the former is believed too until `finish_root`.

    Returns the new public half. The registry says everything again under the new key.
    """
    held = read_json(home.path / "secrets.json")
    if FORMER_ROOT in held:
        raise Fault("A change of the root key is under way: finish it first (`sanwu keys rotate-root --finish`).")
    # One that was made and not yet used is used now: the others may know it already.
    new = str(held.get(NEXT_ROOT) or base64url_of(secrets.token_bytes(_ROOT_BYTES)))
    home.keep({NEXT_ROOT: new})
    await asyncio.gather(*(restart_service(home, name) for name in SERVICES if name != "registry"))
    home.keep({FORMER_ROOT: public_half_of(str(held[ROOT])), ROOT: new, NEXT_ROOT: None})
    await restart(home, "registry")
    return public_half_of(new)


async def finish_root(home: Home) -> None:
    """Believe the former root key no more."""
    if FORMER_ROOT not in read_json(home.path / "secrets.json"):
        raise Fault("No change of the root key is under way.")
    home.keep({FORMER_ROOT: None})
    await asyncio.gather(*(restart_service(home, name) for name in SERVICES))


async def restart_service(home: Home, service: str) -> None:
    """End every process of a service, copies too; returns when all serve again."""
    parts = [part for part in known(home.path).addresses if service_of(part) == service]
    await asyncio.gather(*(restart(home, part) for part in parts))


async def restart(home: Home, part: str) -> None:
    """End a part, which its supervisor then starts with the secrets of now; returns when it serves again."""
    before = process_of(home, part)
    if before is not None:
        before.terminate()
    try:
        async with asyncio.timeout(_BACK_SECONDS):
            while process_of(home, part) in {None, before} or not await _serves(home, part):  # noqa: ASYNC110 - another process's
                await asyncio.sleep(_BACK_PAUSE)
    except TimeoutError:
        raise Fault(f"{part} did not come back in {_BACK_SECONDS:.0f} s: see logs/{part}.log.") from None


async def _serves(home: Home, part: str) -> bool:
    try:
        if part == "kafka":
            return await watch.kafka_answers(home.port(part))
        return (await watch.http_status(home.port(part), "/readyz"))[0] == HTTPStatus.OK
    except (OSError, ValueError, EOFError):
        return False
