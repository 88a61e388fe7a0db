"""What a checkout may have brought: links where files are written, and files without an end where they are read."""

from __future__ import annotations

import os
import shutil
import stat

import pytest

from tests.cli.conftest import Desk

TEXT = "precious"
WRITERS = {
    "preview": ("preview", "--html", "{}.html"),
    "diff": ("diff", "--sandbox", "--out", "{}.json"),
    "export": ("ledger", "export", "--sandbox", "--force", "{}.jsonl"),
    "backup": ("ledger", "backup", "--sandbox", "--force", "{}.db"),
    "a world": ("sandbox", "serve", "--port", "0", "--world", "{}.world"),
    "init": ("init", "--roster", "{}/roster.toml"),
    "a ledger": ("ledger", "import", "copy.jsonl"),
}
"""Commands that write where a person says, with a place for the name; the last one gets its place from a variable."""


@pytest.fixture(scope="module")
def template(tmp_path_factory, preloaded):
    """A roster with a ledger of its own, and an export of it."""
    desk = Desk(tmp_path_factory.mktemp("template"), preloaded)
    desk.draw("face.png")
    desk.write(("alice", "Alice"))
    assert 0 == desk.run("sync", "--sandbox", "--yes").code
    (desk.folder / "copy.jsonl").write_text(desk.run("ledger", "export", "--sandbox").out)
    return desk.folder


@pytest.fixture
def checkout(template, tmp_path, preloaded):
    """The same for one test."""
    return Desk(shutil.copytree(template, tmp_path / "checkout"), preloaded)


@pytest.fixture
def outside(tmp_path_factory):
    """A folder of the user's that has nothing to do with it, and a file there."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "file").write_text(TEXT)
    (folder / "sub").mkdir()
    return folder


def written(desk, writer, name):
    """Run a command that writes a file of that name."""
    words = [word.format(name) for word in WRITERS[writer]]
    if writer == "a ledger":
        desk.env["PROFILECTL_LEDGER"] = f"{name}.db"
    return desk.run(*words, timeout=60)


def contents(folder):
    return {path: path.is_file() and path.read_text() for path in folder.rglob("*")}


@pytest.mark.parametrize("place", ["site/new", "{}/site/new", "inner/site/sub/new", "inner/../site/new"])
@pytest.mark.parametrize("writer", WRITERS)
def test_nobody_writes_through_a_folder_that_is_a_link(checkout, outside, writer, place):
    """Refused in one sentence; nothing appears where the link leads."""
    (checkout.folder / "inner").mkdir()
    links = [checkout.folder / "site", checkout.folder / "inner" / "site"]
    for link in links:
        link.symlink_to(outside)
    before = contents(outside)
    result = written(checkout, writer, place.format(checkout.folder))

    assert (5, True) == (result.code, "site is a symbolic link" in result.err), result.err
    assert (before, True) == (contents(outside), all(link.is_symlink() for link in links))


@pytest.mark.parametrize("leads_to", ["file", "nothing"])
@pytest.mark.parametrize("writer", [writer for writer in WRITERS if writer != "init"])
def test_nobody_writes_to_a_link(checkout, outside, writer, leads_to):
    """Neither what it leads to changes, nor the link."""
    for ending in ("html", "json", "jsonl", "db", "world"):
        (checkout.folder / f"new.{ending}").symlink_to(outside / leads_to)
    before = contents(outside)
    result = written(checkout, writer, "new")

    assert (5, before) == (result.code, contents(outside)), result.err
    assert all((checkout.folder / f"new.{ending}").is_symlink() for ending in ("html", "json", "jsonl", "db"))


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("writer", [writer for writer in WRITERS if writer != "init"])
def test_nobody_writes_to_what_is_no_file(checkout, writer, kind):
    """A pipe without a reader holds nobody up, and stays what it is."""
    for ending in ("html", "json", "jsonl", "db", "world"):
        path = checkout.folder / f"new.{ending}"
        os.mkfifo(path, 0o600) if kind == "pipe" else os.mknod(path, stat.S_IFSOCK | 0o600)
    result = written(checkout, writer, "new")

    assert 5 == result.code, result.err
    for ending in ("html", "json", "jsonl", "db", "world"):
        assert not (checkout.folder / f"new.{ending}").is_file()


@pytest.mark.parametrize("writer", ["preview", "diff", "export", "backup"])
def test_a_link_of_the_user_s_own_is_followed(checkout, tmp_path_factory, writer):
    """A folder outside of the checkout that is on another disk, as people have them."""
    disk, home = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("home")
    (home / "site").symlink_to(disk)
    result = written(checkout, writer, f"{home}/site/new")

    assert (0, ["new"]) == (result.code, [path.stem for path in disk.iterdir()]), result.err


def test_a_home_that_is_kept_in_git_is_the_user_s_own(checkout, tmp_path_factory):
    """The links in it are settings, and no stranger's."""
    disk, home = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("home")
    (home / ".git").mkdir()
    (home / "site").symlink_to(disk)
    checkout.env["HOME"] = str(home)
    result = written(checkout, "preview", f"{home}/site/new")

    assert (0, ["new.html"]) == (result.code, [path.name for path in disk.iterdir()]), result.err


def test_a_checkout_may_be_reached_by_a_link(checkout, tmp_path_factory):
    """What lies above it, its user has put there."""
    link = tmp_path_factory.mktemp("home") / "roster"
    link.symlink_to(checkout.folder)
    assert 0 == written(checkout, "preview", f"{link}/new").code
    checkout.folder = link
    assert 0 == written(checkout, "export", "new").code
    assert {"new.html", "new.jsonl"} <= {path.name for path in link.iterdir()}


READERS = {
    "a roster": ("roster", "check", "--roster", "endless"),
    "a picture": ("roster", "check", "--roster", "pictured.toml"),
    "a plan": ("sync", "--sandbox", "--yes", "--plan", "endless"),
    "a former plan": ("diff", "--sandbox", "--out", "endless"),
    "a message": ("send", "--sandbox", "--as", "alice", "--to", "1", "--file", "endless"),
    "a message's picture": ("send", "--sandbox", "--as", "alice", "--to", "1", "Hi", "--media", "endless"),
    "an export": ("ledger", "import", "endless"),
}
FRUGAL = ("sh", "-c", 'ulimit -v 3000000 && exec "$@"', "sh")
"""Starts the program so that it has three gigabytes and no more."""


@pytest.mark.parametrize("kind", ["pipe", "endless device"])
@pytest.mark.parametrize("reader", READERS)
def test_nobody_reads_what_has_no_end(checkout, reader, kind):
    """A pipe that nobody writes to, and a link to a device that never ends: refused at once."""
    path = checkout.folder / "endless"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    (checkout.folder / "pictured.toml").write_text(
        (checkout.folder / "roster.toml").read_text().replace("avatars/face.png", "endless")
    )
    result = checkout.run(*READERS[reader], timeout=60, starter=FRUGAL)

    assert 5 == result.code, result.err
    assert "endless" in result.out + result.err


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db.lock", "ledger.db.lock.holder", "world.db"])
@pytest.mark.parametrize("kind", ["pipe", "endless device"])
def test_nobody_reads_without_end_beside_the_roster(checkout, name, kind):
    """In the folder of the sandbox, which an archive can bring along."""
    path = checkout.folder / ".profilectl" / "sandbox" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600) if kind == "pipe" else path.symlink_to("/dev/zero")
    result = checkout.run("ledger", "show", "--sandbox", timeout=60, starter=FRUGAL)

    again = checkout.run("sync", "--sandbox", "--yes", timeout=60, starter=FRUGAL)

    assert {result.code, again.code} <= {0, 5}, result.err + again.err


def test_a_pipe_from_the_shell_is_read(checkout):
    """Unlike one that lies about, it comes from whoever runs the command."""
    checkout.env["PROFILECTL_LEDGER"] = str(checkout.folder / "other.db")
    for source in ("<(cat copy.jsonl)", "/dev/stdin < copy.jsonl", "/dev/fd/3 3< <(cat copy.jsonl)"):
        result = checkout.shell(f"profilectl ledger import {source}")
        assert 0 == result.code, (source, result.err)
        (checkout.folder / "other.db").unlink()


def test_a_pipe_without_an_end_is_left_at_once(checkout):
    """What doesn't begin as an export isn't waited for."""
    checkout.env["PROFILECTL_LEDGER"] = str(checkout.folder / "other.db")
    result = checkout.shell("profilectl ledger import <(yes); profilectl ledger import - < /dev/zero")

    assert 2 == result.err.count("nothing was imported: "), result.err
