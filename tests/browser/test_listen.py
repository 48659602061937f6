"""听一听: the sentences aloud where a telephone has a voice for them; without one, and without script, nothing is missing."""

from tests.browser.conftest import People

PAGE = "/v/210881006206/big"
#: A telephone with a Chinese voice: Chromium without a window has none. What it is asked to say is noted.
A_VOICE = """
window.said = [];
const voices = [{lang: "zh-CN", name: "of a test"}];
Object.defineProperty(window, "speechSynthesis", {value: {
  getVoices: () => voices, cancel: () => window.said.push("停"), speak: (one) => window.said.push(one.text),
}});
"""


async def test_a_telephone_with_a_voice_reads_the_five_sentences_and_stops_when_told(people: People) -> None:
    person = await people(script=True)
    await person.page.add_init_script(A_VOICE)
    await person.open(PAGE)
    button = person.page.get_by_role("button", name="听一听")
    await button.click()
    said = "".join(await person.page.evaluate("window.said"))
    text = await person.page.inner_text("main")
    left = text.split("收进来 ")[1].split("元")[0].replace(",", "")
    assert f"这个月收进来{left}元" in said
    assert "各位乡亲" in said
    assert "请扫公开栏上的码" not in said
    await person.page.get_by_role("button", name="停下").click()
    assert (await person.page.evaluate("window.said"))[-1] == "停"
    assert await button.get_attribute("aria-pressed") == "false"


async def test_without_a_voice_or_without_script_there_is_no_button_and_all_the_figures(people: People) -> None:
    for script in (True, False):
        person = await people(script=script)
        await person.open(PAGE)
        assert await person.page.locator("[data-say]").is_hidden()
        assert "村里还剩" in await person.page.inner_text("main")
