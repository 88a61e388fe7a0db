"""A world in a file: private, lasting, shared by processes, and never mistaken for something else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest

from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.store import WorldUnreadable
from profilectl.sandbox.model.world import World
from tests.patience import join


def test_a_new_file_is_private(tmp_path):
    """0600 whatever the umask says, its side files too."""
    with World(tmp_path / "world.db") as world:
        world.ensure_brand("acmecare")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert set(modes.values()) == {0o600}


def test_everything_persists(tmp_path, clock, picture):
    """Credentials, profiles, time, quotas and trouble are there the next time."""
    path = tmp_path / "world.db"
    with World(path, now=clock) as world:
        brand = world.ensure_brand("acmecare")
        media = world.media.add(brand.user_id, picture)
        world.profiles.create(brand.user_id, "Alice", media.id)
        world.quotas.spend("create", brand.user_id)
        world.faults.add(Fault(kind=Kind.SLOW))
        world.advance(60)
        before = world.state()

    with World(path, now=clock) as again:
        assert brand == again.ensure_brand("ACMEcare")
        assert before == again.state()
        assert again.now() == clock.now + 60
        assert again.quotas.status("create", brand.user_id).remaining == 999
        assert len(again.faults.all()) == 1


def test_reset_keeps_accounts_and_credentials(world, picture):
    """Everything else is forgotten, time is the present, ids go on."""
    brand = world.ensure_brand("acmecare")
    first = world.profiles.create(brand.user_id, "Alice", world.media.add(brand.user_id, picture).id)
    world.advance(60)
    world.reset()
    second = world.profiles.create(brand.user_id, "Alice", world.media.add(brand.user_id, picture).id)

    assert brand == world.ensure_brand("acmecare")
    assert [second.id] == [profile["id"] for profile in world.state()["profiles"]]
    assert int(second.id) > int(first.id)
    assert world.now() == 1_790_000_000


_OTHER_PROCESS = """
import sys
from profilectl.sandbox.model.world import World
with World(sys.argv[1]) as world:
    brand = world.ensure_brand("acmecare")
    for _ in range(100):
        world.quotas.spend("create", brand.user_id)
        world.store.next_id()
print(brand.access_token)
"""


def test_processes_share_a_file(tmp_path):
    """Three at once, starting together: one brand, every call counted."""
    path = tmp_path / "world.db"
    command = [sys.executable, "-c", _OTHER_PROCESS, str(path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    tokens = {process.communicate(timeout=60)[0] for process in running}

    with World(path) as world:
        brand = world.ensure_brand("acmecare")
        assert tokens == {f"{brand.access_token}\n"}
        assert world.quotas.status("create", brand.user_id).remaining == 700


def test_threads_share_a_world(world):
    """No count is lost and no id comes twice."""
    ids: list[int] = []

    def work() -> None:
        for _ in range(50):
            world.quotas.spend("create", "1")
            ids.append(world.store.next_id())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    join(*threads)

    assert len(set(ids)) == 400
    assert world.quotas.status("create", "1").remaining == 600


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(4_000)])
def test_other_files_are_refused(tmp_path, content):
    """And left as they were."""
    path = tmp_path / "world.db"
    path.write_bytes(content)

    with pytest.raises(WorldUnreadable, match=r"world\.db"):
        World(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("is_dangling", [False, True])
def test_links_are_refused(tmp_path, is_dangling):
    """Nothing is made or changed at the other end."""
    target = tmp_path / "target"
    if not is_dangling:
        World(target).close()
    (tmp_path / "world.db").symlink_to(target)

    with pytest.raises(WorldUnreadable, match="isn't a regular file"):
        World(tmp_path / "world.db")
    assert target.exists() != is_dangling


def test_folders_and_pipes_are_refused(tmp_path):
    """Without being opened."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(WorldUnreadable, match="isn't a regular file"):
            World(path)


def test_a_failed_transaction_changes_nothing(world):
    """All or nothing, nested ones included."""

    def fail() -> None:
        with world.store.transaction():
            world.accounts.allow(world.ensure_brand("acmecare").handle, False)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert world.accounts.all() == []
