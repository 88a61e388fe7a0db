"""What a roster says before its agents. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from profilectl.model import Brand

_HEAD = """\
# Who your customers see in X Direct Messages.
# `profilectl roster check` finds mistakes, `profilectl diff` shows what `profilectl sync` would change.
version = 1
"""

_BRAND = """
[brands.{brand.key}]
handle = "{brand.handle}"  # the X account that speaks, without its @
language = "{brand.language}"  # of the word that a bot's name must contain
"""

_AGENTS = """
[defaults]
kind = "human"  # or "bot": customers want to know
{pattern}
# One table per agent. Customers see the name, up to 48 characters, and the picture: JPEG, PNG, WEBP or GIF.
"""


def brand_of(handle: str, language: str = "en") -> Brand:
    """Return the brand of an X account, with a key that is easily typed."""
    # A brand's key has no capitals and starts with a letter or digit.
    return Brand(handle.lower().strip("_") or "brand", handle, language)


def head(brands: Iterable[Brand], *, timezone: str = "UTC", pattern: str | None = None) -> str:
    """Return the beginning of a roster: its brands, and the pattern of names that a list has in parts."""
    text = _HEAD + "".join(_BRAND.format(brand=brand) for brand in brands)
    if timezone != "UTC":
        text += f'\n[policy]\ntimezone = "{timezone}"\n'
    name = "" if pattern is None else f'name = "{pattern}"  # unless an agent has a name of its own\n'
    return text + _AGENTS.format(pattern=name)
