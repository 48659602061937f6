"""Set-up: what stops it is said in one sentence, and being killed halfway harms nothing."""

import ast
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "deploy" / "local" / "setup.py"
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
#: Nothing listens on the discard port: every package source looks down.
_NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_FIND_LINKS": None,
    "PIP_CONFIG_FILE": os.devnull,
    "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
    "UV_FIND_LINKS": None,
    "UV_HTTP_RETRIES": "0",
}

Command = Callable[..., Any]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a project's folder with nothing set up."""
    for part in ("deploy", "requirements"):
        shutil.copytree(ROOT / part, tmp_path / "clone" / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "clone"


def setup_of(folder: Path) -> list[str]:
    # The system's Python and not the environment's: as make does it.
    return [getattr(sys, "_base_executable", sys.executable), str(folder / "deploy" / "local" / "setup.py"), "run"]


def pretending(change: str) -> list[str]:
    """Give the command that runs set-up under another platform or Python."""
    code = f"import platform, runpy, sys; {change}; runpy.run_path({str(SETUP)!r}, run_name='__main__')"
    return [sys.executable, "-c", code]


def without_override() -> None:
    """Make root obey a folder's mode, as anybody else must."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def small_files_only() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_syntax_is_read_by_a_python_that_is_too_old() -> None:
    ast.parse(SETUP.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("sys.version_info = (3, 9, 2)", r"Python 3.11 or newer is needed, this is Python 3.9"),
        ("platform.system = lambda: 'Windows'", "runs on x86-64 Linux"),
        ("platform.machine = lambda: 'riscv64'", "this is Linux on riscv64"),
        ("platform.libc_ver = lambda: ('', '')", "musl (Alpine) is not supported"),
        ("platform.libc_ver = lambda: ('glibc', '2.17')", "glibc 2.28 or newer is needed, this is 2.17"),
    ],
)
def test_unsuitable_machine_is_one_sentence(command: Command, change: str, sentence: str) -> None:
    assert sentence in command(pretending(change)).sentence()


def test_no_network_is_one_sentence(command: Command, clone: Path) -> None:
    answer = command(setup_of(clone), env=_NO_NETWORK)
    assert "no network; check the connection" in answer.sentence()
    assert not (clone / ".venv").exists()


def test_no_network_for_packages_is_one_sentence(command: Command, clone: Path) -> None:
    made = clone / ".venv" / "bin"
    made.mkdir(parents=True)
    (made / "python").symlink_to(sys.executable)
    shutil.copy(Path(sys.prefix) / "bin" / "uv", made / "uv")
    script = (
        "import sys, runpy; m = runpy.run_path('deploy/local/setup.py');"
        "\ntry: m['install_packages']('runtime')\nexcept m['SetupError'] as error: sys.exit(str(error))"
    )
    env = {**_NO_NETWORK, "UV_CACHE_DIR": str(clone / "cache")}
    answer = command([sys.executable, "-c", script], env=env, cwd=clone)
    assert "no network; check the connection" in answer.sentence()


def test_unwritable_folder_is_one_sentence(command: Command, clone: Path) -> None:
    clone.chmod(0o555)
    answer = command(setup_of(clone), before=without_override)
    clone.chmod(0o755)
    assert "make the project's folder writable" in answer.sentence()


def test_full_disk_is_one_sentence(command: Command, clone: Path, full_disk: Path | None) -> None:
    if full_disk is None:
        answer = command(setup_of(clone), before=small_files_only)
        assert "raise the limit" in answer.sentence()
        return
    copy = full_disk / "clone"
    shutil.copytree(clone, copy)
    answer = command(setup_of(copy))
    assert "disk is full" in answer.sentence()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path | None]:
    """Give a small file system, where this machine lets us mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    yield place if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_home_on_a_full_disk_is_one_sentence(city: Command, full_disk: Path | None, free_port: int) -> None:
    if full_disk is None:
        return
    answer = city("run", env={"SANWU_HOME": str(full_disk / "home"), "SANWU_PORT": str(free_port)})
    assert "disk is full" in answer.sentence()


def test_unwritable_home_is_one_sentence(city: Command, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    answer = city("run", env={"SANWU_HOME": str(tmp_path / "home")}, before=without_override)
    tmp_path.chmod(0o755)
    assert "choose a writable folder with SANWU_HOME" in answer.sentence()


def test_set_up_killed_halfway_starts_again(command: Command, clone: Path) -> None:
    with subprocess.Popen(
        setup_of(clone),
        env={**os.environ, **{k: v for k, v in _NO_NETWORK.items() if v}},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as first:
        while not (clone / ".venv.partial").exists():
            assert first.poll() is None
        os.killpg(first.pid, signal.SIGKILL)
    # Its lock went with it, its leftover is removed; the network is still away.
    assert "no network" in command(setup_of(clone), env=_NO_NETWORK).sentence()


def test_make_lists_its_targets(command: Command) -> None:
    answer = command(["make", "-s"])
    for target in ("run", "test", "check", "bench", "docs", "fmt", "clean", "help"):
        assert f"make {target} " in answer.out


def test_project_is_translated_for_a_city_that_may_not_write_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "one.py").write_text("ONE = 1\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'deploy' / 'local')!r}); import setup; setup.translate()"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-I", "-c", code], env=environment, check=True)
    assert list((tmp_path / "services" / "__pycache__").glob("one.*.pyc"))
    assert list((tmp_path / "deploy" / "local" / "__pycache__").glob("stack.*.pyc"))
