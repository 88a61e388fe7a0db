"""``preview``: what customers will see, before anybody sees it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.options import Labels, argument, option
from profilectl.errors import InputRefused, ProfilectlError, UsageError
from profilectl.model import Agent, Brand, PreparedPicture
from profilectl.render.bubbles import images as terminal_images
from profilectl.render.bubbles.bubble import AgentCard, bubble, plain_bubble
from profilectl.render.console import console, draw, info, out
from profilectl.roster.selectors import Label, parse_labels, select
from profilectl.system.host import today
from profilectl.text.escape import visible

if TYPE_CHECKING:
    BrandAgent = tuple[Brand, Agent]  # an agent in one of its brands

_PICTURE = ".png"
_BEGIN = 200  # bytes of a file that tell what it is
_PAGE = b"<!doctype html"  # how each page begins, whatever the case
_OTHER_FORMS = {".png", ".jpg", ".jpeg", ".pdf", ".toml", ".db"}
_FACE = 192  # pixels of a picture on the sheet
_GREETING = "Hello! How can I help you today?"
_WAYS_BACK = (
    "`until` in the roster is the last day, after which sync removes the profile; "
    "`profilectl offboard --undo AGENT` allows an agent again"
)


def preview(
    context: Context,
    agent: Annotated[str | None, argument("[AGENT]", "Only this agent; else all.")] = None,
    text: Annotated[str, option("--text TEXT", "What the agent says.")] = _GREETING,
    html: Annotated[Path | None, option("--html FILE", "Write one HTML page instead; - for stdout.")] = None,
    sheet: Annotated[
        Path | None, option("--sheet FILE", "Write all faces and names on one page: HTML, or FILE.png; - for stdout.")
    ] = None,
    label: Labels = None,
) -> None:
    """Show what customers will see: bubble, name and picture.

    Agents whose last day is over, or who were offboarded, are left out.
    """
    if context.wants_json:  # before the roster and its pictures are read for nothing
        raise UsageError("preview has no JSON", hint="`profilectl roster list --json` has the same facts")
    if html is not None and sheet is not None:
        raise UsageError("--html and --sheet exclude each other", hint="one run writes one page")
    # what is there already is told of where it would be replaced
    if sheet is not None and sheet.suffix.lower() not in {"", ".html", ".htm", _PICTURE} and not sheet.exists():
        raise UsageError(f"--sheet: {visible(str(sheet))} is neither FILE.html nor FILE.png")
    if sheet is not None and sheet.suffix.lower() == _PICTURE:
        _require_own(sheet, _is_sheet, "a sheet that this command has drawn")  # before hundreds of faces are
    chosen = _choose_agents(context, context.brands(), agent, parse_labels(label or ()))
    active = _without_gone(context, chosen)
    broken = context.broken_pins()
    if broken is not None:
        info(f"warning: nobody can sync or send with this roster: {broken.message}")
    pictures = context.load_pictures(agent for _, agent in active)
    cards = [_card(brand, agent, pictures[agent.avatar], text) for brand, agent in active]
    if html is not None:
        _write(html, _page(cards), quiet=context.is_quiet)
    elif sheet is not None and sheet.suffix.lower() == _PICTURE:
        _write_picture(sheet, _picture(context, cards), quiet=context.is_quiet)
    elif sheet is not None:
        _write(sheet, _sheet(context, cards), quiet=context.is_quiet)
    else:
        _show_cards(cards, with_keys=agent is None)  # who looks after the roster knows agents by their keys


def _show_cards(cards: Sequence[AgentCard], *, with_keys: bool) -> None:
    brands = len({card.handle for card in cards})
    for number, card in enumerate(cards):
        if number:
            out("")
        if with_keys:
            out(_heading(card.agent, brands=brands, handle=card.handle))
        show_card(card)


def _heading(key: str, *, brands: int, handle: str) -> str:
    """Return whose bubble follows, and at which brand where there are several."""
    return f"{visible(key)} @{visible(handle)}:" if brands > 1 else f"{visible(key)}:"


def show_card(card: AgentCard) -> None:
    """Show what a customer sees on stdout: drawn where there are colours to draw with, else in plain lines."""
    if console(sys.stdout).color_system is None:
        out(plain_bubble(card))
    else:
        draw(bubble(card, shutil.get_terminal_size().columns, terminal_images.protocol(os.environ)))


def _card(brand: Brand, agent: Agent, picture: PreparedPicture, text: str) -> AgentCard:
    return AgentCard(agent.key, agent.name, agent.kind.value, brand.handle, picture.content, picture.media_type, text)


def _choose_agents(
    context: Context, brands: Sequence[Brand], key: str | None, labels: Sequence[Label]
) -> list[BrandAgent]:
    """Return the agents of these brands with that key and these labels, where they are given; refuse to return none."""
    by_key = {brand.key: brand for brand in brands}
    selected = select(context.roster.agents, () if key is None else (key,), labels, by_key, context.roster.moved)
    if not selected:
        where = ", ".join(by_key)
        raise InputRefused(f"no agent speaks for {where}", hint="`profilectl roster list` shows who speaks for whom")
    return [(brand, agent) for brand in brands for agent in selected if agent.brand == brand.key]


def _without_gone(context: Context, chosen: Sequence[BrandAgent]) -> list[BrandAgent]:
    """Leave out whom customers won't see any more, and say why; InputRefused when nobody is left."""
    now, blocked = today(context.roster.policy.timezone), _blocked(context, {brand.key for brand, _ in chosen})
    active, lines = [], []
    for brand, agent in chosen:
        if agent.until and agent.until < now:
            lines.append(f"{agent.key} isn't shown: the last day was {agent.until.isoformat()}")
        elif agent.key in blocked.get(brand.key, ()):
            where = f" at @{visible(brand.handle)}" if len(blocked) > 1 else ""
            lines.append(f"{agent.key} isn't shown{where}: offboarded")
        else:
            active.append((brand, agent))
    reasons = dict.fromkeys(lines)
    if not active:
        raise InputRefused("; ".join(reasons), hint=_WAYS_BACK)
    for line in reasons:
        context.remark(line)
    return active


def _blocked(context: Context, keys: set[str]) -> dict[str, frozenset[str]]:
    """Return by brand whom the ledger knows as offboarded; none, with a warning, where it can't be read."""
    try:
        with closing(context.open_ledger()) as ledger:
            accounts = {key: ledger.account_of(key) for key in sorted(keys)}
            return {key: ledger.state_of(account.user_id).blocked for key, account in accounts.items() if account}
    except ProfilectlError as error:  # names and pictures are worth a look all the same
        info(f"warning: whoever was offboarded is shown as well: {error.message}")
        return {}


def _page(cards: Sequence[AgentCard]) -> str:
    from profilectl.render.html import preview_page

    return preview_page(_handles(cards), cards)


def _sheet(context: Context, cards: Sequence[AgentCard]) -> str:
    from profilectl.render.html import sheet_page

    day, file, digest = _source(context)
    return sheet_page(_handles(cards), [*_small(cards)], day, file, digest)


def _picture(context: Context, cards: Sequence[AgentCard]) -> bytes:
    from profilectl.render.bubbles.sheet import Sheet, sheet_picture

    return sheet_picture(Sheet(_handles(cards), *_source(context)), [*_small(cards)])


def _small(cards: Sequence[AgentCard]) -> Iterator[AgentCard]:
    from profilectl.pictures.avatars import normalise

    # Twice as large as they are shown, for sharp screens and paper: so there is room for thousands.
    for card in cards:
        face = normalise(card.picture or b"", card.agent, _FACE)
        yield replace(card, picture=face.content, media_type=face.media_type)


def _source(context: Context) -> tuple[date, str, str]:
    """Return the day for which a sheet is made, the roster's path, and the digest of its text."""
    from profilectl.digests import digest_of_bytes

    roster = context.roster
    return today(roster.policy.timezone), str(context.roster_path), digest_of_bytes(roster.text.encode())


def _handles(cards: Sequence[AgentCard]) -> str:
    return ", @".join(dict.fromkeys(card.handle for card in cards))  # each once, in the roster's order


def _require_page(path: Path) -> None:
    """Refuse to replace anything but a page: a slip could cost the roster, a photograph, or the ledger."""
    if path.suffix.lower() in _OTHER_FORMS:
        raise UsageError(f"{visible(str(path))} would be an HTML page under another name", hint="name a .html file")
    _require_own(path, lambda begin: begin.lower().startswith(_PAGE), "a page")


def _is_sheet(begin: bytes) -> bool:
    from profilectl.render.bubbles.sheet import MARK

    return begin.startswith(b"\x89PNG") and MARK in begin


def _require_own(path: Path, is_own: Callable[[bytes], bool], form: str) -> None:
    """Refuse to replace a file that doesn't begin as what this command writes."""
    if path.is_relative_to("/dev"):  # a stream, which a shell may have opened on a file
        return
    with suppress(OSError):  # what can't be looked at, writing refuses
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                begin = file.read(_BEGIN)
            if not is_own(begin):
                hint = "choose another name, or move that file away"
                raise InputRefused(f"{visible(str(path))} exists, and isn't {form}", hint=hint)


def _write_picture(path: Path, content: bytes, *, quiet: bool) -> None:
    from profilectl.system.files import write_named

    write_named(path, content)
    if not quiet:
        info(f"wrote {visible(str(path))}")


def _write(path: Path, page: str, *, quiet: bool) -> None:
    from profilectl.system.files import write_named

    if str(path) == "-":
        out(page)
        return
    _require_page(path)
    write_named(path, page.encode())
    if not quiet:
        info(f"wrote {visible(str(path))}")
