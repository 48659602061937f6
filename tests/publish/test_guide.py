"""The guide for programs does what it says: every command and every program in it, against a process that answers."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from deploy.docs import ROOT
from services.publish.commands.searching import make_searchable
from tests import builders
from tests.publish.running import Running

GUIDE = (ROOT / "docs" / "open-data.md").read_text("utf-8")
CITY = "http://127.0.0.1:8000"
EXAMPLES = {
    "{code}": builders.VILLAGE,
    "{township}": builders.TOWNSHIP,
    "{division}": builders.VILLAGE,
    "{item}": "F01",
}


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


async def run(running: Running, folder: Path, *command: str) -> str:
    """What a command says; it must end well."""
    told = [word.replace(CITY, running.url) for word in command]
    process = await asyncio.create_subprocess_exec(*told, cwd=folder, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    # curl ends with 28 where it is told to listen for some seconds only.
    assert process.returncode in {0, 28}, told
    return said.decode()


async def test_every_program_of_the_guide_runs(publish: Any, running: Running, tmp_path: Path) -> None:
    body = builders.ledger()
    body["lines"][0]["payee"] = "惠民五金店"
    event = await publish.opened(body=body)
    await make_searchable(publish.served.runtime)
    export, year = blocks("python")
    assert await run(running, tmp_path, sys.executable, "-c", export) == ""
    paid = body["lines"][0]["amount_fen"] / 100
    assert await run(running, tmp_path, sys.executable, "-c", year) == f"{paid}\n"
    said = await run(running, tmp_path, "bash", "-c", blocks("")[0])
    assert event.aggregate_id in said
    assert ": listening" in said
    assert (tmp_path / "villages.xlsx").read_bytes().startswith(b"PK")
    assert event.aggregate_id in (tmp_path / "disclosures.csv").read_text("utf-8-sig")


async def test_every_address_of_the_guide_is_there(publish: Any) -> None:
    event = await publish.opened()
    table = GUIDE.partition("| what | address |")[2].partition("\n\n")[0]
    found = [path for path in re.findall(r"`(/[^`…]*)`", table) if path not in {"/docs", "/api/v1/changes/stream"}]
    assert len(found) > 20
    taken = await publish.served.client.post(f"/api/v1/disclosures/{event.aggregate_id}/adoptions", json={"version": 1})
    for path in found:
        filled = path.replace("{id}", event.aggregate_id).replace("{taker}", taken.json()["taker"])
        for name, example in EXAMPLES.items():
            filled = filled.replace(name, example)
        await publish.get(filled)
    frame = re.search(r'<iframe src="([^"]*)"', GUIDE)
    assert frame is not None
    await publish.get(frame[1].removeprefix(CITY))
