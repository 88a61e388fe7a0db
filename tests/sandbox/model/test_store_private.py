"""A world is its maker's alone: no file of it is anybody else's to read, to write, or to bring."""

from __future__ import annotations

import os
import stat

import pytest

from profilectl.sandbox.model.store import WorldOpenToOthers, WorldUnreadable
from profilectl.sandbox.model.world import World


@pytest.fixture(params=[0o022, 0o002, 0o000])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_every_file_is_private_from_its_first_moment(tmp_path):
    """The database, its log and its index, whatever the umask."""
    with World(tmp_path / "world.db") as world:
        world.ensure_brand("acmecare")
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}

    assert {"world.db": "0o600", "world.db-wal": "0o600", "world.db-shm": "0o600"} == modes


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606])
def test_a_world_that_others_can_reach_is_refused(tmp_path, mode):
    """It may be one that somebody planted, to learn the credentials that are put into it."""
    path = tmp_path / "world.db"
    World(path).close()
    path.chmod(mode)
    with pytest.raises(WorldOpenToOthers, match="can be read or changed by other users"):
        World(path)


@pytest.mark.parametrize(("mode", "is_refused"), [(0o770, True), (0o777, True), (0o1777, False), (0o755, False)])
def test_a_folder_in_which_others_can_replace_it_is_refused(tmp_path, mode, is_refused):
    """Nothing is made there; in a folder like /tmp nobody can."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    if not is_refused:
        World(folder / "world.db").close()
        return
    with pytest.raises(WorldOpenToOthers, match="other users could replace it"):
        World(folder / "world.db")

    assert [] == list(folder.iterdir())


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "readable", "somebody else's"])
def test_what_lies_beside_it_counts(tmp_path, suffix, kind):
    """SQLite would read it into the world, or write through it."""
    beside = tmp_path / f"world.db{suffix}"
    if kind == "link":
        beside.symlink_to(tmp_path / "victim")
    else:
        beside.touch(0o644 if kind == "readable" else 0o600)
    if kind == "somebody else's":
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(beside, 4242, 4242)
    with pytest.raises(WorldUnreadable):
        World(tmp_path / "world.db")

    assert not (tmp_path / "victim").exists()
    assert not (tmp_path / "world.db").exists()
