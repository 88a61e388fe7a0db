"""``preview``: what customers will see, before anybody sees it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.errors import InputRefused, UsageError
from profilectl.model import Agent, Brand
from profilectl.render import terminal_images
from profilectl.render.bubble import AgentCard, bubble, plain_bubble
from profilectl.render.console import console, draw, info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    Speaker = tuple[Brand, Agent]

_GREETING = "Hello! How can I help you today?"


def preview(
    context: Context,
    agent: Annotated[str | None, typer.Argument(metavar="[AGENT]", help="Only this agent; else all.")] = None,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What the agent says.")] = _GREETING,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML page instead; - for stdout.")
    ] = None,
) -> None:
    """Show what customers will see: bubble, name and picture.

    Agents whose last day is over are left out.
    """
    if context.wants_json:
        raise UsageError("a preview is for eyes", hint="`profilectl roster list --json` has the same facts")
    speakers = _speakers(context, context.brands(), agent)
    shown = _without_departed(speakers, datetime.now().astimezone().date(), quiet=context.is_quiet)
    faces = _faces(context, shown, text)
    if html is not None:
        _write_page(html, faces, quiet=context.is_quiet)
        return
    for number, face in enumerate(faces):
        if number:
            out("")
        show_face(face)


def show_face(face: AgentCard) -> None:
    """Show what a customer sees on stdout: drawn where there are colours to draw with, else in plain lines."""
    if console(sys.stdout).color_system is None:
        out(plain_bubble(face))
    else:
        draw(bubble(face, shutil.get_terminal_size().columns, terminal_images.protocol(os.environ)))


def _speakers(context: Context, brands: Sequence[Brand], key: str | None) -> list[Speaker]:
    """Return who speaks for these brands, only the agent with that key where there is one.

    Raises:
        UsageError: there is no such agent.
        InputRefused: nobody speaks for these brands.
    """
    from profilectl.roster.lookup import unknown_agent

    agents = context.roster.agents
    speakers = [
        (brand, agent) for brand in brands for agent in context.roster.agents_of(brand.key) if key in {None, agent.key}
    ]
    if speakers:
        return speakers
    where = ", ".join(brand.key for brand in brands)
    if key is None:
        raise InputRefused(f"no agent speaks for {where}", hint="`profilectl roster list` shows who speaks for whom")
    if other_brands := sorted({agent.brand for agent in agents if agent.key == key}):
        raise InputRefused(f"{key} doesn't speak for {where}", hint="it has: " + ", ".join(other_brands))
    raise unknown_agent(key, {agent.key for agent in agents})


def _without_departed(speakers: Sequence[Speaker], today: date, *, quiet: bool) -> list[Speaker]:
    """Leave out whom sync removes because the last day is over, and say so.

    Raises:
        InputRefused: nobody is left.
    """
    ends = {agent.key: agent.until for _, agent in speakers if agent.until and agent.until < today}
    lines = [f"{key} isn't shown: the last day was {day.isoformat()}" for key, day in ends.items()]
    shown = [(brand, agent) for brand, agent in speakers if agent.key not in ends]
    if not shown:
        hint = "the roster's `until` is the last day; sync removes the profile after it"
        raise InputRefused("; ".join(lines), hint=hint)
    for line in [] if quiet else lines:
        info(line)
    return shown


def _faces(context: Context, speakers: Sequence[Speaker], text: str) -> list[AgentCard]:
    pictures = context.inspect_pictures(agent for _, agent in speakers)
    prepared = context.prepare_pictures({picture.digest: picture for picture in pictures.values()}.values())
    return [
        AgentCard(agent.key, agent.name, agent.kind.value, brand.handle, picture.content, picture.media_type, text)
        for brand, agent in speakers
        for picture in [prepared[pictures[agent.avatar].digest]]
    ]


def _write_page(path: Path, faces: Sequence[AgentCard], *, quiet: bool) -> None:
    from profilectl.render.html import preview_page
    from profilectl.system.files import put

    handles = dict.fromkeys(face.handle for face in faces)
    page = preview_page(", @".join(handles), faces)
    if str(path) == "-":
        out(page)
        return
    try:
        put(path, page.encode())
    except OSError as error:
        raise InputRefused(f"can't write {visible(str(path))}: {error.strerror}") from None
    if not quiet:
        info(f"wrote {visible(str(path))}")
