"""Signs that nobody sees, in every text that somebody hands in: refused with the place, in every service, in every form."""

import json
from typing import Any, Final

import pytest

from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from services.ingest.bulk.prepared import FileFaultsError, read_prepared
from tests import builders
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, Stage, filled
from tests.house.test_hostile import address, sent

#: Overrides and isolates of the direction of writing, its marks, ESC, BEL, DEL, a sign of C1; what has no width or ink.
HIDDEN: Final = (
    *("\u202e", "\u2066", "\u200e", "\u200f", "\u061c", "\x1b", "\x07", "\x7f", "\x9b", "\x00"),
    *("\u00ad", "\u034f", "\u115f", "\u1160", "\u180e", "\u200b", "\u200d", "\u2028", "\u2029", "\u2060", "\u2064"),
    *("\u2800", "\u3164", "\ufeff", "\uffa0", "\U000e0041"),
)
SENDING: Final = [
    pytest.param(name, row, id=f"{name} {row.route}")
    for name in SERVICES
    for row in RIGHTS[name]
    if row.route.startswith(("POST", "PUT")) and ("json" in row.sent or "data" in row.sent)
]


def with_hidden(value: Any, sign: str) -> list[tuple[str, Any]]:
    """A value with the sign in one of its texts after the other, each with the name beside it."""
    found: list[tuple[str, Any]] = []
    match value:
        case dict():
            for name, inner in value.items():
                found += [(at or name, {**value, name: bad}) for at, bad in with_hidden(inner, sign)]
        case list():
            for n, inner in enumerate(value):
                found += [(at, [*value[:n], bad, *value[n + 1 :]]) for at, bad in with_hidden(inner, sign)]
        case str():
            found.append(("", f"{value}{sign}"))
    return found


@pytest.mark.parametrize(("name", "row"), SENDING)
async def test_no_route_takes_a_text_in_which_something_is_hidden(
    stages: dict[ServiceName, Stage], name: ServiceName, row: Row
) -> None:
    stage = stages[name]
    who = INSIDE[next((r for r in Role if r in row.who), Role.CLERK)]
    kind = "json" if "json" in row.sent else "data"
    good = filled(stage, row.sent[kind])
    for n, (at, bad) in enumerate(with_hidden(good, HIDDEN[len(row.route) % len(HIDDEN)])):
        request: dict[str, Any] = {"headers": {"content-type": "application/json"}, "content": json.dumps(bad).encode()}
        if kind == "data":
            answer = await stage.served.client.request(
                row.route.partition(" ")[0], address(stage, row, {}), data=bad, headers=stage.served.bearer(who)
            )
        else:
            answer = await sent(stage, row, who, address(stage, row, {}), request)
        assert answer.status_code == 422, (n, at, answer.status_code, answer.text[:300])
        if answer.headers["content-type"].startswith("text/html"):
            # A form that comes back with what was typed.
            assert "看不见的控制字符" in answer.text
        else:
            assert any(at in fault["at"] for fault in answer.json()["errors"]), (at, answer.text)


@pytest.mark.parametrize("sign", HIDDEN)
async def test_nor_does_a_query_a_path_a_key_a_field_or_a_files_name(
    stages: dict[ServiceName, Stage], sign: str
) -> None:
    served = stages["ingest"].served
    headers = served.bearer("clerk-210881006206")
    told = f"含有看不见的控制字符（U+{ord(sign):04X}），请把这一格清空，重新打一遍，不要粘贴"
    queried = await served.client.get("/ingest/v1/duties", params={"period": f"2026{sign}"}, headers=headers)
    assert (queried.status_code, queried.json()["errors"]) == (422, [{"at": "query.period", "message": told}])
    walked = await stages["registry"].served.client.post(
        f"/registry/v1/staff/a{''.join(f'%{b:02X}' for b in sign.encode())}/reset", headers=served.bearer("operator")
    )
    assert (walked.status_code, walked.json()["errors"][0]["at"]) == (422, "path.username")
    named = await served.client.post("/desk/nil", data={f"a{sign}": "1"}, headers=headers)
    assert (named.status_code, named.json()["errors"][0]["message"]) == (422, told)
    # httpx2 itself quotes control signs in names of files.
    name = f'filename="a{sign}.png"'.encode()
    form = b'--x\r\nContent-Disposition: form-data; name="file"; ' + name + b"\r\n\r\n\x89PNG\r\n--x--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=x"}
    if sign != "\x00":
        filed = await served.client.post("/ingest/v1/attachments", content=form, headers={**headers, **kind})
        assert (filed.status_code, filed.json()["errors"]) == (422, [{"at": "file", "message": told}])
    if ord(sign) < 256:
        keyed = await served.client.post(
            "/ingest/v1/approvals",
            json={"items": []},
            headers={
                n.encode(): v.encode("latin-1") for n, v in {**headers, "idempotency-key": f"12345678{sign}"}.items()
            },
        )
        assert (keyed.status_code, keyed.json()["errors"][0]["at"]) == (422, "header.Idempotency-Key")


@pytest.mark.parametrize("sign", ["\u202e", "\x1b"])
def test_a_prepared_file_names_line_and_column_or_the_path(sign: str) -> None:
    head = "村代码,事项,公开期,行别,账户,日期,摘要,收支,金额\n"
    line = f"{builders.VILLAGE},F01,2026-10,明细,库存现金,2026-10-03,修{sign}水管,支出,1.00\n"
    with pytest.raises(FileFaultsError) as caught:
        read_prepared((head + line).encode())
    assert [f.at for f in caught.value.faults] == ["第 2 行“摘要”列"]
    body = {"disclosures": [{"village": "x", "item": "F01", "period": "2026", "body": {"lines": [{"summary": sign}]}}]}
    with pytest.raises(FileFaultsError) as caught:
        read_prepared(json.dumps(body).encode())
    assert [f.at for f in caught.value.faults] == ["disclosures[0].body.lines[0].summary"]


async def test_lines_and_tabs_pass_where_texts_have_several(stages: dict[ServiceName, Stage]) -> None:
    served = stages["registry"].served
    body = {"username": "nobody-here", "password": "a\tb\r\nc"}
    answer = await served.client.post("/registry/v1/sign-in", json=body)
    assert answer.status_code == 401, answer.text
