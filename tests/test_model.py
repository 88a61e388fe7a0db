"""What the values promise beside their fields."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from profilectl.api.endpoints import Endpoint
from profilectl.model import PreparedPicture
from profilectl.pictures.attachments import Attachment
from profilectl.render.bubbles.bubble import AgentCard
from profilectl.render.html import ShownAppearance

PIXELS = b"canary"
HOLDERS = [
    PreparedPicture(PIXELS, "image/png", "sha256:aa"),
    Attachment(PIXELS, "image/png", "dm_image"),
    Endpoint("uploading image/png", "POST", "/", files={"media": ("media", PIXELS, "image/png")}),
    AgentCard("alice", "Alice F.", "human", "acmecare", PIXELS, "image/png", ""),
    ShownAppearance("Alice F.", PIXELS, "image/png"),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_repr_shows_no_bytes_of_a_file(holder):
    """Neither Python's nor rich's: a picture in a log helps nobody, and it may be a customer's."""
    console = Console(file=io.StringIO(), width=400)
    console.print(holder)

    for text in (repr(holder), console.file.getvalue()):
        assert text.startswith(type(holder).__name__)
        assert "image/png" in text
        assert "canary" not in text
