"""What a message holds: answers to tap, and buttons, checked against X's limits; and words, known again in X's list.

A message may hold answers, buttons and a picture at once; X's documentation knows no rule against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from profilectl.errors import UsageError
from profilectl.model import Link
from profilectl.text.escape import excerpt, visible

MAX_QUICK_REPLIES: Final = 20  # X's reference of messages, as the three below
MAX_LINKS: Final = 3
MAX_LABEL: Final = 36  # code points, of a quick reply and of a button
_URL: Final = re.compile(r"://|\bwww\.|\bt\.co/", re.IGNORECASE)
_EXAMPLE: Final = "as in https://help.example.com/returns"
_HOST_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
_TRAILING_SLASH: Final = re.compile(r"/(?=\s|$)")
_SHORTENED: Final = re.compile(r"\bt\.co/\w+")
_APPENDED: Final = re.compile(r"(?:^|\s)t\.co/\w+$")
_NOT_IN_A_URL: Final = re.compile(r"[^!-~]|[\"<>\\^`{|}]")  # RFC 3986 2: what isn't ASCII, or must be percent-encoded


def quick_replies(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of the answers that a customer may tap, without spaces around them.

    Raises:
        UsageError: more than `MAX_QUICK_REPLIES`, two that read the same, or a label that is empty, longer than
            `MAX_LABEL`, holds a URL (X refuses it) or a character that nobody can see.
    """
    replies = tuple(_label("--quick-reply", label) for label in labels)
    if len(replies) > MAX_QUICK_REPLIES:
        raise UsageError(f"a message may hold {MAX_QUICK_REPLIES} quick replies, not {len(replies)}")
    seen: set[str] = set()
    for reply in replies:
        shown = repr(excerpt(reply))
        if reply.casefold() in seen:
            raise UsageError(f"the quick reply {shown} is there twice", hint="customers couldn't tell them apart")
        seen.add(reply.casefold())
        if _URL.search(reply):
            raise UsageError(f"the quick reply {shown} holds a URL", hint="use --cta 'Label=https://…' for it")
    return replies


def links(texts: Iterable[str]) -> tuple[Link, ...]:
    """Return the buttons that were written as ``Label=https://…``; the first ``=`` ends the label.

    Raises:
        UsageError: more than `MAX_LINKS`, two with one label, a label as in `quick_replies`, or no address that X and
            every browser take: https, a host with a dot or IPv4, no user or password, nothing but ASCII.
    """
    buttons = tuple(_link(text) for text in texts)
    if len(buttons) > MAX_LINKS:
        raise UsageError(f"a message may hold {MAX_LINKS} buttons, not {len(buttons)}")
    if len({button.label.casefold() for button in buttons}) < len(buttons):
        raise UsageError("two buttons have the same label", hint="customers couldn't tell them apart")
    return buttons


def same_words(written: str, listed: str) -> bool:
    """Return whether a text that X lists is the one that was written, but for what X changes by itself.

    X may spell ``&``, ``<`` and ``>`` as entities, trim or join white space, choose another Unicode form, complete an
    address ("example.com" becomes "http://example.com/"), and put t.co addresses in their place and behind the last
    word.
    """
    # A difference that isn't seen through would let a message be taken for lost and sent twice; so an address that X
    # has shortened without saying which counts as any.
    ours, theirs = _comparable(written), _comparable(listed)
    return any(re.fullmatch(_pattern(text), ours) for text in (theirs, _APPENDED.sub("", theirs)))


def _comparable(text: str) -> str:
    """Return a text without what X may change."""
    import html

    # A text may hold "&amp;lt;" itself, so it is unescaped until nothing changes, on both sides alike.
    while (plain := html.unescape(text)) != text:
        text = plain
    bare = _TRAILING_SLASH.sub("", _SCHEME.sub("", unicodedata.normalize("NFC", text)))
    return " ".join(bare.split())


def _pattern(text: str) -> str:
    return r"\S+".join(re.escape(part) for part in _SHORTENED.split(text))


def _link(text: str) -> Link:
    label, equals, url = text.partition("=")
    if not equals or not url.strip():
        raise UsageError(f"--cta takes Label=https://…, not {excerpt(text)!r}")
    return Link(_label("--cta", label), _address(url.strip()))


def _label(option: str, text: str) -> str:
    label = text.strip()
    if not label:
        raise UsageError(f"{option} needs a label that can be read")
    if len(label) > MAX_LABEL:
        shown = repr(excerpt(label))
        raise UsageError(f"the label {shown} of {option} has {len(label)} characters, at most {MAX_LABEL} fit")
    if visible(label) != label:
        raise UsageError(f"the label {visible(label)!r} of {option} holds a character that can't be seen")
    return label


def _address(url: str) -> str:
    """Return a URL of RFC 3986 that leads where it says, or raise UsageError."""
    # What may hold a password isn't quoted in a refusal, which logs and screens keep.
    if forbidden := _NOT_IN_A_URL.search(url):
        hint = "percent-encode it, and write a host with other letters in its xn-- form"
        raise UsageError(f"a button's address can't hold {visible(forbidden[0])!r}", hint=hint)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("a button's address is no URL", hint=_EXAMPLE) from None
    if "@" in parts.netloc:
        raise UsageError("a button's address names a user before its host", hint=f"leave it out, {_EXAMPLE}")
    if parts.scheme != "https":
        raise UsageError(f"a button's address begins with https://, not as {excerpt(url)!r} does")
    if "." not in host or not all(_HOST_LABEL.fullmatch(label) for label in host.split(".")) or port == 0:
        raise UsageError(f"{excerpt(url)!r} is no URL that customers can reach", hint=_EXAMPLE)
    return url
