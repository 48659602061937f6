"""What one request can set going needs no more than about four times the time for four times as much, whatever it is made of."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import pytest

from services.contracts import privacy
from services.contracts.bodies import BODY, Body, Ledger, body_digest, figures
from services.contracts.catalogue import ItemKind, Masking
from services.ingest import forms
from services.ingest.bulk.prepared import answer as prepared
from services.ingest.bulk.prepared import read_answer
from services.ingest.forms.paste import paste
from services.ingest.gate.bodies import read_body
from services.ingest.gate.differences import differences
from services.ingest.gate.findings import personal_in
from services.ingest.pages.compare import changes
from services.ingest.pages.reading import blocks_of
from services.publish.render.changes import what_changed
from services.publish.render.ledger import ledger_view
from services.publish.render.masking import masked_body
from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import read_staff
from tests import builders
from tests.ingest.test_forms import WHERE, item

SMALL: Final = 400
#: Four times the work, and what a machine that others use adds to it. Sixteen times is what work by pairs would need.
MOST: Final = 10
#: Work that is done sooner tells nothing about its growth.
SHORT: Final = 0.02


def ledger(n: int, *, alike: bool) -> dict[str, Any]:
    [line, *_] = builders.ledger()["lines"]
    words = [
        {"summary": "修水管"} if alike else {"summary": f"修第{k}号水管", "voucher": {"word": "记", "no": k + 1}}
        for k in range(n)
    ]
    return builders.ledger(lines=[{**line, **w} for w in words], totals=None)


def roster(n: int, *, alike: bool) -> dict[str, Any]:
    names = ("张三" if alike else f"张{chr(0x4E00 + k)}" for k in range(n))
    return {"kind": "roster", "entries": [{"name": name, "amount_fen": 100, "remark": "住村东头"} for name in names]}


def notice(n: int, *, alike: bool) -> dict[str, Any]:
    return {
        "kind": "notice",
        "title": "公告",
        "paragraphs": [("张三、李四1 " if alike else "0-0-0")[:6] * (n // 8)] * 8,
    }


MADE: Final = MappingProxyType({"ledger": ledger, "roster": roster, "notice": notice})


def form(body: Body) -> forms.Form:
    return forms.form_of("F01", item(ItemKind(body.kind)), WHERE, body.model_dump(mode="json", exclude_none=True))


def submitted(body: Body) -> Any:
    shown = form(body)
    counts = {f"{path}.~count": str(n) for path, n in shown.counts.items()}
    fields = {**shown.values, **counts, "village": WHERE[0], "period": WHERE[1]}
    return forms.to_body(forms.read_form("F01", item(ItemKind(body.kind)), fields))


def remarked(body: Body) -> Any:
    """A finding at every row, told by the form and by the page."""
    shown = form(body)
    rows = {"ledger": "lines", "roster": "entries", "notice": "paragraphs"}[body.kind]
    forms.note_faults(shown, [(f"body.{rows}[{k}]", "不对") for k in range(body.row_count)])
    return blocks_of(shown, {})


def changed(body: Body) -> Body:
    """The same with its rows the other way round."""
    rows = {"ledger": "lines", "roster": "entries", "notice": "paragraphs"}[body.kind]
    return body.model_copy(update={rows: getattr(body, rows)[::-1]})


OF_A_BODY: Final[Mapping[str, Callable[[Body], Any]]] = MappingProxyType(
    {
        "read": lambda body: read_body(body.model_dump(mode="json", exclude_none=True)),
        "arithmetic": lambda body: body.findings("2026-10"),
        "personal data": personal_in,
        "digest": body_digest,
        "figures": figures,
        "stored": lambda body: BODY.validate_json(body.model_dump_json()),
        "form": submitted,
        "remarks": remarked,
        "masked": lambda body: [masked_body(body, masking, "V18") for masking in Masking],
        "rendered": lambda body: ledger_view(body, body, aggregate=False) if isinstance(body, Ledger) else None,
    }
)


def seconds(work: Callable[[], Any]) -> float:
    """Of a processor, the least of two times."""
    found = []
    for _ in range(2):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def growth(make: Callable[[int], Callable[[], Any]]) -> float:
    """How many times as long four times as much takes."""
    return seconds(make(4 * SMALL)) / max(seconds(make(SMALL)), SHORT)


def _bodies() -> Iterator[tuple[str, bool, str]]:
    for kind in MADE:
        for alike in (True, False):
            yield from ((kind, alike, name) for name in OF_A_BODY)


@pytest.mark.parametrize(("kind", "alike", "name"), list(_bodies()))
def test_four_times_the_body_takes_about_four_times_the_time(kind: str, name: str, *, alike: bool) -> None:
    def make(n: int) -> Callable[[], Any]:
        body = read_body(MADE[kind](n, alike=alike))
        return lambda: OF_A_BODY[name](body)

    assert growth(make) < MOST


@pytest.mark.parametrize("kind", ["ledger", "roster"])
@pytest.mark.parametrize("compare", ["difference", "public", "desk"])
def test_two_editions_of_the_largest_body_are_compared_in_bounded_time(kind: str, compare: str) -> None:
    for alike in (True, False):
        before = read_body(MADE[kind](2000, alike=alike))
        after = changed(before)
        began = time.process_time()
        match compare:
            case "difference":
                list(differences(before.model_dump(mode="json"), after.model_dump(mode="json")))
            case "public":
                what_changed(before, after)
            case _:
                changes(form(before), form(after))
        assert time.process_time() - began < 8


TEXTS: Final = (
    *(
        "0-0-0",
        "1 1 1 ",
        "1.",
        "村东头李四138 ",
        "身份证",
        "(",
        "、1",
        "张三李四王五",
        "第1组",
        "1/2/",
        "\uff11\uff12",
        "138 ",
        "a@b.",
    ),
    *("二〇", "①", "11010519491231002", "住址：", "6217 ", "一", "微信"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_four_times_the_text_is_searched_in_about_four_times_the_time(text: str) -> None:
    for search in (privacy.detect, lambda long: list(privacy.findings(long, "a")), privacy.mask):
        assert growth(lambda n, search=search: lambda: search((text * 8 * n)[: 8 * n])) < MOST  # type: ignore[misc] # bound now


def _csv(n: int) -> bytes:
    return b"village,item,period,row,account,opening,closing\n" + b"210881006206,F01,2026-10,account,cash,1,1\n" * n


def _wrong(n: int) -> bytes:
    return b"village,item,period,row,account,opening,closing\n" + b"210881006206,F01,2026-10,account,cash,x,1\n" * n


def _staff(data: bytes) -> Any:
    try:
        return read_staff(data, may_be_blank=True)
    except FileFaultsError as error:
        return error


FILES: Final[Mapping[str, Callable[[int], Callable[[], Any]]]] = MappingProxyType(
    {
        "prepared": lambda n: lambda: list(read_answer(prepared(_csv(n * 10)))),
        "prepared, wrong": lambda n: lambda: prepared(_wrong(n * 10)),
        "prepared, one long head": lambda n: lambda: prepared(b"village," * n * 10),
        "prepared, quotes": lambda n: lambda: prepared(_csv(1) + b'"' * n * 10),
        "staff": lambda n: (
            lambda: _staff(
                b"username,password,totp_secret,role,scope\n"
                + b"".join(b"u%d,,,clerk,210881006206\n" % k for k in range(n))
            )
        ),
        "staff, wrong": lambda n: lambda: _staff(b"username,password,totp_secret,role,scope\n" + b"u,,,x,2\n" * n),
        "staff, one long head": lambda n: lambda: _staff(b"username," * n * 10),
        "pasted": lambda n: (
            lambda: paste(
                forms.read_form("F01", item(ItemKind.LEDGER), {"village": WHERE[0], "period": WHERE[1]}),
                "lines",
                "日期\t摘要\t收入\n" + "2026-10-03\t卖树\t1\n" * n,
            )
        ),
        "pasted, one long line": lambda n: (
            lambda: paste(
                forms.read_form("F01", item(ItemKind.LEDGER), {"village": WHERE[0], "period": WHERE[1]}),
                "lines",
                "日期\t摘要\t收入\n" + "1\t" * n * 10,
            )
        ),
    }
)


@pytest.mark.parametrize("file", FILES)
def test_four_times_the_file_is_read_in_about_four_times_the_time(file: str) -> None:
    assert growth(FILES[file]) < MOST
