"""Every kind of page that villagers and staff have: fits on a phone and on a laptop and passes axe-core, contrast 7:1.

The desk's own pages, with something on every list, are in test_desk.py.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # ships no types
from playwright.async_api import Browser, Page

from services.contracts.values import Frequency, period_bounds, period_of
from tests.browser import steps
from tests.browser.steps import DESK, REVIEWER, TOWNSHIP
from tests.browser.test_desk import RULES
from tests.running import RunningCity

#: The village of which the sample shows every item.
SHOWCASE: Final = f"{TOWNSHIP}206"
CITY_INSPECTOR: Final = "inspector-210881"
#: Ledger, roster, notice, decision, contract, project, table.
KINDS: Final = ("F01", "V09", "V16", "V01", "V07", "V08", "F02")
STAFF_PAGES: Final = (
    ("operator", "/admin"),
    ("operator", "/admin/staff"),
    ("operator", f"/admin/staff/{REVIEWER}"),
    ("operator", "/admin/import"),
    ("operator", "/admin/actions"),
    ("operator", "/admin/divisions"),
    ("operator", "/admin/catalogue"),
    ("operator", "/admin/calendar"),
    ("operator", "/account"),
    ("operator", "/posters"),
    ("operator", "/posters/print"),
    ("operator", "/posters/new"),
    ("operator", "/posters/import"),
    ("operator", "/desk"),
    (CITY_INSPECTOR, "/inspect"),
    (CITY_INSPECTOR, "/inspect?state=all"),
    (CITY_INSPECTOR, "/inspect/grid"),
    (CITY_INSPECTOR, "/inspect/rules"),
    (CITY_INSPECTOR, "/inspect/leads"),
    (CITY_INSPECTOR, "/posters"),
    (CITY_INSPECTOR, "/desk/grid"),
    (f"accountant-{TOWNSHIP}", "/desk"),
    (f"principal-{SHOWCASE}", "/desk"),
    ("department-210881-finance", "/desk/grid"),
    (f"clerk-{SHOWCASE}", "/inspect"),
    (f"clerk-{SHOWCASE}", "/desk/questions"),
    (REVIEWER, "/desk/questions"),
)


@pytest.fixture(scope="module")
def public(small_city: RunningCity) -> list[str]:
    """One page of every kind."""
    opened = steps.get(small_city, f"/api/v1/villages/{SHOWCASE}/disclosures?limit=200")["items"]
    kinds = [next(d["url"] for d in opened if d["item"] == item) for item in KINDS]
    corrected = next(c["id"] for c in steps.changes(small_city) if c["kind"] == "corrected")
    cell = f"item=F01&period={steps.months_ago(1)}"
    (nil,) = steps.get(small_city, f"/api/v1/villages/{TOWNSHIP}210/disclosures?{cell}")["items"]
    codes = httpx2.get(f"{small_city.url}/qr/v1/codes", headers=_bearer(small_city, "operator")).json()["items"]
    code = next(c["code"] for c in codes if c["village"] == SHOWCASE)
    steps.until(lambda: bool(steps.get(small_city, "/api/v1/lines?limit=1")["items"]))
    lines = steps.get(small_city, "/api/v1/lines?item=F01&direction=out&limit=200")["items"]
    firm = next(line["firm"] for line in lines if line["firm"] is not None)
    project = steps.get(small_city, f"/api/v1/disclosures/{kinds[KINDS.index('V08')].rpartition('/')[2]}")["body"]
    return [
        *("/", f"/t/{TOWNSHIP}", f"/v/{SHOWCASE}", f"/v/{SHOWCASE}#s-{code}"),
        # With a waiver; the items: opened, waived, overdue.
        *(f"/v/{TOWNSHIP}201", f"/v/{SHOWCASE}/F01", f"/v/{TOWNSHIP}201/F10", f"/v/{TOWNSHIP}212/F09"),
        *(*kinds, nil["url"], f"/d/{corrected}", f"/d/{corrected}/1", f"/d/{_withdrawn(small_city)}"),
        *(
            f"/v/{SHOWCASE}/big",
            f"/v/{SHOWCASE}/en",
            f"/v/{TOWNSHIP}212/en",
            f"/v/{SHOWCASE}/F01/2025",
            "/search?q=红旗",
            "/search?q=正西海村",
            "/search?q=xihai 低保",
        ),
        *("/search", "/search?q=水泥", "/search?q=西海村 2000-9000元", "/search?q=王秀英", "/search?q=直升飞机"),
        f"/v/{SHOWCASE}/resolution?no={project['resolution_id']}",
        *(f"/f/{firm}", f"/v/{SHOWCASE}/F01/{steps.months_ago(1)[:4]}/spending"),
        *(f"/ask?about={SHOWCASE}", f"/ask?about={TOWNSHIP}212/F09/{_quarter()}&kind=missing", "/ask?about=nothing"),
        *(f"/q/{_asked(small_city)}", f"/v/{SHOWCASE}/questions", f"/q/{_joinable(small_city)}/join"),
        *(f"/ask?about={SHOWCASE}&big=1", f"{kinds[0]}/adopt"),
        *("/en/", f"/en/t/{TOWNSHIP}", f"/en/v/{SHOWCASE}", f"/en/v/{SHOWCASE}/F01", f"/en/ask?about={SHOWCASE}"),
        f"/en{kinds[0].removeprefix(small_city.url)}",
        *("/nothing/here", "/c/XXXXXXXX", "/sign-in"),
    ]


def _bearer(city: RunningCity, user: str) -> dict[str, str]:
    return {"authorization": f"Bearer {city.token(user)}"}


def _quarter() -> str:
    return period_of(period_bounds(steps.months_ago(3))[0], Frequency.QUARTERLY)


def _asked(city: RunningCity) -> str:
    """The reference of a question that the village answered."""
    body = {"about": SHOWCASE, "text": "村里的路灯什么时候修？", "shows": "question"}
    ref = str(httpx2.post(f"{city.url}/api/v1/questions", json=body).json()["ref"])
    path = f"/ingest/v1/questions/{ref}"
    clerk = f"clerk-{SHOWCASE}"
    steps.until(lambda: httpx2.get(f"{city.url}{path}", headers=_bearer(city, clerk)).status_code == 200)
    steps.call(city, clerk, f"{path}/answer", {"text": "下个月初修好。"})
    steps.until(lambda: bool(steps.get(city, f"/api/v1/questions/{ref}")["state"] == "answered"))
    return ref


def _joinable(city: RunningCity) -> str:
    """The id of a question that waits, and that others may join."""
    body = {"about": SHOWCASE, "text": "村部门口的路什么时候修？", "shows": "question"}
    return str(httpx2.post(f"{city.url}/api/v1/questions", json=body).json()["id"])


def _withdrawn(city: RunningCity) -> str:
    """A disclosure that was public for a moment."""
    village = f"{TOWNSHIP}208"
    made = steps.drafted(city, village, "2024-06", steps.paid("2024-06-05", "买扫帚", 5_000))
    steps.hand_in(city, village, made)
    steps.let_out(city, village, made)
    steps.call(city, REVIEWER, f"{DESK}/{made}/withdraw", {"version": 1, "reason": "重复公开，保留另一份。"})
    steps.until(lambda: httpx2.get(f"{city.url}/d/{made}").status_code == 410)
    return made


@pytest_asyncio.fixture
async def look(browser: Browser, small_city: RunningCity) -> AsyncIterator["Look"]:
    made = Look(browser, small_city)
    yield made
    for page in made.pages.values():
        await page.context.close()


class Look:
    """Opens pages as somebody and notes what is wrong with them."""

    def __init__(self, browser: Browser, city: RunningCity) -> None:
        self._browser = browser
        self._city = city
        self.pages: dict[tuple[str, int], Page] = {}
        self.faults: list[str] = []

    @property
    def url(self) -> str:
        return self._city.url

    async def page(self, user: str, width: int) -> Page:
        if (user, width) not in self.pages:
            context = await self._browser.new_context(
                viewport={"width": width, "height": 740 if width < 1000 else 800},
                extra_http_headers=_bearer(self._city, user) if user else {},
            )
            self.pages[user, width] = await context.new_page()
        return self.pages[user, width]

    async def __call__(self, user: str, path: str, width: int) -> None:
        page = await self.page(user, width)
        await page.goto(path if path.startswith("http") else self._city.url + path)
        found: Any = (await Axe().run(page, options=RULES)).response["violations"]
        where = f"{path} at {width} as {user or 'anybody'}"
        self.faults += [f"{where}: {v['id']} {v['nodes'][0]['html'][:160]}" for v in found]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            self.faults.append(f"{where}: wider than the screen")


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_kind_of_public_page_fits_and_is_accessible(look: Look, public: list[str], width: int) -> None:
    for path in public:
        await look("", path, width)
    assert look.faults == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_staff_page_fits_and_is_accessible(look: Look, small_city: RunningCity, width: int) -> None:
    alerts = httpx2.get(f"{small_city.url}/audit/v1/alerts?limit=200", headers=_bearer(small_city, CITY_INSPECTOR))
    shown = {a["rule"]: f"/inspect/alerts/{a['id']}" for a in alerts.json()["items"]}
    pages = (*STAFF_PAGES, *((CITY_INSPECTOR, shown[rule]) for rule in ("A02", "D07", "D10")))
    for user, path in pages:
        await look(user, path, width)
    assert look.faults == []


#: An amount that is set on more than one line, or anything that makes the page wider than the screen.
_BROKEN: Final = """() => {
  const found = [...document.querySelectorAll('.sentences b,.sum,td.num,.amount')].flatMap(e => {
    const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), bad = [];
    for (let n = walk.nextNode(); n; n = walk.nextNode())
      for (const m of n.data.matchAll(/-?[0-9][0-9,]*(\\.[0-9]+)?元?/g)) {
        const r = document.createRange();
        r.setStart(n, m.index); r.setEnd(n, m.index + m[0].length);
        if (new Set([...r.getClientRects()].map(c => Math.round(c.top))).size > 1) bad.push(m[0]);
      }
    return bad;
  });
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wide > 0 ? [...found, `${wide}px too wide`] : found;
}"""


async def test_large_text_on_a_small_phone_neither_scrolls_sideways_nor_breaks_an_amount(
    look: Look, public: list[str]
) -> None:
    page = await look.page("", 320)
    faults = []
    for path in public:
        await page.goto(path if path.startswith("http") else look.url + path)
        # Twice the size of 18 px, as a person's own setting makes it.
        await page.evaluate("document.documentElement.style.setProperty('font-size', '36px', 'important')")
        faults += [f"{path}: {found}" for found in await page.evaluate(_BROKEN)]
    assert faults == []
