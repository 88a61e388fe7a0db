"""The engines that the contract tests run over, and a way to be somebody else for a moment."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import profilectl.text.names  # noqa: F401  # loaded before `nobody` might not be allowed to read it
from profilectl.ledger.sqlite import open_for_reading, open_for_writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.ledger.protocol import Ledger, LedgerReader


class SQLiteEngine:
    """One ledger in one file; every call opens it anew."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".profilectl" / "ledger.db"

    def writer(self) -> Ledger:
        return open_for_writing(self.path, actor="ann@desk")

    def reader(self) -> LedgerReader:
        return open_for_reading(self.path)


@pytest.fixture(params=[SQLiteEngine], ids=["sqlite"])
def engine(request, tmp_path):
    """Another engine joins the contract by joining this list."""
    return request.param(tmp_path)


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
