"""A timestamp beside each checkpoint: asked for after a sync and by hand, checked by verify, never in anybody's way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.timestamp_server import Authority


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "tsa") as authority:
        yield authority


@pytest.fixture
def desk(signing_desk, served, authority):
    """A desk that signs its record, keeps checkpoints, and has them dated by an authority that it believes."""
    configure(signing_desk, timestamp=authority.url, timestamp_ca=authority.root)
    return signing_desk.write(("alice", "Alice F."))


def configure(desk, **choices):
    folder = Path(desk.env["XDG_CONFIG_HOME"]) / "profilectl"
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f'{key} = "{value}"\n' for key, value in choices.items())
    (folder / "config.toml").write_text(f"version = 1\n[audit]\n{lines}")


def timestamps(desk):
    return sorted(path.name for path in desk.anchor.glob("*.tsr"))


def test_a_sync_has_its_checkpoint_dated(desk, authority):
    """Once; and both verify and OpenSSL believe it."""
    assert ["", ""] == [desk.run("sync", "--yes", "-q").err for _ in range(2)]
    [name] = timestamps(desk)
    verified = desk.run("audit", "verify", "--against", "anchor")
    document = desk.run("audit", "verify", "--against", "anchor", "--json").document["checkpoints"]["timestamps"]
    note = name.replace(".tsr", ".checkpoint")
    words = ["openssl", "ts", "-verify", "-data", note, "-in", name, "-CAfile", authority.root]

    assert 1 == len(authority.asked)
    assert (0, True) == (verified.code, "1 timestamp: the newest proves that its checkpoint was there" in verified.out)
    assert (1, True, 0, []) == tuple(document[key] for key in ("good", "traced", "lacking", "refused"))
    assert 0 == subprocess.run(words, cwd=desk.anchor, check=False, capture_output=True).returncode
    assert 0 == desk.run("audit", "verify", "--against", f"anchor/{note}").code


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ((503, {}, b""), "error of its own (HTTP 503)"),
        ((302, {"Location": "https://tsa.example/"}, b""), "points elsewhere"),
        ((200, {}, b"<html>log in here</html>"), "it is no timestamp (RFC 3161)"),
    ],
)
def test_a_server_that_gives_none_fails_no_sync(desk, authority, failure, says):
    """It is a warning, and a checkpoint by hand asks anew."""
    authority.failure = failure
    result = desk.run("sync", "--yes")
    assert (0, True, []) == (result.code, "has no timestamp: " in result.err and says in result.err, timestamps(desk))
    assert 1 == len(list(desk.anchor.glob("*.checkpoint")))

    authority.failure = None
    again = desk.run("audit", "checkpoint", "--json")
    assert [again.document["timestamp"]] == [str(desk.anchor / name) for name in timestamps(desk)]


def test_an_address_without_tls_is_not_asked(desk):
    """The sync goes on, and says what is to be changed."""
    configure(desk, timestamp="http://tsa.example/")
    result = desk.run("sync", "--yes")
    assert (0, True) == (result.code, "[audit] timestamp in config.toml is no address that may be asked" in result.err)


def test_a_timestamp_of_another_text_is_a_fault(desk, authority):
    """Wherever it comes from."""
    assert 0 == desk.run("sync", "--yes").code
    assert 0 == desk.write(("alice", "Alice F."), ("bruno", "Bruno K.")).run("sync", "--yes").code
    first, second = (desk.anchor / name for name in timestamps(desk))
    second.chmod(0o644)
    second.write_bytes(first.read_bytes())
    result = desk.run("audit", "verify", "--against", "anchor")

    note = second.with_suffix(".checkpoint").name
    words = f"the timestamp of the checkpoint {note} proves nothing: it is of another text"
    assert (5, True) == (result.code, words in result.err)


def test_without_certificates_it_says_what_was_not_checked(desk, authority):
    """A stranger's timestamp passes for one then, and proves nothing."""
    configure(desk, timestamp=authority.url)
    assert 0 == desk.run("sync", "--yes").code
    result = desk.run("audit", "verify", "--against", "anchor")
    assert (0, True) == (result.code, "but who signed it wasn't checked: [audit] timestamp_ca" in result.out)


def test_a_stranger_s_timestamp_is_not_kept(desk, tmp_path):
    """What is written is never overwritten, so it is looked at before."""
    with Authority(tmp_path / "other") as stranger:
        configure(desk, timestamp=stranger.url, timestamp_ca=tmp_path / "tsa" / "root.pem")
        result = desk.run("sync", "--yes")
    assert (0, True, []) == (result.code, "no certificate that [audit] timestamp_ca" in result.err, timestamps(desk))


def test_a_rehearsal_asks_nobody(desk, authority):
    """Its checkpoints are nobody's evidence."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert 0 == desk.run("sync", "--yes").code
    assert [] == authority.asked


def test_checkpoints_from_before_have_none(desk, authority):
    """That is no fault, and counted."""
    configure(desk)
    assert 0 == desk.run("sync", "--yes").code
    configure(desk, timestamp=authority.url, timestamp_ca=authority.root)
    assert 0 == desk.write(("alice", "Alice F."), ("bruno", "Bruno K.")).run("sync", "--yes").code
    result = desk.run("audit", "verify", "--against", "anchor")
    assert (0, True) == (result.code, "1 timestamp; 1 checkpoint without: the newest proves" in result.out)


@pytest.fixture
def without_library(tmp_path, desk):
    """A Python in which the library can't be imported, as where the extra isn't installed."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "rfc3161_client.py").write_text("raise ImportError('not installed')\n")
    desk.env["PYTHONPATH"] = str(folder)
    return desk


def test_without_the_extra_a_sync_says_what_to_install(without_library, authority):
    """By hand it is an error before anything is signed; verify says what it didn't look at."""
    desk = without_library
    result = desk.run("sync", "--yes")
    by_hand = desk.run("audit", "checkpoint")
    assert (0, True) == (result.code, "pip install '.[timestamp]'" in result.err)
    assert (2, []) == (by_hand.code, authority.asked)

    desk.env.pop("PYTHONPATH")
    assert 0 == desk.run("audit", "checkpoint").code
    desk.env["PYTHONPATH"] = str(desk.anchor.parent / "without")
    assert 2 == desk.run("audit", "verify", "--against", "anchor").code
    configure(desk)
    unread = desk.run("audit", "verify", "--against", "anchor")
    assert (0, True) == (unread.code, "1 timestamp not looked at" in unread.out)
