from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bootstrap.cli import cli
from bootstrap.database import DATABASE_FILE
from tests.servers.postgres_servers import postgres

APPLIED = (
    "applied 0001: The tables of users, teams, keys, budgets, prices, usage and audit.\n"
    "applied 0002: Prices of units, beside those of tokens.\n"
)
DONE = "The database is up to date.\n"


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres() as server:
        yield server.url


def upgrade(folder: Path, url: str = "") -> Result:
    environ = {"MOONGATE_DATA_DIR": str(folder / "data"), "DATABASE_URL": url, "MOONGATE_CONFIG": None}
    return CliRunner().invoke(cli, ["db", "upgrade"], env=environ)


def test_the_file_in_the_data_directory_is_made_and_upgraded_once(tmp_path: Path) -> None:
    first, second = upgrade(tmp_path), upgrade(tmp_path)

    assert (first.exit_code, first.stdout, first.stderr) == (0, APPLIED + DONE, "")
    assert (second.exit_code, second.stdout) == (0, DONE)
    assert (tmp_path / "data" / DATABASE_FILE).exists()


def test_a_postgres_database_is_upgraded(tmp_path: Path, postgres_url: str) -> None:
    said = upgrade(tmp_path, postgres_url)

    assert (said.exit_code, said.stdout) == (0, APPLIED + DONE)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("url", "status", "line"),
    [
        ("postgresql://127.0.0.1:1/x", 1, "the database can't be upgraded: "),
        ("sqlite:////nowhere/at/all.db", 1, "the database can't be upgraded: unable to open database file"),
        ("mysql://x", 2, "database.url: expected a URL that begins with one of sqlite://, postgresql://"),
    ],
)
def test_a_database_that_can_not_be_used_is_one_line(tmp_path: Path, url: str, status: int, line: str) -> None:
    said = upgrade(tmp_path, url)

    assert (said.exit_code, said.stdout) == (status, "")
    assert said.stderr.startswith(line)
    assert len(said.stderr.splitlines()) == 1
