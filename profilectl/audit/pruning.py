"""Which records lose texts and recipients; what is left of each stays provable, see `chain.without_private`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from profilectl.audit import chain


class Pruning(Struct, frozen=True):
    """What is asked for: the records of some accounts that are older than a moment."""

    user_ids: Collection[str]
    before_ms: int
    open_nonces: Collection[str] = frozenset()  # of messages whose end nobody knows, which stay as they are

    def left(self, records: Iterable[chain.Record], by: int) -> Iterator[chain.Record]:
        """Yield what is left of each record that has something private, pruned by the record of that number."""
        for record in records:
            if self._is_asked(record):
                left = chain.without_private(record, by)
                if left is not None:
                    yield left

    def _is_asked(self, record: chain.Record) -> bool:
        if not record.is_readable:
            return False
        event = record.event
        is_old = event.account in self.user_ids and event.at_ms < self.before_ms
        return is_old and event.what != chain.PRUNED and event.detail.get("nonce") not in self.open_nonces
