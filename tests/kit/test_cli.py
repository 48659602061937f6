"""Operators' command lines: what a line asks for, how the outcome is told, and the exit status."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import pytest
from typer import Argument, BadParameter, Typer

from services.kit.cli import By, Refusal, Told, at_once, new_app, on_runtime, read_line, run_line
from services.kit.errors import Fault, InvalidInputError
from services.kit.process import command_line, main
from services.kit.service import Service
from services.kit.settings import Settings
from services.kit.web import create_web

Run = Callable[..., Any]


def app_of() -> Typer:
    app = new_app("Of a test.")

    @app.command("greet")
    @on_runtime
    async def greet(runtime: str, name: Annotated[str, Argument(help="Whom.")], *, by: By = None) -> Told:
        """Say a greeting."""
        if name == "nobody":
            message = "Nobody is greeted."
            raise Refusal(message)
        if name == "":
            raise InvalidInputError(faults=[Fault("name", "请填写名字")])
        return Told({"in": runtime, "said": [{"to": name, "by": by}]}, status=3 if name == "hans" else 0)

    @app.command("count")
    @at_once
    def count(*, upto: int = 2) -> Told:
        """Count."""
        if upto < 0:
            message = "not below 0"
            raise BadParameter(message)
        return Told({"upto": upto}, map(str, range(upto)))

    return app


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    async def ask(*words: str) -> tuple[int, str, str]:
        asked = read_line(app_of(), words, "tool")
        status = asked if isinstance(asked, int) else await asked("here")
        return (status, *capsys.readouterr())

    return ask


@pytest.mark.parametrize(
    ("words", "status", "out"),
    [
        (("greet", "anna", "--by", "wang"), 0, "in: here\nsaid: 1\n  to=anna  by=wang\n"),
        (("greet", "hans"), 3, "in: here\nsaid: 1\n  to=hans\n"),
        (("greet", "anna", "--json"), 0, '{"in": "here", "said": [{"to": "anna", "by": null}]}\n'),
        (("count",), 0, "0\n1\n"),
        (("count", "--upto", "1", "--json"), 0, '{"upto": 1}\n'),
    ],
)
async def test_an_outcome_is_lines_for_people_or_one_object(
    run: Run, words: Sequence[str], status: int, out: str
) -> None:
    assert await run(*words) == (status, out, "")


async def test_a_refusal_is_a_sentence_on_standard_error(run: Run) -> None:
    for more in ((), ("--json",)):
        assert await run("greet", "nobody", *more) == (1, "", "Nobody is greeted.\n")


async def test_faults_are_lines_for_people_or_one_object_with_their_places(run: Run) -> None:
    assert await run("greet", "") == (1, "", f"{InvalidInputError.__doc__}\n  请填写名字\n")
    status, out, err = await run("greet", "", "--json")
    assert (status, err) == (1, "")
    assert json.loads(out) == {
        "code": "invalid_input",
        "detail": InvalidInputError.__doc__,
        "errors": [{"at": "name", "message": "请填写名字"}],
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fly",), "No such command 'fly'."),
        (("greet",), "Missing argument 'name'."),
        (("greet", "anna", "--loud"), "No such option: --loud"),
        (("count", "--upto", "-1"), "Invalid value: not below 0"),
        (("count", "--upto", "much"), "Invalid value for '--upto'"),
    ],
)
async def test_a_line_that_makes_no_sense_is_status_2_before_there_is_a_runtime(
    run: Run, words: Sequence[str], sentence: str
) -> None:
    status, out, err = await run(*words)
    assert (status, out) == (2, "")
    assert err.startswith(sentence)


async def test_help_tells_what_a_command_takes_but_not_the_runtime(run: Run) -> None:
    for flag in ("-h", "--help"):
        status, out, err = await run("greet", flag)
        assert (status, err) == (0, "")
        assert "Usage: tool greet [OPTIONS]" in out
        assert "Say a greeting." in out
        assert "--by NAME" in out
        assert "--json" in out
        assert "runtime" not in out
    status, out, err = await run()
    assert (status, out) == (2, "")
    assert "greet  Say a greeting." in err


def test_a_service_reads_a_line_before_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "KAFKA", "HTTP_PORT", "HOME"):
        monkeypatch.delenv(f"SANWU_{name}", raising=False)
    service = Service(
        "publish", Settings, lambda *_: None, lambda runtime: create_web(runtime, "nothing"), commands=app_of()
    )
    assert main(service, ["serve", "--roles", "http,cooking"]) == 2
    assert capsys.readouterr().err == "Invalid value: unknown roles: cooking\n"
    assert main(service, ["count"]) == 0
    assert capsys.readouterr().out == "0\n1\n"
    assert run_line(command_line(service), ["--help"], "service") == 0
    told = capsys.readouterr().out
    for command in ("serve", "greet", "count", "state", "dlq", "republish", "actions"):
        assert f"\n  {command} " in told
    with pytest.raises(SystemExit):
        main(service, ["greet", "anna"])
    assert "SANWU_KAFKA: Field required" in capsys.readouterr().err
