"""The folder of checkpoints: a file each, written once, in a folder that is there."""

from __future__ import annotations

import stat

import pytest

from profilectl.audit.anchor_folder import MOST_LEAVES, AnchorFolder, AnchorRefused
from profilectl.audit.notes import Checkpoint, Signature, SignedCheckpoint

LEAVES = {1: "a" * 64, 2: "b" * 64}


def signed(size, root=bytes(32)):
    checkpoint = Checkpoint("profilectl/ledger/ab", size, root)
    return SignedCheckpoint(checkpoint, checkpoint.text(), (Signature("a", b"abcd", b"x"),))


def test_checkpoints_are_read_in_the_order_of_their_sizes(tmp_path):
    """What else is in the folder is left alone, and so is what others may read."""
    folder = AnchorFolder(tmp_path)
    (tmp_path / "README").write_text("kept by the auditors")
    paths = [folder.add(signed(size), LEAVES if size == 2 else {}) for size in (11, 2)]
    assert [2, 11] == [note.signed.checkpoint.size for note in folder.notes()]
    assert LEAVES == folder.leaves()
    assert 0o444 == paths[0].stat().st_mode & 0o444
    assert ["000000000002", "000000000011"] == [name[:12] for name in folder.names()]


def test_none_is_overwritten(tmp_path):
    """The same one once more changes nothing; another one of that size lies beside it."""
    folder = AnchorFolder(tmp_path)
    path = folder.add(signed(2), LEAVES)
    path.chmod(stat.S_IRUSR)
    before = path.read_bytes()
    assert (None, before) == (folder.add(signed(2), {}), path.read_bytes())
    assert folder.add(signed(2, b"x" * 32), {}) is not None
    assert 2 == len(folder.names())


def test_too_many_hashes_are_not_kept(tmp_path):
    """The first checkpoint of a ledger of years doesn't bring megabytes along."""
    folder = AnchorFolder(tmp_path)
    folder.add(signed(MOST_LEAVES + 1), dict.fromkeys(range(1, MOST_LEAVES + 2), "a" * 64))
    assert ({}, 1) == (folder.leaves(), len(folder.names()))


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    """It may be a mount that is missing, and nobody would keep what lies below it."""
    folder = AnchorFolder(tmp_path / "mount")
    for use in (folder.names, lambda: folder.add(signed(2), {})):
        with pytest.raises(AnchorRefused, match=r"mount can't be (read|written): No such file") as refusal:
            use()
    assert "PROFILECTL_AUDIT_ANCHOR" in refusal.value.hint
    assert not (tmp_path / "mount").exists()


@pytest.mark.parametrize("content", [b"", b"x" * 70_000, b"\xff"])
def test_a_file_that_is_no_checkpoint_says_so(tmp_path, content):
    """It is shown, and counts for nothing."""
    (tmp_path / "000000000002-0123456789abcdef.checkpoint").write_bytes(content)
    [note] = AnchorFolder(tmp_path).notes()
    assert note.signed is None
    assert note.problem


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path):
    """Whoever can write to the folder can't have us write elsewhere."""
    goal = tmp_path / "goal"
    (tmp_path / "anchor").mkdir()
    folder = AnchorFolder(tmp_path / "anchor")
    path = folder.add(signed(2), {})
    path.unlink()
    path.symlink_to(goal)
    assert folder.add(signed(2), {}) is None
    assert not goal.exists()
