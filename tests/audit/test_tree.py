"""The tree over records is that of RFC 6962, however it was grown."""

from __future__ import annotations

import hashlib

import pytest

from profilectl.audit.tree import Tree


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(entries):
    """Compute a root by the words of RFC 6962, section 2.1, which split at the largest power of two below the size."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return leaf(entries[0])
    half = 1 << (len(entries) - 1).bit_length() - 1
    return node(root_of(entries[:half]), root_of(entries[half:]))


def grown(size, tree=None, start=0):
    tree = tree or Tree()
    for number in range(start, size):
        tree.add(f"{number:064x}")
    return tree


def test_the_empty_tree():
    """Its root is the hash of nothing, as the RFC has it."""
    assert "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" == Tree().root().hex()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 100])
def test_the_root_is_that_of_the_definition(size):
    """At every shape that a tree has."""
    assert root_of([f"{number:064x}".encode() for number in range(size)]) == grown(size).root()


@pytest.mark.parametrize("start", [0, 1, 5, 8, 12])
def test_a_tree_goes_on_from_its_peaks(start):
    """As if it had never stopped."""
    former = grown(start)
    assert grown(20).root() == grown(20, Tree(former.size, former.peaks), start).root()


@pytest.mark.parametrize("start", range(10))
def test_many_at_once_grow_it_as_one_after_the_other(start):
    """From every shape, by every number of leaves."""
    for size in range(start, start + 20):
        tree, leaves = grown(start), [f"{number:064x}" for number in range(start, size)]
        tree.extend(leaves)
        assert (size, grown(size).peaks) == (tree.size, tree.peaks)


def test_a_copy_grows_by_itself():
    """The other one stays as it is."""
    tree = grown(5)
    before = tree.root()
    grown(9, tree.copy(), 5)
    assert (5, before) == (tree.size, tree.root())


@pytest.mark.parametrize(("size", "peaks"), [(3, [b"x" * 32]), (1, [b"short"]), (-1, []), (2, [])])
def test_peaks_of_another_size_are_refused(size, peaks):
    """Before a wrong root is signed."""
    with pytest.raises(ValueError, match="no peaks of a tree of that size"):
        Tree(size, peaks)


def test_a_damaged_hash_gives_another_root():
    """Half of a surrogate pair is no error, and isn't what was there."""
    tree = Tree()
    tree.add("\ud800")
    assert grown(1).root() != tree.root()
