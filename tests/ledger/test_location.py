"""Which places are safe for a ledger, and which rights its files get."""

from __future__ import annotations

import os
import pwd
import stat

import pytest

from profilectl.errors import LedgerRefused
from profilectl.ledger import location
from profilectl.ledger.sqlite import open_for_reading, open_for_writing


@pytest.fixture(autouse=True)
def _careless_umask():
    former = os.umask(0o022)
    yield
    os.umask(former)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".profilectl" / "ledger.db"


def modes(folder):
    return {one.name: oct(stat.S_IMODE(one.lstat().st_mode)) for one in [folder, *folder.iterdir()]}


def test_everything_is_private(path):
    """Folder 0700, files 0600, SQLite's own files and the lock's included, under a umask of 022."""
    with open_for_writing(path) as ledger, ledger.lock(0, "a test"):
        names = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock", "ledger.db.lock.holder", ".gitignore"]
        assert {".profilectl": "0o700", **dict.fromkeys(names, "0o600")} == modes(path.parent)


@pytest.mark.parametrize("name", [".profilectl", "state/deep", "existing"])
def test_folder_ignores_itself(tmp_path, name):
    """A folder of ours, by name or by making, is ignored by git; a folder that was there before is left alone."""
    (tmp_path / "existing").mkdir()
    open_for_writing(tmp_path / name / "ledger.db").close()
    ignore = tmp_path / name / ".gitignore"
    assert ("*\n" if name != "existing" else None) == (ignore.read_text() if ignore.exists() else None)


def test_made_folders_are_private(tmp_path):
    """Every folder on the way that had to be made is private."""
    open_for_writing(tmp_path / "state" / "deep" / "ledger.db").close()
    assert {0o700} == {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("state", "state/deep")}


def test_own_folder_is_tightened(path):
    """Our own folder loses the rights that others shouldn't have; what people wrote into .gitignore stays."""
    path.parent.mkdir()
    path.parent.chmod(0o777)
    (path.parent / ".gitignore").write_text("ledger.*\n")
    open_for_writing(path).close()
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert "ledger.*\n" == (path.parent / ".gitignore").read_text()


def test_folder_that_others_can_write(tmp_path):
    """In any other folder the risk is the owner's to remove, with the command to do so."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o775)
    with pytest.raises(LedgerRefused, match="can be written by other users") as refusal:
        open_for_writing(folder / "ledger.db")
    assert f"chmod go-w {folder}" == refusal.value.hint
    assert [] == list(folder.iterdir())
    folder.chmod(0o1777)
    open_for_writing(folder / "ledger.db").close()
    folder.chmod(0o775)
    with pytest.raises(LedgerRefused, match="can be written by other users"):
        open_for_reading(folder / "ledger.db")


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "ledger.db.lock"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_file_that_others_can_reach(path, name, mode):
    """What came with a repository is open to others, ours never is; so nobody trusts it, and its rights stay."""
    open_for_writing(path).close()
    path.with_name(name).touch()
    path.with_name(name).chmod(mode)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match=rf"{name} can be read or changed by other users") as refusal:
            opening(path)
        assert refusal.value.hint.endswith(f"didn't come with a repository: chmod 600 {path.with_name(name)}")
    assert mode == stat.S_IMODE(path.with_name(name).stat().st_mode)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", ".lock"])
def test_linked_companion(tmp_path, path, suffix):
    """A link beside the ledger is refused, and what it leads to keeps its rights."""
    open_for_writing(path).close()
    victim = tmp_path / "victim"
    victim.touch()
    victim.chmod(0o644)
    path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.with_name(path.name + suffix).symlink_to(victim)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="is a symbolic link"):
            opening(path)
    assert 0o644 == stat.S_IMODE(victim.stat().st_mode)


def test_folder_of_somebody_else(open_folder):
    """A folder of another user, unless that is root, is refused: its owner can exchange what lies in it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    path = open_folder / ".profilectl" / "ledger.db"
    open_for_writing(path).close()
    os.chown(path.parent, 1234, 1234)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match=r"belongs to another user \(uid 1234\)"):
            opening(path)


@pytest.mark.parametrize("through_link", [False, True])
def test_parent_that_everybody_can_write(tmp_path, through_link):
    """Whoever can write a folder on the way can exchange the ledger's folder; the sticky bit forbids that."""
    shared = tmp_path / "shared"
    (shared / "brand").mkdir(parents=True)
    shared.chmod(0o777)
    if through_link:
        (tmp_path / "link").symlink_to(shared / "brand")
    path = (tmp_path / "link" if through_link else shared / "brand") / ".profilectl" / "ledger.db"
    with pytest.raises(LedgerRefused, match="can be written by all users") as refusal:
        open_for_writing(path)
    assert f"chmod o-w {shared}" == refusal.value.hint
    assert not path.parent.exists()
    shared.chmod(0o1777)
    open_for_writing(path).close()
    shared.chmod(0o777)
    with pytest.raises(LedgerRefused, match="can be written by all users"):
        open_for_reading(path)


def test_parent_of_a_group(path):
    """A parent that its group can write is as umask 002 makes it for people with a group of their own."""
    path.parent.parent.chmod(0o775)
    open_for_writing(path).close()
    with open_for_reading(path) as ledger:
        assert 0 == ledger.last_seq()


def test_file_of_somebody_else(open_folder, nobody):
    """A ledger of another user, unless that is root, is refused."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = open_folder / "state" / "ledger.db"
    open_for_writing(path).close()
    os.chown(path, 1234, 1234)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="belongs to another user"):
            opening(path)


@pytest.mark.parametrize("target", ["present", "missing"])
def test_symbolic_link(tmp_path, path, target):
    """A link in the ledger's place is refused, dangling or not, and nothing is made at its other end."""
    other = tmp_path / "other.db"
    if target == "present":
        open_for_writing(other).close()
    path.parent.mkdir()
    path.symlink_to(other)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="is a symbolic link"):
            opening(path)
    assert other.exists() == (target == "present")


@pytest.mark.parametrize("link", [".profilectl", ".profilectl/sandbox"])
@pytest.mark.parametrize("deeper", [False, True])
def test_linked_folder(tmp_path, link, deeper):
    """Our folder, or one below it, that a repository points elsewhere is refused; nothing is made at its other end."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    link = tmp_path / "roster" / link
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    path = (link / "deeper" if deeper else link) / "ledger.db"
    with pytest.raises(LedgerRefused, match="is a symbolic link"):
        open_for_writing(path)
    assert [] == list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("deeper", [False, True])
def test_linked_folder_with_a_ledger(tmp_path, deeper):
    """Nobody reads through such a link either."""
    folder = tmp_path / "elsewhere" / "deeper" if deeper else tmp_path / "elsewhere"
    open_for_writing(folder / "ledger.db").close()
    (tmp_path / ".profilectl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerRefused, match="is a symbolic link"):
        open_for_reading(tmp_path / ".profilectl" / folder.relative_to(tmp_path / "elsewhere") / "ledger.db")


def test_no_regular_file(path):
    """A folder or a pipe in the ledger's place is refused without being opened."""
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="isn't a regular file"):
            opening(path)


def test_folder_that_is_a_file(path):
    """A file in the folder's place is refused by a writer, and holds no ledger for a reader."""
    path.parent.write_text("")
    with pytest.raises(LedgerRefused, match="can't hold a ledger"):
        open_for_writing(path)


def test_folder_whose_name_is_too_long(tmp_path):
    """It is refused with the reason, by whoever asks for the folder."""
    with pytest.raises(LedgerRefused, match="File name too long"):
        location.prepare_folder(tmp_path / ("x" * 300) / ".profilectl")


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw
41 40 8:2 / /home/ann/local rw - xfs /dev/sdb1 rw
42 22 0:41 / /mnt/my\\040share rw,relatime - cifs //server/share rw
43 22 0:42 / /over rw - ext4 /dev/sdc1 rw
44 43 0:43 / /over rw - fuse.sshfs host:/ rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/", "ext4"),
        ("/home", "nfs4"),
        ("/home/ann/x", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/ann/local/x", "xfs"),
        ("/mnt/my share/x", "cifs"),
        ("/over/x", "fuse.sshfs"),
    ],
)
def test_file_system_of_a_folder(folder, kind):
    """The mount that lies deepest over a folder, and was made last, tells its file system."""
    assert kind == location._file_system(folder, MOUNTS)


def test_network_file_system(path, monkeypatch, tmp_path):
    """On a network file system nothing is made, and the way out is named."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"40 22 0:40 / {tmp_path} rw - nfs4 server:/home rw\n")
    monkeypatch.setattr(location, "_MOUNTS", mounts)
    with pytest.raises(LedgerRefused, match=r"network file system \(nfs4\)") as refusal:
        open_for_writing(path)
    assert "PROFILECTL_LEDGER" in refusal.value.hint
    assert not path.parent.exists()


def test_system_without_mount_table(path, monkeypatch, tmp_path):
    """Where the system doesn't tell, the ledger opens."""
    monkeypatch.setattr(location, "_MOUNTS", tmp_path / "none")
    open_for_writing(path).close()
    assert path.exists()


def test_hostile_path_is_made_visible(tmp_path):
    """A path can't speak to the terminal."""
    folder = tmp_path / "a\x1b[2J"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(LedgerRefused) as refusal:
        open_for_writing(folder / "ledger.db")
    assert "\x1b" not in refusal.value.message + refusal.value.hint


@pytest.mark.parametrize("name", ["", "ledger.db", "ledger.db-wal", "ledger.db.lock"])
def test_what_can_only_be_read_is_known_beforehand(open_folder, nobody, name):
    """By the modes alone: a look for a folder or a file that can't be written leaves nothing behind."""
    path = open_folder / "state" / "ledger.db"
    open_for_writing(path).close()
    for beside in ("ledger.db-wal", "ledger.db.lock"):
        (path.parent / beside).touch(0o600)
    if os.geteuid() == 0:
        for one in (path.parent, *path.parent.iterdir()):
            os.chown(one, 65534, 65534)
    before = modes(path.parent)
    with nobody():
        location.check_writable(path)
    locked = path.parent / name
    locked.chmod(0o500 if locked.is_dir() else 0o400)
    with nobody(), pytest.raises(LedgerRefused) as refused:
        location.check_writable(path)
    assert f"{locked} can't be written" == refused.value.message
    assert before.keys() == modes(path.parent).keys()


def test_a_ledger_that_cannot_be_made_is_known_beforehand(open_folder, nobody):
    """The nearest folder that exists is the one to be written."""
    open_folder.chmod(0o555)
    with nobody():
        with pytest.raises(LedgerRefused, match="can't be written"):
            location.check_writable(open_folder / "state" / "deep" / "ledger.db")
        assert [] == list(open_folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_ledger_of_another_user_is_not_to_be_opened_up(tmp_path):
    """The hint says whose it is and where to look for a way; for one's own it stays the advice to change its mode."""
    path = tmp_path / "ledger.db"
    path.touch()
    own = location.of_another_user(path, "make it writable")
    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    hint = location.of_another_user(path, "make it writable")

    assert "make it writable" == own
    assert f"{path} belongs to nobody, and only they may open it" in hint
    assert "docs/machines.md" in hint
