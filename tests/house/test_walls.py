"""The walls between services, and the house rules that no linter of the shop knows: tried, not read."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from services.contracts.topics import SERVICES, TOPICS
from tests.conftest import Place

ROOT: Final = Path(__file__).parents[2] / "services"
ROOMS: Final = ("__init__", "__main__", "settings", "app", "api", "schemas", "commands", "store", "errors", "metrics")
OTHERS: Final = [(role, schema) for role in SERVICES for schema in SERVICES if role != schema]

#: A statement by its first words; a sentence that begins with "Update" or "Select" is none.
_SQL: Final = re.compile(
    r"\s*(SELECT\s([^.]|\.(?=\w))*?(\sFROM\s|\()|SELECT\s+1\b|INSERT\s+INTO\s|DELETE\s+FROM\s"
    r"|UPDATE\s+\S+(\s+AS)?(\s+\w+)?\s+SET\s"
    r"|WITH\s+(RECURSIVE\s+)?\w+\s*(\([^)]*\)\s*)?AS\s|MERGE\s+INTO\s|TRUNCATE\s|COPY\s+\S+\s+FROM|LOCK\s+TABLE\s"
    r"|(CREATE|ALTER|DROP)\s+(TEMP\s|TEMPORARY\s|OR\s+REPLACE\s)?\s*(TABLE|INDEX|VIEW|SCHEMA|FUNCTION|SEQUENCE)\s)",
    re.IGNORECASE | re.DOTALL,
)


def sources(*parts: str) -> list[Path]:
    return sorted(p for p in ROOT.joinpath(*parts).rglob("*.py") if "__pycache__" not in p.parts)


def is_store(path: Path) -> bool:
    return "store" in path.relative_to(ROOT).with_suffix("").parts[1:2]


def place_of(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT.parent)}:{line}"


def looks_like_sql(text: str) -> bool:
    return _SQL.match(text) is not None


# -- walls in the database ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "schema"), OTHERS)
async def test_a_role_reaches_no_table_of_another_service(
    place: Place, admin: asyncpg.Connection, role: str, schema: str
) -> None:
    tables = await admin.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema)
    assert len(tables) > 9, "the kit's tables alone are ten"
    conn = await asyncpg.connect(place.parts.pg.dsn(role, database=place.database))
    try:
        for (table,) in tables:
            for statement in (
                "SELECT FROM {} LIMIT 1",
                "DELETE FROM {}",
                "INSERT INTO {} DEFAULT VALUES",
                "DROP TABLE {}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await conn.execute(statement.format(f'{schema}."{table}"'))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(f"CREATE TABLE {schema}.mine (n int)")
    finally:
        await conn.close()


@pytest.mark.parametrize("role", SERVICES)
async def test_a_role_is_nobody_special(place: Place, role: str) -> None:
    conn = await asyncpg.connect(place.parts.pg.dsn(role, database=place.database))
    try:
        for statement in ("CREATE TABLE public.mine (n int)", "CREATE ROLE mine", "SET ROLE sanwu_admin"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)
    finally:
        await conn.close()


# -- SQL ----------------------------------------------------------------------------------------------------------


def upper_case(source: str) -> Iterator[tuple[str, int]]:
    """Name and line of each UPPER_CASE constant of a module, however its value is made."""
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id.lstrip("_").isupper():
            yield target.id, node.lineno


def statements(path: Path) -> Iterator[tuple[str, str, int]]:
    """Name, text and line of each UPPER_CASE constant of a module that is SQL, as the module holds it when it runs."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    for name, line in upper_case(path.read_text()):
        text = getattr(module, name)
        if isinstance(text, str) and looks_like_sql(text):
            yield name, text, line


@pytest.mark.parametrize("role", SERVICES)
async def test_every_statement_prepares_as_the_service_that_runs_it(place: Place, role: str) -> None:
    paths = [p for p in sources(role) if is_store(p)] + sources("kit")
    conn = await asyncpg.connect(place.parts.pg.dsn(role, database=place.database))
    faults, count = [], 0
    try:
        for path in paths:
            for name, text, line in statements(path):
                count += 1
                try:
                    # The trail's functions are named by the service's own schema, which is known when it runs.
                    await conn.prepare(text.replace("{service}", role))
                except asyncpg.PostgresError as error:
                    faults.append(f"{place_of(path, line)} {name}: {error}")
    finally:
        await conn.close()
    assert not faults, "\n".join(faults)
    assert count > 30, "the kit alone has that many"


def test_a_statement_that_is_put_together_is_seen_whole() -> None:
    found = {name: text for name, text, _line in statements(ROOT / "audit" / "store" / "facts.py")}
    assert "{_OPEN}" not in found["SELECT_LAST_OPEN"]
    assert "f.data ? 'accounts'" in found["SELECT_LAST_OPEN"]
    assert list(upper_case('A = f"SELECT {b} FROM c"\n_B: Final = A + "d"\nc = "SELECT 1"')) == [("A", 1), ("_B", 2)]


def test_no_sql_stands_outside_store_and_kit() -> None:
    found = [
        f"{place_of(path, node.lineno)} {node.value[:60]!r}"
        for service in (*SERVICES, "contracts")
        for path in sources(service)
        if not is_store(path)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and looks_like_sql(node.value)
    ]
    assert not found, "move it into store.py:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM b",
        "SELECT a.b, c FROM d a",
        "select count(*)",
        "\nINSERT INTO a (b) VALUES ($1)",
        "UPDATE a SET b = 1",
        "update a as x set b = 1",
        "DELETE FROM a",
        "WITH a AS (SELECT 1) SELECT",
        "SELECT 1",
        "CREATE TEMP TABLE a (b int)",
    ],
)
def test_sql_is_recognised(text: str) -> None:
    assert looks_like_sql(text)


@pytest.mark.parametrize("text", ["Select what to print.", "Update the copy.", "Delete what is over", "With care", ""])
def test_sentences_are_not_sql(text: str) -> None:
    assert not looks_like_sql(text)


# -- shape --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_rooms(service: str) -> None:
    folder = ROOT / service
    missing = [r for r in ROOMS if not (folder / f"{r}.py").exists() and not (folder / r / "__init__.py").exists()]
    assert not missing
    assert list((folder / "migrations").glob("1[0-9][0-9][0-9]_*.sql"))
    if any(service in topic.consumers for topic in TOPICS):
        assert (folder / "handlers.py").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_the_front_door_says_what_a_service_owns_hears_says_and_never_does(service: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / service / "__init__.py").read_text())) or ""
    assert [word for word in ("Owns:", "Hears:", "Says:", "Never:") if word not in text] == []


def test_every_module_has_a_docstring() -> None:
    bare = [str(p.relative_to(ROOT)) for p in sources() if not ast.get_docstring(ast.parse(p.read_text()))]
    assert not bare


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{place_of(path, node.lineno)} {node.name}: {length}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > 60
    ]
    assert not long


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {length}"
        for path in sources()
        if (length := len(path.read_text().splitlines())) > 400
    ]
    assert not long, "a larger room becomes a package of the same name"


def test_no_two_migrations_of_a_service_have_the_same_number() -> None:
    for service in SERVICES:
        files = [f for folder in ("kit", service) for f in (ROOT / folder / "migrations").glob("*.sql")]
        numbers = [f.name.split("_")[0] for f in files]
        assert len(set(numbers)) == len(numbers), service
