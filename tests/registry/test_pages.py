"""The sign-in page and what stands behind it."""

from tests.conftest import ServiceFactory


async def test_whoever_signs_in_anew_comes_back_to_the_whole_address(service: ServiceFactory) -> None:
    registry = await service("registry")
    answer = await registry.client.get("/registry/renew?next=%2Finspect%3Frule%3DA02%26level%3D3")
    assert answer.status_code == 303
    form = await registry.client.get(answer.headers["location"])
    assert '<input type="hidden" name="next" value="/inspect?rule=A02&amp;level=3">' in form.text


async def test_nobody_is_led_to_another_site(service: ServiceFactory) -> None:
    registry = await service("registry")
    for target in (
        "https://example.org/",
        "//example.org/",
        "/\\example.org",
        "/\t/example.org",
        "javascript:alert(1)",
        "desk",
    ):
        form = await registry.client.get("/sign-in", params={"next": target})
        assert '<input type="hidden" name="next" value="/desk">' in form.text, target
