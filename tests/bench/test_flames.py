"""The pictures of where time goes: stacks as the two recorders write them, and what is told of them."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench.flames import Cost, dearest_of, drawn, folded, scripted
from tests.bench.suite import seconds_by_file, whose, within_tests

RAW = """\
<module> (<frozen runpy>:198);serve (services/kit/process.py:12);loads (json/__init__.py:300) 3
<module> (<frozen runpy>:198);serve (services/kit/process.py:99);loads (json/__init__.py:346) 2
<module> (<frozen runpy>:198);idle (asyncio/base_events.py:1) 5
"""
SCRIPT = """\
  842
\t          271d5 write+0x4d
\t          250ec main.(*Server).serve+0x1f

14711
\t          271d5 [unknown]

  842
\t          271d5 write+0x51
\t          250ec main.(*Server).serve+0x2f

"""


def test_lines_of_one_function_are_one() -> None:
    serve = ("<module> (<frozen runpy>)", "serve (services/kit/process.py)", "loads (json/__init__.py)")
    assert folded(RAW.splitlines()) == Counter({serve: 5, (serve[0], "idle (asyncio/base_events.py)"): 5})


def test_where_a_file_lies_is_not_told() -> None:
    line = 'process 7:"/opt/some where/bin/python -m x";loads (/usr/lib/python3.11/json/__init__.py:300);f (services/kit/a.py:1) 3'
    ((frames, count),) = folded([line]).items()
    assert count == 3
    assert frames[1:] == ("loads (__init__.py)", "f (services/kit/a.py)")
    assert "/usr" not in "".join(frames)


def test_stacks_of_perf_are_told_by_process_outermost_first() -> None:
    assert scripted(SCRIPT.splitlines()) == {
        842: Counter({("main.(*Server).serve", "write"): 2}),
        14711: Counter({("[unknown]",): 1}),
    }


def test_what_a_library_takes_is_told_of_who_called_it() -> None:
    assert dearest_of(folded(RAW.splitlines())) == [
        Cost("serve (services/kit/process.py)", 0.5),
        Cost("idle (asyncio/base_events.py)", 0.5),
    ]


def test_a_picture_is_as_wide_as_its_samples_and_shows_what_stands_in_names() -> None:
    root = ET.fromstring(drawn(folded(RAW.splitlines()), "approve: <publish> & more"))  # noqa: S314 - made here
    told = {g[0].text: g[1] for g in root if g.tag.endswith("}g")}
    assert set(told) == {
        "<module> (<frozen runpy>) 100.0%",
        "serve (services/kit/process.py) 50.0%",
        "loads (json/__init__.py) 50.0%",
        "idle (asyncio/base_events.py) 50.0%",
    }
    whole, half = told["<module> (<frozen runpy>) 100.0%"], told["idle (asyncio/base_events.py) 50.0%"]
    assert (float(whole.attrib["width"]), float(half.attrib["width"])) == (1200.0, 600.0)
    assert root[0].text is not None
    assert root[0].text.startswith("approve: <publish> & more, 10 samples")


def test_frames_that_are_equal_but_reached_otherwise_are_two() -> None:
    boxes = ET.fromstring(drawn(Counter({("a", "x"): 10, ("b", "x"): 20}), "t"))  # noqa: S314 - made here
    assert sorted(g[0].text or "" for g in boxes if g.tag.endswith("}g")) == [
        "a 33.3%",
        "b 66.7%",
        "x 33.3%",
        "x 66.7%",
    ]


@pytest.mark.parametrize("line", ["no number at its end x", "only;frames"])
def test_a_line_that_is_no_stack_is_no_sample(line: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        folded([line])


def test_of_the_suite_counts_what_is_within_a_test_under_its_file() -> None:
    lines = """\
<module> (<string>:1);runtestprotocol (_pytest/runner.py:1);call (pluggy/_callers.py:2);test_a (test_a.py:3);wait (running.py:9) 4
<module> (<string>:1);runtestprotocol (_pytest/runner.py:1);run (pytest_asyncio/plugin.py:2);run (asyncio/runners.py:1);select (selectors.py:9) 3
<module> (<string>:1);beat (running.py:9) 9
"""
    assert within_tests(folded(lines.splitlines())) == Counter(
        {
            ("test_a.py", "test_a (test_a.py)", "wait (running.py)"): 4,
            ("a coroutine, or its loop", "run (asyncio/runners.py)", "select (selectors.py)"): 3,
        }
    )


def test_seconds_are_added_up_by_file(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    cases = [("tests.kit.test_a", "1.2"), ("tests.kit.test_a", "2.2"), ("tests.house.test_b", "7.0")]
    told = "".join(f'<testcase classname="{name}" name="x" time="{time}"/>' for name, time in cases)
    report.write_text(f"<testsuites><testsuite>{told}</testsuite></testsuites>", encoding="utf-8")
    assert seconds_by_file(report) == Counter({"tests/house/test_b.py": 7, "tests/kit/test_a.py": 3})


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        ("java -Xmx256m -cp libs/kafka/* kafka.Kafka server.properties", "brokers"),
        ("python -m services.publish serve", "services of the cities"),
        ("python -m deploy.local run", "supervisors and operators' commands"),
        ("postgres: checkpointer", "PostgreSQL"),
        ("python -u -c import sys;exec(eval(sys.stdin.readline()))", "pytest and what runs within it"),
        ("/opt/x/dbmate up", "`dbmate`"),
    ],
)
def test_a_process_is_told_by_its_command(line: str, owner: str) -> None:
    assert whose(line, "dbmate") == owner
