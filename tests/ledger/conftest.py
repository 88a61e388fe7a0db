"""The engines that the contract tests run over, and a way to be somebody else for a moment."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import psycopg.errors
import pytest

import profilectl.text.names  # noqa: F401  # loaded before `nobody` might not be allowed to read it
from profilectl.ledger import opening
from profilectl.ledger.address import parse_place
from profilectl.ledger.sqlite import open_for_reading, open_for_writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.ledger.protocol import Ledger, LedgerReader


_NUMBERS = itertools.count(1)


class SQLiteEngine:
    """One ledger in one file; every call opens it anew."""

    failure = sqlite3.OperationalError("disk I/O error")
    duplicate = sqlite3.IntegrityError

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".profilectl" / "ledger.db"

    def writer(self) -> Ledger:
        return open_for_writing(self.path, actor="ann@desk")

    def reader(self) -> LedgerReader:
        return open_for_reading(self.path)

    def size(self) -> int:
        return sum(file.stat().st_size for file in self.path.parent.iterdir())


class PostgresEngine:
    """One ledger in one schema of a private server's database; every call opens it anew."""

    failure = psycopg.errors.IoError("disk I/O error")
    duplicate = psycopg.errors.UniqueViolation

    def __init__(self, address: str) -> None:
        self.place = parse_place(address)

    def writer(self) -> Ledger:
        return opening.open_for_writing(self.place, actor="ann@desk")

    def reader(self) -> LedgerReader:
        return opening.open_for_reading(self.place)

    def size(self) -> int:
        with self.writer() as ledger:
            name = self.place.schema
            tables = f"SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = '{name}'::regnamespace"
            sizes = f"SELECT SUM(pg_total_relation_size(oid))::bigint FROM ({tables}) AS tables"
            return ledger._engine.execute(sizes)[0][0]


@pytest.fixture(params=["sqlite", "postgres", "pooler"])
def engine(request, tmp_path):
    """Another engine joins the contract by joining this list."""
    if request.param == "sqlite":
        return SQLiteEngine(tmp_path)
    server = request.getfixturevalue("postgres")
    through = request.getfixturevalue("pooler") if request.param == "pooler" else server
    # a schema of its own costs a tenth of a database of its own
    return PostgresEngine(through.address(query=f"schema=test_{next(_NUMBERS)}"))


@pytest.fixture
def ledger(engine) -> Iterator[Ledger]:
    with engine.writer() as ledger:
        yield ledger


@contextmanager
def _nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        yield  # already somebody whom permissions bind
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def nobody():
    """Return a context in which permission bits count, which they don't for root."""
    return _nobody


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that every user can reach, unlike `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="profilectl-"))
    folder.chmod(0o755)
    yield folder
    for one in [folder, *folder.rglob("*")]:
        one.chmod(0o755)
    shutil.rmtree(folder)
