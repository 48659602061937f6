"""The archive of a day: it opens from a folder, every link leads to a file of it, and what is gone from the web is not in it."""

import hashlib
import json
import re
from pathlib import Path
from posixpath import join, normpath
from typing import Any

import pytest

from services.kit.cli import read_line
from services.publish.__main__ import COMMANDS
from services.publish.snapshot import command
from services.publish.snapshot.paid import write_firms
from services.publish.snapshot.site import archived, file_for
from services.publish.store import marks
from tests import builders
from tests.publish import bodies

_LINK = re.compile(r'\s(?:href|src|action)="([^"#?]+)[^"]*"')


def told(summary: str) -> dict[str, Any]:
    """A ledger that tells of something by name."""
    body = builders.ledger()
    body["lines"][0]["summary"] = summary
    return body


async def snapshot(publish: Any, folder: Path) -> int:
    work = read_line(COMMANDS, ["snapshot", str(folder)], "publish")
    assert not isinstance(work, int)
    return await work(publish.served.runtime)


def pages(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*.html")}


def everything(folder: Path) -> str:
    return "\n".join(p.read_text(errors="replace") for p in sorted(folder.rglob("*")) if p.is_file())


def dangling(folder: Path) -> list[tuple[str, str]]:
    """Links of pages that lead to no file of the archive."""
    found = []
    for name, text in pages(folder).items():
        here = name.rpartition("/")[0]
        links = (t for t in _LINK.findall(text) if not t.startswith(("https:", "data:")))
        found += [(name, link) for link in links if not (folder / normpath(join(here, link))).is_file()]
    return found


async def test_every_link_of_an_archive_leads_to_a_file_of_it_and_every_sum_fits(
    publishing: Any, tmp_path: Path
) -> None:
    event = await publishing.opened()
    await publishing.opened(event.aggregate_id, edition=2, body=told("修桥"))
    await publishing.opened(period="2025-10", at=builders.NOW, history=True)
    folder = tmp_path / "archive"
    assert await snapshot(publishing, folder) == 0
    assert dangling(folder) == []
    made = pages(folder)
    village = f"v/{builders.VILLAGE}"
    editions = [f"d/{event.aggregate_id}{n}.html" for n in ("", "/1", "/2")]
    assert {"index.html", "search.html", f"{village}.html", f"{village}/big.html", *editions} <= made.keys()
    assert {f"{village}/F01.html", f"{village}/F01/2025.html", f"{village}/V03.html"} <= made.keys()
    assert all("存档" in text and '<script src="/' not in text for text in made.values())
    # In English a village's figures are kept; what leads to other pages in English is taken off.
    assert f'href="{builders.VILLAGE}/en.html"' in made[f"{village}.html"]
    assert f"d/{event.aggregate_id}.html" in made[f"{village}/en.html"]
    assert not any('href="/en/' in text for text in made.values())
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert sums.keys() == files.keys() - {"SHA256SUMS"}
    assert all(hashlib.sha256(files[name].read_bytes()).hexdigest() == digest for name, digest in sums.items())
    newest = json.loads((folder / "disclosures" / f"{event.aggregate_id}.json").read_text())
    assert (newest["version"], newest["body"]["kind"]) == (2, "ledger")
    assert "修桥" in (folder / "d" / f"{event.aggregate_id}.csv").read_text("utf-8-sig")


async def test_withdrawn_content_and_names_that_leave_the_web_some_day_are_in_no_file(
    publishing: Any, tmp_path: Path
) -> None:
    gone = await publishing.opened(body=told("修枇杷山水管"))
    await publishing.withdrawn(gone)
    roster = await publishing.opened(item="V03", period="2026Q3", body=bodies.roster())
    shown = (await publishing.get(f"/d/{roster.aggregate_id}")).text
    assert "张某某①" in shown
    folder = tmp_path / "archive"
    assert await snapshot(publishing, folder) == 0
    text = everything(folder)
    assert "修枇杷山水管" not in text
    assert "填错了村，重新公开" in text
    assert "张某某" not in text
    assert "6人" in (folder / "d" / f"{roster.aggregate_id}.html").read_text()


async def test_what_is_withdrawn_while_an_archive_is_written_is_taken_out_of_it(
    publishing: Any, tmp_path: Path
) -> None:
    runtime = publishing.served.runtime
    event = await publishing.opened(body=told("修枇杷山水管"))
    async with runtime.database.connection() as conn:
        position = await marks.select_newest_change(conn)
    site = command._Site(tmp_path, runtime.own.bodies, builders.NOW)
    subjects = [("village", builders.VILLAGE), ("disclosure", event.aggregate_id)]
    await command._write_parts(runtime, site, subjects)
    assert "修枇杷山水管" in everything(tmp_path)
    await publishing.withdrawn(event)
    assert await command._write_again(runtime, site, [("city", "")], position) == 2
    assert "修枇杷山水管" not in everything(tmp_path)
    assert not (tmp_path / "d" / f"{event.aggregate_id}.csv").exists()


async def test_an_archive_is_never_written_over_another_and_a_broken_off_one_is_begun_anew(
    publishing: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "archive"
    left = tmp_path / "archive.partial" / "d" / "of-before.html"
    left.parent.mkdir(parents=True)
    left.write_text("修枇杷山水管")
    assert await snapshot(publishing, folder) == 0
    assert "修枇杷山水管" not in everything(folder)
    assert await snapshot(publishing, folder) == 1
    assert "is there already" in capsys.readouterr().err
    assert await snapshot(publishing, tmp_path / "none" / "archive") == 1
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/v/210881006206/F01/2025", "v/210881006206/F01/2025.html"),
        ("/d/01a2/3", "d/01a2/3.html"),
        ("/d/01a2.csv", "d/01a2.csv"),
        ("/api/v1/disclosures/01a2", "disclosures/01a2.json"),
        # Whoever wrote such a link leads nowhere with it, least of all out of the folder.
        ("/d/../../etc/passwd", None),
        ("/objects/../x", None),
        ("/v/210881006206/feed.atom", None),
        ("/desk", None),
    ],
)
def test_a_path_has_one_file_or_none(path: str, file: str | None) -> None:
    assert file_for(path) == file


def test_a_link_that_leads_out_of_the_archive_is_taken_off() -> None:
    text = '<html><head></head><body><a class="button" href="/desk?x=1">桌</a> <a href="/v/210881006206#missing">村</a></body>'
    made, objects = archived(text, "/d/01a2", builders.NOW)
    assert '<a class="button">桌</a>' in made
    assert '<a href="../v/210881006206.html#missing">村</a>' in made
    assert objects == set()


async def test_questions_are_in_an_archive_with_what_was_said_and_nobodys_reference(
    publishing: Any, tmp_path: Path
) -> None:
    await publishing.opened()
    told = {"about": builders.VILLAGE, "text": "枇杷山的路灯什么时候修？", "shows": "question"}
    asked = await publishing.served.client.post("/api/v1/questions", json=told)
    assert asked.status_code == 201, asked.text
    folder = tmp_path / "archive"
    assert await snapshot(publishing, folder) == 0
    assert dangling(folder) == []
    page = (folder / "q" / f"{asked.json()['id']}.html").read_text()
    assert "枇杷山的路灯什么时候修？" in page
    assert f"q/{asked.json()['id']}.html" in (folder / "v" / builders.VILLAGE / "questions.html").read_text()
    assert asked.json()["ref"] not in everything(folder)
    # Nobody asks in an archive.
    assert 'href="/ask' not in everything(folder)


async def test_what_money_went_for_and_what_firms_were_paid_is_in_an_archive_and_adds_up(
    publishing: Any, tmp_path: Path
) -> None:
    def paying(fen: int, summary: str) -> dict[str, Any]:
        line = {**builders.ledger()["lines"][0], "summary": summary, "direction": "out", "amount_fen": fen}
        return {**builders.ledger(), "lines": [{**line, "payee": "惠民五金店"}], "totals": None}

    await publishing.opened(body=paying(1_234_56, "买水管"))
    await publishing.opened(village=builders.FAR_VILLAGE, body=paying(100_00, "买锁"))
    await publishing.opened(period="2025-10", history=True, body=paying(7_00, "买钉子"))
    gone = await publishing.opened(period="2026-09", body=paying(9_999_99, "修枇杷山水管"))
    await publishing.withdrawn(gone)
    folder = tmp_path / "archive"
    assert await snapshot(publishing, folder) == 0
    assert dangling(folder) == []
    spent = (folder / "v" / builders.VILLAGE / "F01" / "2026" / "spending.html").read_text()
    assert '一共花了 <b class="amount">1,234.56元</b>，1笔' in spent
    assert "1234.56" in (folder / "v" / builders.VILLAGE / "F01" / "2026" / "spending.csv").read_text("utf-8-sig")
    firms = {p.relative_to(folder / "f").as_posix(): p.read_text() for p in (folder / "f").rglob("*.html")}
    key = next(iter(sorted(firms))).partition("/")[0].removesuffix(".html")
    assert firms.keys() == {f"{key}.html", f"{key}/2026.html", f"{key}/2025.html"}
    newest = firms[f"{key}.html"]
    assert "1,334.56元" in newest
    assert ("1,234.56元" in newest, "100.00元" in newest, "9,999.99" in newest) == (True, True, False)
    assert f'href="{key}/2025.html"' in newest
    assert "7.00元" in firms[f"{key}/2025.html"]
    assert f"f/{key}.html" in "".join(p.read_text() for p in (folder / "d").glob("*.html"))
    assert "修枇杷山水管" not in everything(folder)


async def test_a_firm_of_what_is_withdrawn_while_an_archive_is_written_is_taken_out_of_it(
    publishing: Any, tmp_path: Path
) -> None:
    runtime = publishing.served.runtime
    line = {**builders.ledger()["lines"][0], "direction": "out", "payee": "枇杷山水泥厂"}
    event = await publishing.opened(body={**builders.ledger(), "lines": [line], "totals": None})
    async with runtime.database.connection() as conn:
        position = await marks.select_newest_change(conn)
    site = command._Site(tmp_path, runtime.own.bodies, builders.NOW)
    await write_firms(runtime, site.write_body, site.folder)
    assert "枇杷山水泥厂" in everything(tmp_path)
    await publishing.withdrawn(event)
    await command._write_again(runtime, site, [("city", "")], position)
    assert "枇杷山水泥厂" not in everything(tmp_path)
