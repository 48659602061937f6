"""`sanwu` passes on what it does not know: help is the service's own, under the name that the command has here."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("words", "usage", "option"),
    [
        (("staff", "reset"), "Usage: sanwu staff reset [OPTIONS] {username}", "--by NAME"),
        (("catalogue",), "Usage: sanwu catalogue [OPTIONS] COMMAND", "Read a catalogue file"),
        (("rebuild", "publish"), "Usage: sanwu rebuild publish [OPTIONS]", "--drop-old"),
        (("replay", "audit"), "Usage: sanwu replay audit [OPTIONS]", "--as-of SEQ"),
        (("republish",), "Usage: sanwu republish --service SERVICE [OPTIONS]", "--new-log"),
        (("dlq", "discard"), "Usage: sanwu dlq discard --service SERVICE [OPTIONS]", "--why"),
    ],
)
def test_help_of_a_services_command_needs_no_city(
    command: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], usage: str, option: str
) -> None:
    answer = command([sys.executable, "-m", "deploy.cli", *words, "--help"], env={"SANWU_HOME": str(tmp_path)})
    assert (answer.code, answer.err) == (0, "")
    assert usage in answer.out
    assert option in answer.out
    assert "python -m" not in answer.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("staff", "list"), 1, "No city lives in"),
        (("dlq", "list"), 1, "No city lives in"),
        (("dlq", "replay", "--id", "7"), 2, "Missing option '--service': registry, ingest, publish, audit, qr."),
        (("republish", "--service", "mail", "--all"), 1, "mail is no service: choose"),
        (("staff",), 2, "Accounts: list, import FILE"),
        (("staff", "fly", "--help"), 2, "No such command 'fly'."),
    ],
)
def test_what_cannot_be_passed_on_is_said(
    command: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    answer = command([sys.executable, "-m", "deploy.cli", *words], env={"SANWU_HOME": str(tmp_path / "none")})
    assert answer.code == code
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "none").exists()
