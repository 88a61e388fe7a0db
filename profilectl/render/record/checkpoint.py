"""The document of a checkpoint."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from profilectl.render.json_documents import Document

if TYPE_CHECKING:
    from profilectl.audit.kept_tree import GrownTree
    from profilectl.audit.notes import SignedCheckpoint


def checkpoint(place: str, grown: GrownTree, signed: SignedCheckpoint, public: str, path: str | None) -> Document:
    """``profilectl.checkpoint/1``: what was signed, with which key, and where it was kept."""
    return {
        "schema": "profilectl.checkpoint/1",
        "place": place,
        "origin": grown.origin,
        "records": grown.tree.size,
        "root": base64.b64encode(signed.checkpoint.root).decode(),
        "head": {"seq": grown.seq, "hash": grown.hash},
        "key": public,
        "note": signed.note(),
        "file": path,
    }
