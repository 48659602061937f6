"""What the clock does: sessions that are over and failures that count no more go; what still counts stays."""

import getpass
import json
from typing import Any

import pytest
import pytest_asyncio

from services.kit.cli import read_line
from services.kit.process import command_line, main
from services.registry.__main__ import SERVICE
from services.registry.jobs import forget
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OWN_PAGE, PASSWORD, emptied, take

ANNA = f"anna,{PASSWORD},,clerk,210881006206\n"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    await take(served, HEAD + ANNA)
    return served


async def counts(served: Served) -> tuple[int, int]:
    async with served.runtime.database.connection() as conn:
        sessions = await conn.fetchval("SELECT count(*) FROM session")
        return sessions, await conn.fetchval("SELECT count(*) FROM sign_in_failure")


async def sign_in(served: Served, password: str) -> None:
    await served.client.post("/sign-in", data={"username": "anna", "password": password}, headers=OWN_PAGE)


async def test_sessions_go_when_they_are_over_and_failures_a_day_after_their_wait(registry: Served) -> None:
    await sign_in(registry, PASSWORD)
    await sign_in(registry, "wrong")
    await forget(registry.runtime)
    assert await counts(registry) == (1, 1)
    registry.clock.advance(hours=12)
    await forget(registry.runtime)
    assert await counts(registry) == (0, 1)
    registry.clock.advance(hours=13)
    await forget(registry.runtime)
    assert await counts(registry) == (0, 0)


async def command(served: Served, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Run an operators' command with --json."""
    asked = read_line(command_line(SERVICE), [*words, "--json"], "registry")
    assert not isinstance(asked, int), capsys.readouterr().err
    capsys.readouterr()
    status = await asked(served.runtime)
    await served.runtime.reference.refresh()
    return status, json.loads(capsys.readouterr().out)


async def test_the_machine_resets_and_ends_an_account(registry: Served, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = await command(registry, capsys, "staff", "reset", "anna")
    assert (status, len(told["one_time_password"]), told["totp_secret"]) == (0, 16, None)
    status, told = await command(registry, capsys, "staff", "end", "anna", "--by", "吴玉春")
    assert (status, told["username"]) == (0, "anna")
    _, listed = await command(registry, capsys, "staff", "list")
    assert [s["role"] for s in listed["staff"] if s["username"] == "anna"] == [None]
    seen = await registry.client.get("/registry/v1/actions?actor=machine", headers=registry.bearer("operator"))
    anna = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna")
    user = f"machine/{getpass.getuser()}"
    assert [(i["action"], i["object"], i["actor"]) for i in seen.json()["items"]][:2] == [
        ("command staff end", f"staff/{anna}", f"{user}/吴玉春"),
        ("command staff reset", f"staff/{anna}", user),
    ]
    page = await registry.client.get("/admin/actions?actor=machine", headers=registry.bearer("operator"))
    assert f"<code>staff/{anna}</code> anna" in page.text
    nobody = await registry.client.get("/registry/v1/actions?actor=mach", headers=registry.bearer("operator"))
    assert nobody.json()["items"] == []


async def test_the_machine_names_what_it_refuses(
    registry: Served, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    status, told = await command(registry, capsys, "staff", "reset", "nobody")
    assert (status, told["code"]) == (1, "not_found")
    file = tmp_path / "staff.csv"
    file.write_text(HEAD + "hans,,,mayor,210881006206\n")
    status, told = await command(registry, capsys, "staff", "import", str(file))
    assert (status, told["errors"][0]["at"]) == (1, "line 2, role")
    status, told = await command(registry, capsys, "catalogue", "check", str(file))
    assert (status, told["code"]) == (1, "invalid_input")
    assert main(SERVICE, ["catalogue", "apply", str(tmp_path / "missing.csv")]) == 2
    assert "missing.csv' does not exist" in capsys.readouterr().err


async def test_the_machine_imports_accounts(
    registry: Served, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(HEAD + "ida,,,inspector,210881006\n")
    status, told = await command(registry, capsys, "staff", "import", str(file))
    assert (status, told["new"], len(told["secrets"][0]["totp_secret"])) == (0, ["ida"], 32)
    file.write_text(HEAD + "ida,,,clerk,210881006206\nolga,,,clerk,210881006206\nanna,,,clerk,210881006206\n")
    assert (await command(registry, capsys, "staff", "import", str(file)))[0] == 0
    ids = {s.username: s.staff_id for s in registry.runtime.reference.staff.values()}
    seen = await registry.client.get("/registry/v1/actions?actor=machine&limit=2", headers=registry.bearer("operator"))
    # A row for each account that the file changed, and none for the one it left as it was.
    assert [i["object"] for i in seen.json()["items"]] == [f"staff/{ids['ida']}", f"staff/{ids['olga']}"]
