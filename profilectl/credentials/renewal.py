"""What a person does when X doesn't accept credentials any more: it depends on where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profilectl.model import Brand
    from profilectl.secret import Credentials

_VARIABLES = "the four variables PROFILECTL_CONSUMER_KEY to PROFILECTL_ACCESS_TOKEN_SECRET"


def renewal(credentials: Credentials, brands: Sequence[Brand]) -> str | None:
    """Return what puts a valid token in the place of this one; None where that is a login like any other.

    Args:
        credentials: those that X refuses.
        brands: of the roster, empty where it wasn't read; a login names its brand where there are several.
    """
    source = credentials.source
    if source in {"prompt", "sandbox"}:
        return None
    if source != "keyring":  # a login stores into the keyring, which comes after every other source
        return (
            f"put a token that X accepts where this one came from: {_VARIABLES if source == 'environment' else source}"
        )
    handle = (credentials.handle or "").lower()
    keys = [brand.key for brand in brands if brand.handle.lower() == handle]
    return f"log in again: profilectl auth login --brand {keys[0]}" if keys and len(brands) > 1 else None
