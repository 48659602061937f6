"""Administration on pages: the same rights as by API, secrets shown once, nothing shown that is not one's own to see."""

import re
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OWN_PAGE, PASSWORD, emptied, take

ANNA = f"anna,{PASSWORD},,clerk,210881006206\n"
VILLAGE = "210881006206"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    await take(served, HEAD + ANNA)
    return served


async def ask(served: Served, path: str, who: str = "operator", **form: Any) -> Any:
    """GET, or POST when there is a form; as a browser does."""
    headers = {**served.bearer(who), "accept": "text/html"}
    if form:
        answer = await served.client.post(path, headers=headers, **form)
    else:
        answer = await served.client.get(path, headers=headers)
    await served.runtime.reference.refresh()
    return answer


PAGES = {
    "/admin/staff": {"operator", "reviewer-210881006"},
    "/admin/import": {"operator"},
    "/admin/actions": {"operator", "inspector-210881006"},
    "/admin/divisions": {"operator", "inspector-210881006", "reviewer-210881006", "clerk-210881006206"},
    "/admin/catalogue": {"operator", "inspector-210881006", "reviewer-210881006", "clerk-210881006206"},
    "/admin/calendar": {"operator", "inspector-210881006", "reviewer-210881006", "clerk-210881006206"},
    "/account": {"operator", "inspector-210881006", "reviewer-210881006", "clerk-210881006206"},
    "/admin/staff/anna": {"operator", "reviewer-210881006"},
}


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_opens_for_its_readers_alone(registry: Served, path: str) -> None:
    for who in ("operator", "inspector-210881006", "reviewer-210881006", "clerk-210881006206"):
        expected = 200 if who in PAGES[path] else 403
        assert (await ask(registry, path, who)).status_code == expected, who
    stranger = await registry.client.get(path, headers={"accept": "text/html"})
    assert stranger.status_code == 303


async def test_pages_carry_no_script_and_say_that_it_is_a_sample(registry: Served) -> None:
    for path in PAGES:
        text = (await ask(registry, path)).text
        assert "<script" not in text
        assert "示例数据" in text


async def test_the_list_narrows_and_offers_a_new_account_to_operators(registry: Served) -> None:
    found = (await ask(registry, "/admin/staff?search=ann&role=&scope=")).text
    assert 'href="/admin/staff/anna"' in found
    assert "inspector-210881006" not in found
    assert "从未" in found
    assert "新开账号" in found
    assert "新开账号" not in (await ask(registry, "/admin/staff", "reviewer-210881006")).text
    for wrong in ("?role=mayor", "?scope=12", f"?search={'x' * 300}"):
        assert (await ask(registry, f"/admin/staff{wrong}")).status_code == 422


async def test_a_new_account_shows_its_password_once(registry: Served) -> None:
    form = {"username": "ben", "name": "", "role": "clerk", "scope": VILLAGE, "affairs": ["party", "finance"]}
    made = await ask(registry, "/admin/staff", data=form)
    assert made.status_code == 200, made.text
    (password,) = re.findall(r"<code>(.{16})</code>", made.text)
    assert password not in (await ask(registry, "/admin/staff/ben")).text
    body = {"username": "ben", "password": password}
    first = await registry.client.post("/sign-in", data=body, headers=OWN_PAGE)
    assert (first.status_code, 'name="new_password"' in first.text) == (403, True)
    short = await registry.client.post("/sign-in", data={**body, "new_password": "short"}, headers=OWN_PAGE)
    assert (short.status_code, 'name="new_password"' in short.text) == (422, True)
    done = await registry.client.post(
        "/sign-in", data={**body, "new_password": "my-own-long-password"}, headers=OWN_PAGE
    )
    assert (done.status_code, done.headers["location"]) == (303, "/desk")


@pytest.mark.parametrize(
    ("change", "status"),
    [({"username": "anna"}, 409), ({"username": "B B"}, 422), ({"role": ""}, 422), ({"scope": "1"}, 422),
     ({"affairs": "money"}, 422), ({"scope": "210881006"}, 422)],
)  # fmt: skip
async def test_a_wrong_form_is_refused_in_words(registry: Served, change: dict[str, str], status: int) -> None:
    form = {"username": "bob", "role": "clerk", "scope": VILLAGE, **change}
    refused = await ask(registry, "/admin/staff", data=form)
    assert (refused.status_code, "没有成功" in refused.text) == (status, True)


async def test_everything_of_an_account_is_done_on_its_page(registry: Served) -> None:
    post = {"name": "李安", "role": "supervisor", "scope": VILLAGE}
    assert (await ask(registry, "/admin/staff/anna/change", data=post)).status_code == 303
    delegation = {"scope": VILLAGE, "document": "西街发〔2026〕3号", "until": ""}
    assert (await ask(registry, "/admin/staff/anna/delegations", data=delegation)).status_code == 303
    shown = (await ask(registry, "/admin/staff/anna")).text
    assert all(word in shown for word in ("李安", "西街发〔2026〕3号", "村监委会成员"))
    ended = await ask(registry, "/admin/staff/anna/delegations/end", data={"document": delegation["document"]})
    assert ended.status_code == 303
    reset = await ask(registry, "/admin/staff/anna/reset", data={"x": "1"})
    assert (reset.status_code, "一次性密码" in reset.text) == (200, True)
    assert (await ask(registry, "/admin/staff/anna/revoke", data={"x": "1"})).status_code == 303
    assert (await ask(registry, "/admin/staff/anna/end", data={"x": "1"})).status_code == 303
    assert "已停用" in (await ask(registry, "/admin/staff/anna")).text


async def test_a_reviewer_sees_the_reset_and_nothing_else(registry: Served) -> None:
    shown = (await ask(registry, "/admin/staff/anna", "reviewer-210881006")).text
    assert "重置密码" in shown
    assert "停用账号" not in shown
    assert (await ask(registry, "/admin/staff/anna", "reviewer-210881102")).status_code == 403
    assert (await ask(registry, "/admin/staff/anna/end", "reviewer-210881006", data={"x": "1"})).status_code == 403
    assert (await ask(registry, "/admin/staff/nobody")).status_code == 404


async def test_what_somebody_typed_stays_text(registry: Served) -> None:
    post = {"name": "<b>安</b>", "role": "clerk", "scope": VILLAGE}
    await ask(registry, "/admin/staff/anna/change", data=post)
    shown = (await ask(registry, "/admin/staff/anna")).text
    assert "&lt;b&gt;安&lt;/b&gt;" in shown
    assert "<b>安</b>" not in shown


async def test_a_file_is_checked_shown_and_then_taken(registry: Served) -> None:
    text = HEAD + "gina,,,clerk,210881006208\n"
    shown = await ask(registry, "/admin/import", files={"file": ("staff.csv", ("\ufeff" + text).encode(), "text/csv")})
    assert (shown.status_code, "新开 1 个：gina" in shown.text, "确认导入" in shown.text) == (200, True, True)
    taken = await ask(registry, "/admin/import/apply", data={"text": text.replace("\n", "\r\n")})
    assert (taken.status_code, "已导入：新开 1 个" in taken.text) == (200, True)
    assert len(re.findall(r"<code>.{16}</code>", taken.text)) == 1
    assert "gina" in (await ask(registry, "/admin/staff?search=gina")).text


async def test_a_faulty_file_shows_every_place(registry: Served) -> None:
    text = HEAD + "hans,,,mayor,210881006208\nhugo,,,clerk,1\n"
    shown = await ask(registry, "/admin/import", files={"file": ("staff.csv", text.encode(), "text/csv")})
    assert all(place in shown.text for place in ("line 2, role", "line 3, scope"))
    assert "确认导入" not in shown.text
    for data in (b"", b"PK\x03\x04\x00", "姓名\n".encode("gb18030")):
        refused = await ask(registry, "/admin/import", files={"file": ("x.csv", data, "text/csv")})
        assert (refused.status_code, "确认导入" in refused.text) == (200, False)


async def test_own_password_on_the_page(registry: Served) -> None:
    refused = await ask(
        registry, "/account/password", "clerk-210881006206", data={"password": "x", "new_password": "y"}
    )
    assert refused.status_code == 422
    everywhere = await ask(registry, "/account/sign-out-everywhere", "clerk-210881006208", data={"x": "1"})
    assert (everywhere.status_code, everywhere.headers["location"]) == (303, "/sign-in")


async def test_the_trail_page_filters_and_refuses_nonsense(registry: Served) -> None:
    await ask(registry, "/admin/staff/anna/reset", data={"x": "1"})
    shown = (await ask(registry, "/admin/actions?actor=operator&object=&since=&before=")).text
    assert "POST /admin/staff/{username}/reset" in shown
    assert "没有符合条件的记录" in (await ask(registry, "/admin/actions?actor=nobody")).text
    for wrong in ("?since=yesterday", "?before=x", "?before=-1", "?before=99999999999999999999"):
        assert (await ask(registry, f"/admin/actions{wrong}")).status_code == 422


async def test_a_foreign_page_cannot_administer_with_our_cookie(registry: Served) -> None:
    token = registry.bearer("operator")["authorization"].split()[1]
    headers = {"cookie": f"sanwu_token={token}", "origin": "http://evil.example", "accept": "text/html"}
    answer = await registry.client.post("/admin/staff/anna/end", headers=headers)
    assert answer.status_code == 403
