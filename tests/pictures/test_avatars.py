from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from profilectl.errors import AvatarRefused
from profilectl.pictures import avatars


def test_a_picture_is_known_by_the_hash_of_its_bytes(tmp_path):
    """`inspect` keeps the path as the roster writes it, and hashes without decoding."""
    (tmp_path / "a.jpg").write_bytes(b"abc")
    picture = avatars.inspect(tmp_path, "./a.jpg")
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (picture.path, picture.digest, picture.size) == ("./a.jpg", digest, 3)


def test_links_inside_of_the_folder_are_followed(tmp_path):
    """A link may lead anywhere below the roster's folder, and the folder itself may be one."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "deep" / "a.jpg").write_bytes(b"abc")
    (tmp_path / "real" / "link.jpg").symlink_to("deep/a.jpg")
    (tmp_path / "alias").symlink_to("real")
    assert avatars.inspect(tmp_path / "alias", "link.jpg").size == 3


@pytest.mark.parametrize(
    "path", ["../secret.jpg", "link.jpg", "way/secret.jpg", "../missing.jpg", "a/../../secret.jpg"]
)
def test_nothing_outside_of_the_folder_is_read(tmp_path, path):
    """Neither dots nor links lead out, and the answer doesn't tell whether something is there."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    folder = tmp_path / "roster"
    folder.mkdir()
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "way").symlink_to(tmp_path)
    with pytest.raises(AvatarRefused, match="is outside of the roster's folder"):
        avatars.inspect(folder, path)


def test_an_absolute_path_is_outside(tmp_path):
    """A roster that names absolute paths would work on one machine only."""
    (tmp_path / "a.jpg").write_bytes(b"abc")
    with pytest.raises(AvatarRefused, match="outside"):
        avatars.inspect(tmp_path, str(tmp_path / "a.jpg"))


def test_a_folder_that_only_begins_alike_is_outside(tmp_path):
    """`/x/roster-old` is not inside of `/x/roster`."""
    (tmp_path / "roster").mkdir()
    (tmp_path / "roster-old").mkdir()
    (tmp_path / "roster-old" / "a.jpg").write_bytes(b"abc")
    with pytest.raises(AvatarRefused, match="outside"):
        avatars.inspect(tmp_path / "roster", "../roster-old/a.jpg")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.jpg", "doesn't exist"),
        ("folder", "is a folder, not a file"),
        ("", "is a folder, not a file"),
        ("folder/..", "is a folder, not a file"),
        ("empty.jpg", "is an empty file"),
        ("loop.jpg", "isn't a regular file"),
        ("empty.jpg/a.jpg", "can't be read: not a directory"),
        ("nul\0.jpg", "can't be read: its name has a NUL character"),
        ("n" * 300, "can't be read: file name too long"),
    ],
)
def test_what_is_no_file_with_something_in_it_is_refused(tmp_path, path, reason):
    """Each refusal says why."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with pytest.raises(AvatarRefused, match=reason):
        avatars.inspect(tmp_path, path)


def test_a_pipe_is_refused_without_waiting_for_its_other_end(tmp_path):
    """Opening a FIFO without a writer would block for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(AvatarRefused, match="isn't a regular file"):
        avatars.inspect(tmp_path, "pipe.jpg")


def test_a_socket_and_a_device_are_refused(tmp_path, monkeypatch):
    """So is everything else that isn't a file, before it is opened."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        with pytest.raises(AvatarRefused, match="isn't a regular file"):
            avatars.inspect(tmp_path, "socket.jpg")
    with pytest.raises(AvatarRefused, match="isn't a regular file"):
        avatars.inspect(Path("/dev"), "null")


def test_a_link_that_changes_under_our_feet_leads_nowhere(tmp_path, monkeypatch):
    """A component that becomes a link after it was resolved is not followed."""
    folder = tmp_path / "roster"
    (folder / "faces").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.jpg").write_bytes(b"secret")
    resolve = os.path.realpath

    def resolve_and_swap(path):
        resolved = resolve(path)
        if resolved.endswith("a.jpg"):
            (folder / "faces").rmdir()
            (folder / "faces").symlink_to(tmp_path / "secret")
        return resolved

    monkeypatch.setattr(avatars.os.path, "realpath", resolve_and_swap)
    with pytest.raises(AvatarRefused, match="can't be read"):
        avatars.inspect(folder, "faces/a.jpg")


def test_twenty_megabytes_are_the_most(tmp_path):
    """20,000,000 bytes pass, one more doesn't, and the figure is never rounded down to the limit."""
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(20_000_000)
    assert avatars.inspect(tmp_path, "a.jpg").size == 20_000_000
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b"!")
    with pytest.raises(AvatarRefused, match=r"picture a\.jpg has 20\.1 MB, at most 20$"):
        avatars.inspect(tmp_path, "a.jpg")


def test_a_name_that_would_fool_the_terminal_is_made_visible(tmp_path):
    """File names come from a roster, and may hold anything."""
    with pytest.raises(AvatarRefused) as caught:
        avatars.inspect(tmp_path, "\x1b[2J\u202egpj.exe")
    assert caught.value.message == r"picture \x1b[2J<U+202E>gpj.exe doesn't exist"


def test_no_file_stays_open(tmp_path):
    """A thousand pictures don't use up a process's descriptors, refused or not."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.jpg").write_bytes(b"abc")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        avatars.inspect(tmp_path, "deep/a.jpg")
        with pytest.raises(AvatarRefused):
            avatars.inspect(tmp_path, "deep/none.jpg")
        with pytest.raises(AvatarRefused):
            avatars.inspect(tmp_path, "deep")
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can be opened but not read")
def test_a_disk_that_fails_names_the_file():
    """An error while reading is told like one while opening."""
    with pytest.raises(AvatarRefused, match="picture mem can't be read: input/output error"):
        avatars.inspect(Path("/proc/self"), "mem")


def test_inspecting_never_imports_pillow(tmp_path):
    """A sync with nothing to do shouldn't pay for a decoder."""
    code = (
        "import sys, pathlib, profilectl.pictures.avatars as a; "
        "a.inspect(pathlib.Path('.'), 'a'); print('PIL' in sys.modules)"
    )
    (tmp_path / "a").write_bytes(b"abc")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
