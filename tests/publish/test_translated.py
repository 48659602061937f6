"""Pages in English: one table of words, the same figures, content as it was written, and a switch that stays on."""

import html
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from services.publish.render import translated as room
from services.publish.render.translated import WORDS, Words, in_english_path, is_chinese, translated
from tests import builders
from tests.publish.conftest import Publishing

TEXT = "这笔水管修了两次，为什么付两次钱？"
VILLAGE = f"/v/{builders.VILLAGE}"


class Chinese(HTMLParser):
    """The Chinese of a page that is not marked as Chinese, by the element in which it stands."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.unmarked: list[tuple[str, str]] = []
        self.marked: list[str] = []
        self._path: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "input", "br", "rect"}:
            self._path.append((tag, dict(attrs).get("lang") == "zh-CN"))

    def handle_endtag(self, tag: str) -> None:
        while self._path and self._path.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if is_chinese(data):
            tag = self._path[-1][0] if self._path else ""
            if any(marked for _, marked in self._path):
                self.marked.append(data)
            else:
                self.unmarked.append((tag, data))


def plain(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def figures(page: str) -> list[str]:
    return sorted(re.findall(r"\d[\d,]*\.\d\d", plain(page)))


async def pages(publish: Publishing) -> dict[str, str]:
    event = await publish.opened()
    asked = await publish.ask(about=event.aggregate_id)
    await publish.rendered()
    paths = ["/", f"/t/{builders.TOWNSHIP}", VILLAGE, f"{VILLAGE}/F01", f"{VILLAGE}/big", f"/d/{event.aggregate_id}"]
    paths += [f"/ask?about={builders.VILLAGE}", f"/q/{asked['id']}", f"/q/{asked['id']}/join", f"{VILLAGE}/questions"]
    return {path: (await publish.get(f"/en{path}")).text for path in [*paths, "/search"]}


async def test_every_page_stands_in_english_and_what_is_chinese_is_marked(publishing: Publishing) -> None:
    for path, page in (await pages(publishing)).items():
        assert '<html lang="en"' in page, path
        left = [(tag, text) for tag, text in Chinese(page).unmarked if tag not in {"title", "option"}]
        assert left == [], path
        assert "This page in English is made from the page in Chinese" in page, path
        for untold in ("示例数据", "找村", "还没公开的", "花出去", "举报", "提交", "知识共享"):
            assert f">{untold}<" not in page, path


async def test_the_frame_the_labels_and_the_states_are_told(publishing: Publishing) -> None:
    found = await pages(publishing)
    village = plain(found[VILLAGE])
    for told in ("Came in", "Went out", "The sums agree ✓", "Not published", "published 8 days late", "Ask a question"):
        assert told in village, told
    disclosure = plain(next(page for path, page in found.items() if path.startswith("/d/")))
    for told in ("At the beginning", "Left at the end", "Line by line", "Paid to", "Questions of villagers", "12388"):
        assert told in disclosure, told
    assert "Village (community)" in plain(found[f"/t/{builders.TOWNSHIP}"])
    assert "What you want to ask" in plain(found[f"/ask?about={builders.VILLAGE}"])


async def test_figures_are_those_of_the_page_in_chinese(publishing: Publishing) -> None:
    for path, page in (await pages(publishing)).items():
        assert figures(page) == figures((await publishing.get(path)).text), path


async def test_what_people_wrote_stays_as_they_wrote_it(publishing: Publishing) -> None:
    event = await publishing.opened()
    asked = await publishing.ask(about=event.aggregate_id)
    page = (await publishing.get(f"/en/q/{asked['id']}")).text
    assert f'<span lang="zh-CN">{TEXT}</span>' in page
    summaries = Chinese((await publishing.get(f"/en/d/{event.aggregate_id}")).text).marked
    assert any("水管" in text for text in summaries)


async def test_the_switch_stays_on_from_page_to_page_and_leads_back(publishing: Publishing) -> None:
    found = await pages(publishing)
    for path, page in found.items():
        links = re.findall(r'<(?:a|form)[^>]* (?:href|action)="([^"]*)"', page)
        inner = [link for link in links if in_english_path(html.unescape(link)) is not None]
        # One leads back: to the same page in Chinese.
        back = [html.unescape(link) for link in inner]
        assert len(back) == 1, (path, back)
        assert back[0].split("?")[0] == path.split("?")[0], path
        assert ">中文</a>" in page, path
        assert f'href="/en{html.escape(path)}"' in (await publishing.get(path)).text, path
    files = re.findall(r'href="([^"]*\.(?:csv|xlsx|pdf|atom|css))"', found[VILLAGE])
    assert files
    assert not any(f.startswith("/en/") for f in files)


async def test_asking_in_english_tells_what_is_wrong_and_gives_the_receipt_in_english(publishing: Publishing) -> None:
    publishing.served.clock.at = builders.NOW
    async with publishing.served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE allowance")
    page = (await publishing.get(f"/en/ask?about={builders.VILLAGE}")).text
    assert 'action="/en/ask"' in page
    token = re.search('name="form" value="([^"]+)"', page)
    assert token is not None
    fields = {"about": builders.VILLAGE, "form": token[1], "kind": "doubt", "shows": "question", "text": TEXT}
    client = publishing.served.client
    fast = await client.post("/en/ask", data=fields)
    assert fast.status_code == 422
    assert "That was too fast. All you typed is still here" in fast.text
    assert TEXT in fast.text
    publishing.served.clock.at += timedelta(seconds=10)
    number = await client.post("/en/ask", data={**fields, "text": "打我电话 13812345678 说说这件事"})
    told = plain(number.text)
    assert "look like" in told
    assert "13812345678" not in told
    short = await client.post("/en/ask", data={**fields, "text": "？"})
    assert "Say what you want to ask, in at least 4 characters." in plain(short.text)
    done = await client.post("/en/ask", data=fields)
    assert done.status_code == 303
    assert done.headers["location"].startswith("/en/q/")
    receipt = plain((await publishing.get(done.headers["location"])).text)
    assert "Your number" in receipt
    assert "Write it down or take a photograph." in receipt
    assert "waiting for the village's answer" in receipt or "The village" in receipt


async def test_the_large_page_leads_to_a_form_as_large_and_to_a_receipt_as_large(publishing: Publishing) -> None:
    publishing.served.clock.at = builders.NOW
    big = (await publishing.get(f"{VILLAGE}/big")).text
    assert f'href="/ask?about={builders.VILLAGE}&amp;big=1"' in big
    page = (await publishing.get(f"/ask?about={builders.VILLAGE}&big=1")).text
    assert 'class="elder"' in page
    assert 'class="elder"' not in (await publishing.get(f"/ask?about={builders.VILLAGE}")).text
    token = re.search('name="form" value="([^"]+)"', page)
    assert token is not None
    publishing.served.clock.at += timedelta(seconds=10)
    fields = {"about": builders.VILLAGE, "form": token[1], "kind": "doubt", "shows": "question", "big": "1"}
    refused = await publishing.served.client.post("/ask", data={**fields, "text": "？"})
    assert refused.status_code == 422
    assert 'class="elder"' in refused.text
    assert 'name="big" value="1"' in refused.text
    done = await publishing.served.client.post("/ask", data={**fields, "text": TEXT})
    assert done.headers["location"].endswith("?big=1")
    assert 'class="elder"' in (await publishing.get(done.headers["location"])).text


async def test_what_is_gone_is_gone_in_english_at_once_and_nothing_of_it_is_kept(publishing: Publishing) -> None:
    event = await publishing.opened()
    path = f"/en/d/{event.aggregate_id}"
    assert "水管" in (await publishing.get(path)).text
    await publishing.withdrawn(event)
    gone = await publishing.get(path, 410)
    assert "水管" not in gone.text
    assert "Withdrawn" in gone.text or "withdrawn" in gone.text
    assert gone.headers["cache-control"] == "no-store"


async def test_what_is_no_page_is_not_there_in_english(publishing: Publishing) -> None:
    await publishing.get("/en/api/v1/villages", 404)
    await publishing.get("/en/villages.csv", 404)
    missing = await publishing.get("/en/v/999999999999", 404)
    assert "There is no such page" in missing.text
    for path in ("/en/en/", "/english", "/en/../v/1", "/en/v/%00"):
        assert (await publishing.served.client.get(path)).status_code in {404, 422}, path
    # What was not changed since is another page in English than the one that the tag is of.
    await publishing.opened()
    await publishing.rendered()
    tag = (await publishing.get(VILLAGE)).headers["etag"]
    again = await publishing.served.client.get(f"/en{VILLAGE}", headers={"if-none-match": tag})
    assert again.status_code == 200
    assert "etag" not in again.headers
    head = await publishing.served.client.head(f"/en{VILLAGE}")
    assert (head.status_code, head.text) == (200, "")


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("47,985.00元", "¥47,985.00"),
        ("约4.8万元", "about ¥48,000"),
        ("约负1.2亿元", "about −¥120,000,000"),
        ("2026年第三季度", "third quarter of 2026"),
        ("2026年下半年", "second half of 2026"),
        ("2026年11月24日 10:00", "24 November 2026 10:00"),
        ("11月4日", "4 Nov"),
        ("缺1项，最久的已晚1天；在镇街1项", "1 item missing, the longest 1 day late; 1 with the township"),
        (
            "缺2项，最久的已晚43天；在村（社区）1项，在镇街1项",
            "2 items missing, the longest 43 days late; 1 with the village, 1 with the township",
        ),
        ("没有缺项", "nothing missing"),
        ("47.00", "47.00"),
    ],
)
def test_figures_days_and_counts_are_told(chinese: str, english: str) -> None:
    assert WORDS.text(chinese) == english


@pytest.mark.parametrize(
    "text",
    [TEXT, "张三，李四", "2026年13月", "13月40日", "没有这回事吧", "，，，", "长" * 500, "修路、修桥，还有别的事"],
)
def test_what_the_table_does_not_know_stays_as_it_is(text: str) -> None:
    assert WORDS.parts(text) == [(text, True)]


def test_what_was_typed_comes_back_as_it_was_typed() -> None:
    page = '<!doctype html><html lang="zh-CN"><body><textarea>没有 &lt;b&gt; &amp; "提交"</textarea><p>a &lt; b</p></body></html>'
    told = translated(page)
    assert '<textarea>没有 &lt;b&gt; &amp; "提交"</textarea>' in told
    assert "<p>a &lt; b</p>" in told


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        (
            '<p>看公开内容不用登录，也不收任何费用。公开数据按<a href="#a">知识共享署名 4.0</a></p>',
            '<p>Reading needs no sign-in and costs nothing. Data under <a href="#a">CC BY 4.0</a>',
        ),
        ("<a>西海村的提问</a>", '<a><span>Questions of <span lang="zh-CN">西海村</span></span></a>'),
        ("<p>收进来</p><p>花出去</p>", "<p>Came in</p><p>Went out</p>"),
    ],
)
def test_english_has_room_between_its_words(page: str, wanted: str) -> None:
    assert translated(page).startswith(wanted)


@pytest.mark.parametrize("line", ["中文", "中文\t", "\tEnglish", "中文\t还是中文", "a b c"])
def test_a_line_of_the_table_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"line 2 of the words"):
        Words(f"# words\n{line}\n")


def test_the_table_knows_nothing_twice() -> None:
    lines = (Path(room.__file__).parent / "english.tsv").read_text("utf-8").splitlines()
    known = [line.partition("\t")[0] for line in lines if line and not line.startswith("#")]
    assert sorted({k for k in known if known.count(k) > 1}) == []


def test_a_page_of_a_long_ledger_takes_no_longer_than_it_is_long() -> None:
    row = "<tr><td>11月4日</td><td>修村部水管，付材料费和人工</td><td>1,200.00元</td></tr>"
    small, large = (f"<table>{row * n}</table>" for n in (50, 200))
    assert len(translated(large)) - len("<table></table>") == 4 * (len(translated(small)) - len("<table></table>"))
