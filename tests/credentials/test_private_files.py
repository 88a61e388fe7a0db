"""A credentials file is read only when nobody else can get at it."""

from __future__ import annotations

import grp
import io
import os
import sys

import pytest

from profilectl.credentials.private_files import MAX_BYTES, read_private, read_stdin
from profilectl.errors import CredentialsError

as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "credentials.json"
    path.write_bytes(b"content")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_read(path, mode):
    """Only the owner has permissions."""
    path.chmod(mode)
    assert read_private(path) == b"content"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_for_others_is_refused(path, mode):
    """Any permission of anybody else is one too many; the hint is a command."""
    path.chmod(mode)
    with pytest.raises(CredentialsError, match=f"has mode {mode:03o}") as caught:
        read_private(path)
    assert caught.value.hint.startswith(f"run: chmod 600 {path}")
    assert "content" not in str(caught.value)


@as_root
def test_a_file_of_somebody_else_is_refused(path):
    """Whoever owns a file can change it."""
    os.chown(path, 12345, -1)
    with pytest.raises(CredentialsError, match=r"belongs to another user \(uid 12345\)"):
        read_private(path)


@as_root
def test_a_file_of_root_is_fine(path, monkeypatch):
    """Root may read everything anyway."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert read_private(path) == b"content"


@as_root
@pytest.mark.parametrize(("mode", "fine"), [(0o400, True), (0o440, True), (0o444, False), (0o460, False)])
def test_systemd_shows_its_access_list_as_group(path, mode, fine):
    """A systemd credential of root may be readable for root's group: that is how its access list looks."""
    path.chmod(mode)
    if fine:
        assert read_private(path, by_systemd=True) == b"content"
    else:
        with pytest.raises(CredentialsError, match="other users"):
            read_private(path, by_systemd=True)


@as_root
def test_systemd_lets_in_no_other_group(path):
    """Read permission of an ordinary group is for people."""
    path.chmod(0o440)
    os.chown(path, 0, 12345)
    with pytest.raises(CredentialsError, match="other users"):
        read_private(path, by_systemd=True)


def test_links_are_judged_by_what_they_lead_to(path, tmp_path):
    """Mounted secrets are links; the mode of their target counts."""
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_private(link) == b"content"
    path.chmod(0o644)
    with pytest.raises(CredentialsError, match="has mode 644"):
        read_private(link)


def test_a_fifo_does_not_hang(tmp_path):
    """Only regular files hold still while they are judged."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(CredentialsError, match="is not a regular file"):
        read_private(tmp_path / "fifo")


def test_a_folder_is_no_file(tmp_path):
    """It is refused like everything else that isn't a file."""
    with pytest.raises(CredentialsError, match="is not a regular file"):
        read_private(tmp_path)


@pytest.mark.parametrize(("name", "reason"), [("absent", "No such file"), ("nul\0byte", "no file name")])
def test_what_is_not_there(tmp_path, name, reason):
    """The system's reason is passed on; control characters are made visible."""
    with pytest.raises(CredentialsError, match=reason) as caught:
        read_private(tmp_path / name)
    assert "\0" not in str(caught.value)


def test_reading_stops_after_the_limit(path):
    """One byte more than allowed is enough to know that it is too long."""
    path.write_bytes(b"x" * (MAX_BYTES + 100))
    assert len(read_private(path)) == MAX_BYTES + 1
    assert len(read_stdin(io.BytesIO(b"x" * (MAX_BYTES + 100)))) == MAX_BYTES + 1


def test_a_terminal_is_not_read(monkeypatch):
    """Secrets would be shown while they are typed."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stdin in (Terminal(), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CredentialsError, match="no credentials came in on stdin"):
            read_stdin()


@as_root
@pytest.mark.parametrize(
    ("is_read", "mode", "groups", "members"),
    [
        (True, 0o440, [54321], None),
        (True, 0o440, [54321], []),
        (False, 0o444, [54321], None),
        (False, 0o460, [54321], None),
        (False, 0o440, [], None),
        (False, 0o440, [54321], ["somebody"]),
    ],
)
def test_a_secret_that_kubernetes_mounts_for_a_pod(path, monkeypatch, is_read, mode, groups, members):
    """Root's file may be read by a group that this user is alone in: a pod's has no name, and nobody else is in it."""
    path.chmod(mode)
    os.chown(path, 0, 54321)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(os, "getgroups", lambda: groups)
    if members is not None:
        monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("pod", "x", gid, members)))
    if is_read:
        assert b"content" == read_private(path)
    else:
        with pytest.raises(CredentialsError, match="other users can get at it"):
            read_private(path)


@as_root
def test_a_secret_of_kubernetes_gets_a_hint_that_can_help(path, tmp_path, monkeypatch):
    """Behind two links, root's, readable for the pod's group: chmod isn't for us there, and two other ways are."""
    path.chmod(0o440)
    os.chown(path, 0, 12345)
    (tmp_path / "..data").symlink_to(path.parent)
    link = tmp_path / "token.json"
    link.symlink_to(f"..data/{path.name}")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(CredentialsError, match="other users") as caught:
        read_private(link)
    assert "chmod" not in caught.value.hint
    assert "variables" in caught.value.hint
    assert f"--credentials-file - < {link}" in caught.value.hint
