"""``audit checkpoint``, the anchor after a sync, and ``audit verify --against`` it, with real keys."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from profilectl.audit.chain import Record, contents, seal
from profilectl.audit.notes import parse_note
from profilectl.cli.main import run
from profilectl.ledger.opening import open_for_writing
from profilectl.model import Account
from tests.patience import until
from tests.ssh_keys import make_ssh_key

WARNING = "warning: the sync is done, but no checkpoint was written: "


@pytest.fixture
def desk(signing_desk, tmp_path):
    """A desk that signs its record, and whose ledger has a place."""
    signing_desk.ledger = tmp_path / "home" / "ledger.db"
    return signing_desk


@pytest.fixture
def synced(desk, served):
    """The same after a sync, on a ledger of a known place."""
    desk.env["PROFILECTL_LEDGER"] = str(desk.ledger)
    assert 0 == desk.write(("alice", "Alice F.")).run("sync", "--yes").code
    return desk


def configure(desk, text):
    folder = Path(desk.env["XDG_CONFIG_HOME"]) / "profilectl"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(f"version = 1\n{text}\n")


def files(desk):
    return sorted(path.name for path in desk.anchor.iterdir())


def forge(desk, since=1):
    """Write the records anew from one on, as another actor, and seal them as they should be."""
    with closing(sqlite3.connect(desk.ledger)) as connection, connection:
        rows = [Record(*row) for row in connection.execute("SELECT seq, prev_hash, hash, text FROM audit ORDER BY seq")]
        before = rows[since - 1].prev_hash
        for row in rows[since - 1 :]:
            event, _ = contents(row)
            made = seal(event, "mallory@x", seq=row.seq, prev_hash=before, written_ms=row.written_ms)
            connection.execute(
                "UPDATE audit SET prev_hash = ?, hash = ?, text = ? WHERE seq = ?",
                (made.prev_hash, made.hash, made.text, made.seq),
            )
            before = made.hash


def test_a_sync_adds_one_checkpoint_and_only_when_something_was_recorded(synced):
    """A file that is never touched again, beside those before it."""
    first = files(synced)
    content = {name: (synced.anchor / name).read_bytes() for name in first}
    idle = synced.run("sync", "--yes")
    assert (0, first) == (idle.code, files(synced))
    assert 0 == synced.write(("alice", "Alice F."), ("bruno", "Bruno K.")).run("sync", "--yes").code

    assert ["checkpoint", "leaves"] == [name.rpartition(".")[2] for name in first]
    assert 4 == len(files(synced))
    assert content == {name: (synced.anchor / name).read_bytes() for name in first}
    proven = synced.run("audit", "verify", "--against", "anchor")
    assert (0, True) == (proven.code, "2 checkpoints of anchor: all that was signed is here, as it was" in proven.out)


def test_a_checkpoint_by_hand_is_a_note_on_stdout(synced):
    """That another program can read; it proves itself through a pipe."""
    del synced.env["PROFILECTL_AUDIT_ANCHOR"]
    result = synced.run("audit", "checkpoint")
    document = synced.run("audit", "checkpoint", "--json").document
    note = parse_note(result.out.encode())

    assert (0, document["records"], None) == (result.code, note.checkpoint.size, document["file"])
    assert "keep this where nobody who writes the ledger can change it" in result.err
    piped = synced.shell("profilectl audit checkpoint -q | profilectl audit verify --against -")
    assert (0, True) == (piped.code, "1 checkpoint of stdin: all that was signed is here" in piped.out)


def test_no_key_is_a_warning_after_a_sync_and_an_error_by_hand(desk, served):
    """The sync counts as done, and says what to do; the next one covers its records as well."""
    shutil.rmtree(Path(desk.env["HOME"]) / ".ssh")
    result = desk.write(("alice", "Alice F.")).run("sync", "--yes")
    by_hand = desk.run("audit", "checkpoint")

    assert (0, True) == (result.code, f"{WARNING}there is no key to sign with" in result.err)
    assert f"{desk.env['XDG_CONFIG_HOME']}/profilectl/config.toml names another" in result.err
    assert (2, True) == (by_hand.code, "ssh-keygen -t ed25519" in by_hand.err)
    (Path(desk.env["HOME"]) / ".ssh").mkdir()
    make_ssh_key(Path(desk.env["HOME"]) / ".ssh" / "id_ed25519")
    assert 0 == desk.run("sync", "--yes").code
    assert 2 == len(files(desk))


def test_a_folder_that_is_missing_is_a_warning(desk, served):
    """It may be a mount: it isn't made."""
    desk.anchor.rmdir()
    result = desk.write(("alice", "Alice F.")).run("sync", "--yes")

    assert 0 == result.code
    assert f"{WARNING}the folder of checkpoints {desk.anchor} can't be read" in result.err
    assert not desk.anchor.exists()


def test_cron_is_never_asked_for_a_passphrase(desk, served):
    """The sync ends at once, with the way on; on a terminal ssh-keygen asks itself."""
    key = Path(desk.env["HOME"]) / ".ssh" / "secret"
    make_ssh_key(key, "tr0ub4dor")
    configure(desk, f'[audit]\nkey = "{key}"')
    result = desk.write(("alice", "Alice F.")).run("sync", "--yes", timeout=60)

    assert (0, True) == (result.code, "ssh-agent" in result.err)
    assert [] == files(desk)


def test_an_agent_signs_for_a_key_with_a_passphrase(synced):
    """Named by its public half, as git does."""
    key = Path(synced.env["HOME"]) / ".ssh" / "agent"
    make_ssh_key(key)
    configure(synced, f'[audit]\nkey = "{key}.pub"')
    line = (
        f"eval $(ssh-agent) >&2; ssh-add -q {key}; rm {key}; "
        "profilectl audit checkpoint -q > note; code=$?; ssh-agent -k >&2; exit $code"
    )
    result = synced.shell(line)
    assert 0 == result.code, result.err
    assert 0 == synced.run("audit", "verify", "--against", "note").code


def test_a_rewritten_record_stops_the_next_sync(synced):
    """On a machine that has seen nothing of it; it looks like another ledger, and nothing says how to accept it."""
    shutil.rmtree(Path(synced.env["XDG_STATE_HOME"]))
    forge(synced)
    before = synced.ledger.read_bytes()
    result = synced.write(("alice", "Alice X.")).run("sync", "--yes")

    assert (5, before) == (result.code, synced.ledger.read_bytes())
    assert "the record isn't the one that was signed" in result.err
    assert "restore it, as its record may have been rewritten" in result.err
    assert "accept-" not in result.err
    verified = synced.run("audit", "verify", "--against", "anchor")
    assert (5, True) == (verified.code, "record 1 isn't the one that was signed" in verified.err)


def test_a_lost_ledger_that_was_signed_for_is_not_begun_anew(synced):
    """What the checkpoint proves isn't there any more: nothing is done, and no empty ledger lies in its place."""
    synced.ledger.unlink()
    shutil.rmtree(Path(synced.env["XDG_STATE_HOME"]))
    result = synced.run("sync", "--yes", "--new-ledger")

    assert (5, False) == (result.code, synced.ledger.exists()), result.err


def test_who_was_signed_for_is_who_the_list_names(synced, tmp_path):
    """An auditor has no key of ours, only the list; a key that isn't on it proves nothing."""
    public = (Path(synced.env["HOME"]) / ".ssh" / "id_ed25519.pub").read_text()
    shutil.rmtree(Path(synced.env["HOME"]) / ".ssh")
    nobody = synced.run("audit", "verify", "--against", "anchor")
    (tmp_path / "signers").write_text(f"acme@example.com {public}")
    configure(synced, f'[audit]\nsigners = "{tmp_path / "signers"}"')
    good = synced.run("audit", "verify", "--against", "anchor")
    make_ssh_key(tmp_path / "other")
    (tmp_path / "signers").write_text(f"eve@example.com {(tmp_path / 'other.pub').read_text()}")
    bad = synced.run("audit", "verify", "--against", "anchor")

    assert (2, True) == (nobody.code, 'signers = "PATH"' in nobody.err)
    assert 0 == good.code
    assert (5, True) == (bad.code, "proves nothing: no key that is known here has signed it" in bad.err)


def test_a_forged_checkpoint_stops_nobody(synced):
    """It is warned of, and shown by verify; the newest good one counts."""
    name = files(synced)[0]
    note = (synced.anchor / name).read_text()
    size = int(name[:12])
    forged = synced.anchor / f"{size + 1:012d}-{'0' * 16}.checkpoint"
    forged.write_text(note.replace(f"\n{size}\n", f"\n{size + 1}\n"))
    result = synced.write(("alice", "Alice F."), ("bruno", "Bruno K.")).run("sync", "--yes")
    verified = synced.run("audit", "verify", "--against", "anchor")

    assert (0, 1) == (result.code, result.err.count("proves nothing: its signature isn't one of that text"))
    assert (5, True) == (verified.code, f"the checkpoint {forged.name} proves nothing" in verified.err)


@pytest.mark.parametrize(("path", "words"), [("empty", "no checkpoint is in empty"), ("none", "can't read none")])
def test_what_holds_no_checkpoint_says_so(synced, path, words):
    """A folder that somebody emptied proves nothing, and that isn't silence."""
    (synced.folder / "empty").mkdir()
    result = synced.run("audit", "verify", "--against", path)
    assert (5, True) == (result.code, words in result.err)


def test_rehearsals_lie_apart(desk):
    """The local X's record is signed into a folder of its own below the anchor."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert 0 == desk.write(("alice", "Alice F.")).run("sync", "--yes").code
    assert ["sandbox"] == files(desk)
    (folder,) = (desk.anchor / "sandbox").iterdir()
    assert 0 == desk.run("audit", "verify", "--against", str(folder)).code
    above = desk.run("audit", "verify", "--against", str(desk.anchor))
    assert (5, True) == (above.code, f"on the local X are below it: name {folder}" in above.err), above.err


def test_two_local_x_have_nothing_to_do_with_one_another(desk):
    """A rehearsal in one folder doesn't stop one in another: each ledger has checkpoints of its own."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert 0 == desk.write(("alice", "Alice F.")).run("sync", "--yes").code
    shutil.rmtree(desk.folder / ".profilectl")
    again = desk.run("sync", "--yes")

    assert (0, "") == (again.code, again.err if "warning" in again.err else "")
    assert 2 == len(list((desk.anchor / "sandbox").iterdir()))


def test_another_ledger_is_no_tampering(synced):
    """The checkpoints of one ledger say nothing of another: it is named as that, and nothing is to be accepted."""
    synced.env["PROFILECTL_LEDGER"] = str(synced.ledger.with_name("other.db"))
    with open_for_writing(synced.ledger.with_name("other.db")) as ledger:
        ledger.register_account("acme", Account("7001", "acmecare", "api.x.com"), 1)
    refused = synced.run("audit", "checkpoint")

    assert (5, True) == (refused.code, "is of another ledger, profilectl/ledger/" in refused.err)
    assert "--accept-break" not in refused.err


def test_an_empty_record_has_nothing_to_sign(desk):
    """With what begins it; the folder stays empty."""
    result = desk.run("audit", "checkpoint")
    assert (5, True, []) == (result.code, "there is no ledger" in result.err, files(desk))


def test_a_typo_in_the_configuration_is_named(desk):
    """With what may stand there."""
    configure(desk, '[audit]\nanker = "/srv"')
    result = desk.run("audit", "checkpoint")
    assert (5, True) == (result.code, "audit is a table that may say key, anchor, signers" in result.err)


# Pruning


@pytest.fixture
def before(synced):
    """A moment after a message whose text is kept, as `--before` takes it."""
    roster = synced.folder / "roster.toml"
    roster.write_text(roster.read_text().replace("[policy]", "[policy]\naudit_text = true"))
    sent = synced.run("send", "--as", "alice", "--to", "@customer", "confidential", "--human-wrote-this")
    assert 0 == sent.code, sent.err
    second = int(time.time())
    until(lambda: int(time.time()) > second, "the next second, as moments are typed in whole ones")
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_texts_and_recipients_go_and_everything_proves_as_before(synced, before):
    """Neither the file nor its log has them; what was signed and exported before holds; twice is as once."""
    recipient = synced.run("audit", "sent", "--json").document["messages"][0]["recipient_id"]
    synced.run("audit", "checkpoint")
    (synced.folder / "kept").mkdir()
    assert 0 == synced.run("audit", "export", "--since", "2020-01-01", "--until", "2999-01-01", "kept").code
    nobody = synced.run("audit", "prune", "--before", before)
    done = synced.run("audit", "prune", "--before", before, "--yes")
    again = synced.run("audit", "prune", "--before", before, "--yes")
    disk = b"".join(path.read_bytes() for path in synced.ledger.parent.glob("ledger.db*"))

    assert (2, 0, 0) == (nobody.code, done.code, again.code)
    assert "removed texts and recipients from 2 records" in done.out
    assert "nothing to remove" in again.err
    assert (False, False) == (b"confidential" in disk, f'"{recipient}"'.encode() in disk)
    [lines] = (synced.folder / "kept").glob("*.jsonl")
    assert [0, 0] == [synced.run("audit", "verify", "--against", str(kept)).code for kept in (synced.anchor, lines)]
    [row] = synced.run("audit", "sent").rows
    assert ("pruned", "confirmed") == (row[3], row[6])
    assert [True] == [message["pruned"] for message in synced.run("audit", "sent", "--json").document["messages"]]
    assert 1 == len(synced.run("audit", "log", "--event", "pruned").rows)


def test_tab_forgets_whom_the_record_forgets(synced, before):
    """What it had kept of their handles is gone with the records, before anybody presses TAB again."""
    caches = Path(synced.env["HOME"]) / "cache"
    synced.env["XDG_CACHE_HOME"] = str(caches)
    offered = synced.run("__complete", "customers", "send", "--to").out
    remembered = b"".join(path.read_bytes() for path in caches.rglob("*names"))
    assert 0 == synced.run("audit", "prune", "--before", before, "--yes").code
    left = b"".join(path.read_bytes() for path in caches.rglob("*names"))

    assert (True, True, False) == ("@customer" in offered, b"customer\t" in remembered, b"customer" in left)
    assert "" == synced.run("__complete", "customers", "send", "--to").out


def test_a_no_removes_nothing(synced, before):
    """On a terminal it asks, with how much it is about, and Enter is no."""
    unchanged = synced.ledger.read_bytes()
    _, screen = synced.watch("audit", "prune", "--before", before, answers=b"\n")
    assert "Remove texts and recipients from 2 records before" in screen
    assert unchanged == synced.ledger.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--before", "2999-01-01", "--yes"), 2, "is in the future"),
        (("--before", "yesterdy", "--yes"), 2, "--before"),
        (("--yes",), 2, "--before"),
        (("--before", "2020-01-01", "--brand", "nope", "--yes"), 2, "this ledger has no brand nope"),
    ],
)
def test_what_can_not_be_pruned_says_why(synced, words, code, says):
    """Before anything is read or removed."""
    result = synced.run("audit", "prune", *words)
    assert (code, True) == (result.code, says in result.err)


def test_a_broken_record_is_not_pruned(synced):
    """Whatever was changed stays to be seen."""
    with closing(sqlite3.connect(synced.ledger)) as connection, connection:
        connection.execute("UPDATE audit SET text = replace(text, 'alice', 'bruno') WHERE seq = 3")
    result = synced.run("audit", "prune", "--before", "2020-01-01", "--yes")
    assert (5, True) == (result.code, "nothing was removed: the record is broken at 3" in result.err)


def test_a_key_in_the_keyring_is_made_when_that_is_asked_for(tmp_path, monkeypatch, capsys):
    """Never by a sync; from then on it signs, and the public key is printed for whoever verifies."""
    pytest.importorskip("cryptography")
    kept = []

    class Keyring:
        def __init__(self, **_):
            pass

        def signing_key(self):
            return kept[0] if kept else None

        def set_signing_key(self, key):
            kept.append(key)

    monkeypatch.setattr("profilectl.credentials.keyring.Keychain", Keyring)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PROFILECTL_AUDIT_ANCHOR", str(tmp_path / "anchor"))
    (tmp_path / "anchor").mkdir()
    (tmp_path / "config" / "profilectl").mkdir(parents=True)
    (tmp_path / "config" / "profilectl" / "config.toml").write_text('version = 1\n[audit]\nkey = "keyring"\n')
    run(["--sandbox", "init", "--handle", "acmecare", "-q"])
    synced = run(["--sandbox", "sync", "--yes", "-q"])
    assert (0, []) == (synced, kept)
    assert "audit checkpoint --sandbox --make-key" in capsys.readouterr().err
    assert 0 == run(["--sandbox", "audit", "checkpoint", "--make-key"])
    public = capsys.readouterr().err.rpartition(": ")[2].strip()
    (folder,) = (tmp_path / "anchor" / "sandbox").iterdir()
    assert 0 == run(["--sandbox", "audit", "verify", "--against", str(folder)])
    (tmp_path / "signers").write_text(f"{public}\n")
    (tmp_path / "config" / "profilectl" / "config.toml").write_text('version = 1\n[audit]\nsigners = "signers"\n')
    assert 0 == run(["--sandbox", "audit", "verify", "--against", str(folder)])
    assert kept[0].reveal() not in "".join(capsys.readouterr())
