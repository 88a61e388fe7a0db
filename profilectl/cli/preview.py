"""``preview``: what customers will see, before anybody sees it."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import InputRefused, UsageError
from profilectl.render import terminal_images
from profilectl.render.bubble import AgentCard, bubble, plain_bubble
from profilectl.render.console import console, draw, info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.model import Agent, Brand

_GREETING = "Hello! How can I help you today?"


def register(app: typer.Typer) -> None:
    """Add ``preview``."""
    app.command("preview")(command(preview))


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
    brands = context.brands()
    named = {brand: _agents_of(context, brand, agent) for brand in brands}
    if not any(named.values()):
        raise _nobody(context, brands, agent)
    agents = _without_gone(context, named)
    faces = [face for brand, chosen in agents.items() for face in _faces(context, brand, chosen, text)]
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


def _without_gone(context: Context, named: dict[Brand, list[Agent]]) -> dict[Brand, list[Agent]]:
    """Leave out whom sync removes because the last day is over, and say so.

    Raises:
        InputRefused: nobody is left.
    """
    today = datetime.now().astimezone().date()
    ends = {one.key: one.until for some in named.values() for one in some if one.until and one.until < today}
    told = [f"{key} isn't shown: the last day was {day.isoformat()}" for key, day in ends.items()]
    if all(one.key in ends for some in named.values() for one in some):
        raise InputRefused(
            "; ".join(told), hint="the roster's `until` is the last day; sync removes the profile after it"
        )
    if not context.is_quiet:
        for line in told:
            info(line)
    return {brand: [one for one in some if one.key not in ends] for brand, some in named.items()}


def _agents_of(context: Context, brand: Brand, key: str | None) -> list[Agent]:
    return [one for one in context.roster.agents_of(brand.key) if key in {None, one.key}]


def _nobody(context: Context, brands: Sequence[Brand], key: str | None) -> UsageError | InputRefused:
    """Say why there is nobody to show."""
    from profilectl.roster.lookup import unknown_agent

    where = ", ".join(brand.key for brand in brands)
    if key is None:
        return InputRefused(f"no agent speaks for {where}", hint="`profilectl roster list` shows who speaks for whom")
    brands_of = sorted({one.brand for one in context.roster.agents if one.key == key})
    if brands_of:
        return InputRefused(f"{key} doesn't speak for {where}", hint="it has: " + ", ".join(brands_of))
    return unknown_agent(key, {one.key for one in context.roster.agents})


def _faces(context: Context, brand: Brand, agents: Sequence[Agent], text: str) -> list[AgentCard]:
    pictures = context.inspect_pictures(agents)
    prepared = context.prepare_pictures({one.digest: one for one in pictures.values()}.values())
    faces = []
    for one in agents:
        picture = prepared[pictures[one.avatar].digest]
        faces.append(
            AgentCard(one.key, one.name, one.kind.value, brand.handle, picture.content, picture.media_type, text)
        )
    return faces


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
