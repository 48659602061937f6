"""10,000 lines of an accountant's spreadsheet, read, checked and stored, beside what calamine takes to read them.

    python -m tests.bench.workbook

Over a PostgreSQL of its own, in this process; five villages with 2,000 lines each. It prints processor
seconds, which others on the machine do not lengthen, and the ratio. Bar: at most 8.
"""

import asyncio
import io
import resource
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Final

import httpx2
import xlsxwriter
from pydantic import SecretStr
from python_calamine import CalamineWorkbook

from deploy.local import migrate
from deploy.local.postgres import Postgres
from services.ingest.__main__ import SERVICE
from services.kit import reference
from services.kit.auth import issue_token
from services.kit.clock import FixedClock
from services.kit.process import open_runtime
from tests import builders
from tests.bench import decade
from tests.bench.decade import TOWNSHIP

VILLAGES: Final = 5
LINES: Final = 2000
ROUNDS: Final = 3
#: Months of which nothing else is entered, one a round.
MONTHS: Final = ((2026, 3), (2026, 4), (2026, 5))


def book_of(names: list[str], year: int, month: int) -> bytes:
    """A journal of a month, a sheet for each village."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    dated = book.add_format({"num_format": "yyyy-mm-dd"})
    for name in names:
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, [f"{name}银行存款日记账 {year}年{month}月"])
        sheet.write_row(1, 0, ["日期", "凭证字号", "摘要", "收入", "支出", "余额", "对方科目", "经手人"])
        sheet.write_row(2, 0, ["", "", "上月结转", "", "", 1_000_000])
        for n in range(LINES):
            sheet.write_datetime(3 + n, 0, date(year, month, 1 + n % 28), dated)
            sheet.write_row(
                3 + n,
                1,
                [f"记-{n + 1}", f"付第{n + 1}次杂支", "", 1.25, 1_000_000 - 1.25 * (n + 1), "管理费用", "某甲"],
            )
    book.close()
    return out.getvalue()


def _spent() -> float:
    """Processor seconds of this process and of those that it started and that have ended; PostgreSQL's are not among them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def calamine_s(data: bytes) -> float:
    """How long calamine takes for all cells."""
    began = _spent()
    opened = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in opened.sheet_names:
        opened.get_sheet_by_name(name).to_python()
    return _spent() - began


async def _ask(client: httpx2.AsyncClient, path: str, **sent: object) -> tuple[str, float]:
    began = _spent()
    answer = await client.post(path, **sent)  # type: ignore[arg-type] # files of a form
    if answer.status_code != 303:
        raise RuntimeError(answer.text)
    return str(answer.headers["location"]), _spent() - began


async def _measure(dsn: str) -> list[tuple[float, float, float]]:
    values = {"database_url": SecretStr(dsn), "http_port": 0, "home": Path(tempfile.gettempdir())}
    values |= {"kafka": "", "kafka_username": "ingest", "kafka_password": "none", **builders.ROOT_SETTINGS}
    runtime = await open_runtime(SERVICE, SERVICE.settings.model_validate(values), FixedClock(builders.NOW))
    async with runtime.database.transaction() as conn:
        for event in decade.reference_events(decade.span(3)):
            await reference.project(conn, event)
    await runtime.reference.refresh()
    names = [d.now.name for d in runtime.reference.villages(TOWNSHIP)][:VILLAGES]
    who = builders.staff_id(f"accountant-{TOWNSHIP}")
    token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, who, builders.NOW)
    headers = {"authorization": f"Bearer {token}", "accept": "text/html"}
    transport = httpx2.ASGITransport(app=SERVICE.create_app(runtime))
    found = []
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8000", headers=headers, timeout=120
    ) as client:
        for year, month in MONTHS[:ROUNDS]:
            data = book_of(names, year, month)
            peer = min(calamine_s(data) for _ in range(3))
            page, reading = await _ask(client, "/desk/imports", files={"file": ("全镇.xlsx", data)})
            _, taking = await _ask(client, f"{page}/take", data={})
            found.append((peer, reading, taking))
    await runtime.database.close()
    return found


async def _run(home: Path) -> list[tuple[float, float, float]]:
    async with Postgres(home) as pg:
        await migrate.migrate_all(pg)
        await pg.copy_database("workbook")
        return await _measure(pg.dsn("ingest", "workbook"))


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        found = asyncio.run(_run(Path(folder)))
    peer, reading, taking = (statistics.median(column) for column in zip(*found, strict=True))
    ratio = (reading + taking) / peer
    sys.stdout.write(
        f"{VILLAGES * LINES} lines: calamine {peer:.2f} s; read and kept {reading:.2f} s, checked and stored {taking:.2f} s: {ratio:.1f} times\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
