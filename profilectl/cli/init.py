"""``init``: a roster to start from, with pictures, that works as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.cli.people.live import check_option, start_from_live
from profilectl.cli.prompts import ask_or
from profilectl.errors import InputRefused, UsageError
from profilectl.people.starter import brand_of, head
from profilectl.render import roster_documents
from profilectl.render.console import info
from profilectl.roster import schema
from profilectl.system.files import created
from profilectl.system.folders import LinkRefused, require_own_way
from profilectl.system.host import expand_home
from profilectl.text.escape import visible
from profilectl.toml.rules import FieldError, Rule

_STAND_IN = "acmecare"
_ELSEWHERE = "--roster PATH starts one in another folder"

_AGENTS = (
    ("alice", "Alice F., Care Specialist", "human"),
    ("bruno", "Bruno K., Billing", "human"),
    ("helper", "{handle} bot", "bot"),
)

_AGENT = """
[agents.{key}]
name = "{name}"
avatar = "avatars/{key}.png"
"""


class Settings(Struct, frozen=True):
    """What a roster begins with."""

    handle: str = _STAND_IN
    language: str = "en"
    timezone: str = "UTC"
    file: Path | None = None  # a list of people
    photos: Path | None = None


def init(
    context: Context,
    handle: Annotated[str | None, option("--handle HANDLE", "Your brand's X account; else a stand-in.")] = None,
    language: Annotated[str | None, option("--language TAG", "Which language its customers read; else en.")] = None,
    timezone: Annotated[str | None, option("--timezone NAME", "Where days begin and end; else UTC.")] = None,
    file: Annotated[Path | None, option("--csv FILE", "Your people: CSV, or JSON lines.")] = None,
    columns: Annotated[list[str] | None, option("--map FIELD=COLUMN,...", "Which column is which field.")] = None,
    photos: Annotated[Path | None, option("--photos DIR", "Pictures, called by key, e-mail address or name.")] = None,
    from_live: Annotated[bool, option("--from-live", "Take the profiles that X has as agents.")] = False,
    yes: Annotated[bool, option("--yes", "Ask nothing.")] = False,
) -> None:
    """Write a starter roster with pictures.

    On a terminal it asks what no option answers: at most five questions. With --csv the roster is made of a list
    of people: their pictures are stored beside it, and columns are guessed from their names. With --from-live each
    profile at X becomes an agent, and is bound to it at once: nothing is created or destroyed there. Never overwrites
    anything.
    """
    if from_live:
        if file or columns or photos:
            raise UsageError("--from-live takes people and pictures from X, so it goes with no list of them")
        language = check_option("--language", _language, language or "en")
        start_from_live(context, handle, language, timezone or "UTC", yes=yes)
        return
    settings = Settings(
        _STAND_IN if handle is None else check_option("--handle", schema.handle, handle.removeprefix("@")),
        "en" if language is None else check_option("--language", _language, language),
        "UTC" if timezone is None else check_option("--timezone", schema.timezone, timezone),
        file,
        photos,
    )
    if context.may_ask and not yes and file is None and not columns:
        _require_no_roster(context.roster_path)  # before anything is asked for nothing
        answered = {"handle": handle, "language": language, "timezone": timezone, "photos": photos}
        settings = _ask(settings, frozenset(name for name, value in answered.items() if value is not None))
    if settings.file is not None:
        from profilectl.cli.people.starting import start_from_list

        start_from_list(context, settings.file, partial(_head, settings), columns or (), settings.photos)
    elif columns or photos:
        raise UsageError("--map and --photos belong to a list of people", hint="--csv FILE names it")
    else:
        _write_starter(context, settings)
    if not context.is_quiet:
        _show_next_steps(context.roster_path, is_stand_in=settings.handle == _STAND_IN and handle is None)


def _ask(settings: Settings, answered: frozenset[str]) -> Settings:
    """Ask what a roster begins with, but for what options have answered, each question until its answer can be used."""
    # Those who name no list of people have pictures of nobody in particular, so the last question may be left out.
    names = [name for name in ("handle", "language", "timezone", "file", "photos") if name not in answered]
    most = "1 question" if len(names) == 1 else f"{len(names)} questions at most"
    info(f"{most}; Enter takes what is in brackets. Everything can be changed in roster.toml later.")
    for number, name in enumerate(names, 1):
        if name != "photos" or settings.file is not None:
            question, usual, check = _QUESTIONS[name]
            settings = replace(settings, **{name: ask_or(f"{number}. {question}", usual, check)})
    return settings


def _obeying(rule: Rule, answer: str) -> str:
    try:
        return str(rule(answer))
    except FieldError as error:
        raise UsageError(str(error)) from None


def _language(value: object) -> str:
    """Return a language of which bot markers are known; FieldError, or `roster check` would refuse what is written."""
    from profilectl.roster.disclosure import MARKERS, markers_for

    language = schema.language(value)
    if not markers_for(language, MARKERS):
        advice = "begin with another, then set language and [policy.bot_markers] in roster.toml"
        raise FieldError(f'no words for a bot are known in "{language}": {advice}')
    return language


def _handle(answer: str) -> str:
    return _obeying(schema.handle, answer.removeprefix("@"))


def _list(answer: str) -> Path | None:
    """Return the list of people that an answer names, None for none; RosterRefused or InputRefused for a wrong one."""
    from profilectl.cli.people.lists import read_list
    from profilectl.people.mapping import map_columns

    if answer.startswith("none:"):
        return None
    path = expand_home(answer)
    map_columns(read_list(path).headers, ())
    return path


def _photos(answer: str) -> Path | None:
    from profilectl.people.photos import PhotoFolder

    if answer.startswith("none:"):
        return None
    path = expand_home(answer)
    PhotoFolder(path)
    return path


_QUESTIONS: Mapping[str, tuple[str, str, Callable[[str], object]]] = {
    "handle": ("Which X account speaks for your brand?", _STAND_IN, _handle),
    "language": ("Which language do its customers read?", "en", partial(_obeying, _language)),
    "timezone": ("In which time zone do your days begin and end?", "UTC", partial(_obeying, schema.timezone)),
    "file": ("Which CSV file lists your people?", "none: three examples", _list),
    "photos": ("Which folder has their pictures?", "none: initials are drawn", _photos),
}


def _write_starter(context: Context, settings: Settings) -> None:
    from profilectl.pictures.placeholders import initials_portrait

    path, handle = context.roster_path, settings.handle
    pictures = path.parent / "avatars"
    files = {pictures / f"{key}.png": initials_portrait(name.format(handle=handle)) for key, name, _ in _AGENTS}
    files[path] = _text(settings).encode()
    _write_anew(files, pictures)
    line = f"wrote {visible(str(path))} and {len(_AGENTS)} pictures in {visible(str(pictures))}"
    context.output.show(roster_documents.init(path, [file for file in files if file != path]), lines=[line])


def _text(settings: Settings) -> str:
    text = _head(settings, None)
    for key, name, kind in _AGENTS:
        text += _AGENT.format(key=key, name=name.format(handle=settings.handle))
        if kind != "human":
            text += f'kind = "{kind}"\n'
    return text


def _head(settings: Settings, pattern: str | None) -> str:
    brand = brand_of(settings.handle, settings.language)
    return head([brand], timezone=settings.timezone, pattern=pattern)


def _require_no_roster(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputRefused(f"{visible(str(path))} exists already; nothing was written", hint=_ELSEWHERE)


def _write_anew(files: Mapping[Path, bytes], own_folder: Path) -> None:
    """Write files that don't exist yet, and the folders that they need; all or none."""
    try:
        if own_folder.is_symlink():  # as a repository could bring along
            raise InputRefused(f"{visible(str(own_folder))} is a symbolic link; nothing was written", hint=_ELSEWHERE)
        for path in files:
            require_own_way(path.parent)
            if path.exists() or path.is_symlink():
                raise InputRefused(f"{visible(str(path))} exists already; nothing was written", hint=_ELSEWHERE)
        with ExitStack() as stack:  # a roster whose pictures are missing would be refused by the next command
            for path, content in files.items():
                stack.enter_context(created(path, content))
    except LinkRefused as error:
        raise InputRefused(f"{error.strerror}; nothing was written", hint=_ELSEWHERE) from None
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
