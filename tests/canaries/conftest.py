"""The scene: three agents that are live, a roster that has moved on since, a stranger's profile, a lost ledger."""

from __future__ import annotations

import json
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
import typer
from PIL import Image

from profilectl.api import transport
from profilectl.api.clock import Clock
from profilectl.cli import main
from tests.canaries.gate import Gate
from tests.canaries.house import HANDLE, House, world_of
from tests.canaries.traces import Canaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLICY = 'settle_after = "0s"\nretire_after = "0s"\n'


def write_roster(folder: Path, **names: str) -> None:
    """Write a roster whose agents share a picture."""
    folder.joinpath("avatars").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (20, 120, 200)).save(folder / "avatars" / "face.png")
    text = f'version = 1\n[brands.acme]\nhandle = "{HANDLE}"\n[policy]\n{_POLICY}'
    text += '[defaults]\nkind = "human"\navatar = "avatars/face.png"\n'
    text += "".join(f'[agents.{key}]\nname = "{name}"\n' for key, name in names.items())
    folder.joinpath("roster.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def canaries() -> Canaries:
    return Canaries.fresh()


@pytest.fixture
def house(tmp_path: Path, canaries: Canaries) -> House:
    """A home and a folder without anything in them; no source of credentials is configured."""
    return House(tmp_path / "house", canaries)


@pytest.fixture
def gate(canaries: Canaries) -> Iterator[Gate]:
    """An X on loopback that signs with the canaries; its world is in memory, so no file of it has to be left out."""
    with world_of(canaries) as world, Gate(world) as one:
        yield one


@pytest.fixture
def scene(house: House, gate: Gate) -> House:
    """A house whose environment holds the credentials, with something to do for every command."""
    house.environ |= house.canaries.variables() | {"PROFILECTL_API_URL": gate.url}
    set_scene(house)
    gate.asked.clear()
    return house


def set_scene(house: House) -> None:
    write_roster(house.folder, alice="Alice", bob="Bob", emil="Emil")
    write_roster(house.folder / "lost", alice="Alice", bob="Bob")
    write_roster(house.folder / "stranger", zoe="Zoe")
    assert house.run_here("sync --yes") == 0, house.said()
    assert house.run_here("sync --yes --new-ledger --roster stranger/roster.toml") == 0, house.said()
    shutil.rmtree(house.folder / "stranger")
    write_roster(house.folder, alice="Alice F.", dora="Dora", emil="Emil")
    write_twurlrc(house)


def write_twurlrc(house: House) -> None:
    """Leave the same credentials in the file of another tool, which keeps them in plain text."""
    key, secret, token, token_secret = house.canaries.plain().values()
    values = {"username": HANDLE, "consumer_key": key, "consumer_secret": secret, "token": token}
    document = {"profiles": {HANDLE: {key: {**values, "secret": token_secret}}}}
    path = house.home / ".twurlrc"
    path.write_text(json.dumps(document))  # which is YAML
    path.chmod(0o600)
    house.excluded.add(path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts, nor for what is the same every time: the command tree, the authorities."""
    tree = typer.main.get_command(main.build())
    monkeypatch.setattr(transport, "Clock", lambda: Clock(sleep=lambda _: None))
    monkeypatch.setattr(typer.main, "get_command", lambda _: tree)
    monkeypatch.setattr(main, "build", lambda *_: None)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)  # all is plain HTTP here
