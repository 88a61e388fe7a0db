"""The Merkle tree of RFC 6962, section 2.1, over the hashes of records; it grows by one leaf at a time.

Only the roots of its complete subtrees are kept, at most one for each bit of its size, so a tree of a million records
goes on from where it was in microseconds. A leaf is the hash of a record as it is stored, 64 hexadecimal digits in
ASCII: that stays when the text of a record is pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Tree:
    """A tree that is at some size."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Begin with what `size` and `peaks` of another tree were; ValueError where they don't belong together."""
        import hashlib  # loads OpenSSL, which a command that signs nothing does without

        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != 32 for peak in peaks):
            raise ValueError("these are no peaks of a tree of that size")
        self.size = size
        self._peaks = list(peaks)
        self._sha256 = hashlib.sha256

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of its complete subtrees, the largest first."""
        return tuple(self._peaks)

    def add(self, leaf: str) -> None:
        """Add the next record by its hash."""
        # a damaged one may hold half of a surrogate pair, and has to give another root, not an error
        node = self._sha256(b"\0" + leaf.encode("utf-8", "surrogatepass")).digest()
        self.size += 1
        pairs = self.size
        while not pairs & 1:
            node = self._sha256(b"\1" + self._peaks.pop() + node).digest()
            pairs >>= 1
        self._peaks.append(node)

    def extend(self, leaves: Iterable[str]) -> None:
        """Add records by their hashes, as `add` does for each; in less time where they are many."""
        sha256 = self._sha256
        nodes = [sha256(b"\0" + leaf.encode("utf-8", "surrogatepass")).digest() for leaf in leaves]
        level, size, odd = 0, self.size, []
        self.size += len(nodes)
        while nodes or size >> level:
            if size >> level & 1:  # a complete subtree of this size was waiting for its neighbour
                nodes.insert(0, self._peaks.pop())
            if len(nodes) & 1:
                odd.append(nodes.pop())
            pairs = iter(nodes)
            nodes = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            level += 1
        self._peaks.extend(reversed(odd))

    def root(self) -> bytes:
        """Return the tree's head, 32 bytes."""
        if not self._peaks:
            return self._sha256().digest()
        *others, node = self._peaks
        for peak in reversed(others):
            node = self._sha256(b"\1" + peak + node).digest()
        return node

    def copy(self) -> Tree:
        """Return a tree that is as this one, and grows by itself."""
        return Tree(self.size, self._peaks)
