"""``init``: a roster to start from, with pictures, that works as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.errors import InputRefused, UsageError
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.system.files import created
from profilectl.system.folders import LinkRefused, require_own_way
from profilectl.text.escape import visible

_STAND_IN = "acmecare"

_AGENTS = (
    ("alice", "Alice F., Care Specialist", "human"),
    ("bruno", "Bruno K., Billing", "human"),
    ("helper", "{handle} bot", "bot"),
)

_HEAD = """\
# Who your customers see in X Direct Messages.
# `profilectl roster check` finds mistakes, `profilectl diff` shows what `profilectl sync` would change.
version = 1

[brands.{brand}]
handle = "{handle}"  # the X account that speaks, without its @
language = "en"  # of the word that a bot's name must contain

[defaults]
kind = "human"  # or "bot": customers want to know

# One table per agent. Customers see the name, up to 48 characters, and the picture: JPEG, PNG, WEBP or GIF.
"""

_AGENT = """
[agents.{key}]
name = "{name}"
avatar = "avatars/{key}.png"
"""


def init(
    context: Context,
    handle: Annotated[str | None, option("--handle HANDLE", "Your brand's X account; else a stand-in.")] = None,
) -> None:
    """Write a starter roster with pictures.

    Never overwrites anything.
    """
    from profilectl.pictures.placeholders import initials_portrait

    account = _check_handle(handle) if handle is not None else _STAND_IN
    path = context.roster_path
    pictures = path.parent / "avatars"
    files = {pictures / f"{key}.png": initials_portrait(name.format(handle=account)) for key, name, _ in _AGENTS}
    files[path] = _text(account).encode()
    _write_anew(files, pictures)
    line = f"wrote {visible(str(path))} and {len(_AGENTS)} pictures in {visible(str(pictures))}"
    context.output.show(json_documents.init(path, [file for file in files if file != path]), lines=[line])
    if not context.is_quiet:
        _show_next_steps(path, is_stand_in=handle is None)


def _check_handle(handle: str) -> str:
    from profilectl.roster import schema
    from profilectl.toml.rules import FieldError

    try:
        return schema.handle(handle.removeprefix("@"))
    except FieldError as error:
        raise UsageError(f"--handle: {error}") from None


def _text(handle: str) -> str:
    brand = handle.lower().strip("_") or "brand"  # a brand's key has no capitals and starts with a letter or digit
    text = _HEAD.format(brand=brand, handle=handle)
    for key, name, kind in _AGENTS:
        text += _AGENT.format(key=key, name=name.format(handle=handle))
        if kind != "human":
            text += f'kind = "{kind}"\n'
    return text


def _write_anew(files: Mapping[Path, bytes], own_folder: Path) -> None:
    """Write files that don't exist yet, and the folders that they need; all or none."""
    elsewhere = "--roster PATH starts one in another folder"
    try:
        if own_folder.is_symlink():  # as a repository could bring along
            raise InputRefused(f"{visible(str(own_folder))} is a symbolic link; nothing was written", hint=elsewhere)
        for path in files:
            require_own_way(path.parent)
            if path.exists() or path.is_symlink():
                raise InputRefused(f"{visible(str(path))} exists already; nothing was written", hint=elsewhere)
        with ExitStack() as stack:  # a roster whose pictures are missing would be refused by the next command
            for path, content in files.items():
                stack.enter_context(created(path, content))
    except LinkRefused as error:
        raise InputRefused(f"{error.strerror}; nothing was written", hint=elsewhere) from None
    except OSError as error:
        where = visible(str(error.filename or own_folder))
        raise InputRefused(f"can't write {where}: {error.strerror}; nothing was written") from None


def _show_next_steps(path: Path, *, is_stand_in: bool) -> None:
    roster = "" if path == Path("roster.toml") else f" --roster {shlex.quote(str(path))}"
    info(f"next: `profilectl sync{visible(roster)} --sandbox` tries it on a local X")
    if is_stand_in:
        info(f'then: put your own X account in the place of "{_STAND_IN}", and log in with `profilectl auth login`')
    else:
        info("then: `profilectl auth login` connects the real account")
