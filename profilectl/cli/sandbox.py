"""``sandbox serve``, ``reset`` and ``faults``: the local X, and the faults that it is to make."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from msgspec import Struct

from profilectl.cli.context import Context
from profilectl.cli.ledger.files import absolute
from profilectl.cli.local_sandbox import CUSTOMER, LocalX, ask_running_sandbox, is_there, kept_token, open_world
from profilectl.cli.options import add_group
from profilectl.errors import InputRefused, UsageError
from profilectl.render import json_documents
from profilectl.render.console import Output, flush, info, is_terminal
from profilectl.text.escape import excerpt, visible

if TYPE_CHECKING:
    from profilectl.sandbox.http.app import SandboxApp
    from profilectl.sandbox.http.server import SandboxServer
    from profilectl.sandbox.model.faults import Fault
    from profilectl.sandbox.model.world import BrandAccount, World

_FAULT_CELLS: dict[str, Callable[[Any], str]] = {
    "call": str,
    "kind": str,
    "times": lambda times: "always" if times is None else str(times),
    "seen": str,
    "after": lambda after: str(after or ""),
    "match": str,
}
"""What a person sees of a rule; ``--json`` shows all of it."""

_EXAMPLE = '{"call": "create", "kind": "drop-after"}'
_DEFAULT_HANDLE = "acmecare"
_CREDENTIALS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``sandbox`` group."""
    add_group(
        app,
        "sandbox",
        "The local X: a server with pages, and trouble on order.",
        {"serve": serve, "reset": reset, "faults": faults},
        word,
    )


Trouble = Annotated[
    float, typer.Option("--trouble", min=0, max=1, help="The share that goes wrong; 0.05 is one call in twenty.")
]


def serve(
    context: Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8787,
    handle: Annotated[
        list[str] | None, typer.Option("--handle", metavar="HANDLE", help="A brand's account; repeatable.")
    ] = None,
    world: Annotated[
        Path | None, typer.Option("--world", metavar="FILE", help="Keep the world in a file; else in memory.")
    ] = None,
    generous: Annotated[bool, typer.Option("--generous", help="Without X's rate limits.")] = False,
    not_allowlisted: Annotated[bool, typer.Option("--not-allowlisted", help="X hasn't approved the brands.")] = False,
    no_feedback: Annotated[bool, typer.Option("--no-feedback", help="X hasn't approved feedback cards.")] = False,
    trouble: Trouble = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Which calls go wrong.")] = 0,
) -> None:
    """Serve the local X on loopback until Ctrl-C.

    Its pages show what customers see. Prints their address, with the token that keeps other users of the machine out,
    and the credentials of its brands, ready for a shell. With --sandbox it serves the world that commands with
    --sandbox use.
    """
    from profilectl.sandbox.http.app import SandboxApp
    from profilectl.sandbox.model.faults import Fault, Kind

    with _open_world(context, world, generous=generous) as served:
        # All of the world is made ready before the port opens: a client that waits for the port finds its brand.
        try:
            accounts = [served.ensure_brand(name.removeprefix("@")) for name in handle or _handles(context)]
        except ValueError as error:
            raise UsageError(f"--handle: {error}") from None
        served.ensure_customer(CUSTOMER)
        if trouble:
            served.faults.add(Fault(kind=Kind.RANDOM, times=None, probability=trouble, seed=seed))
        with (
            _allowing(served, accounts, profiles=not not_allowlisted, feedback=not no_feedback),
            _listening(SandboxApp(served, _options_to(context, world)), port) as server,
            kept_token(context.environ, server.url, server.token) as is_kept,
        ):
            _tell_of_another(context, world)
            if not is_kept:
                info("sandbox faults --url and reset --url won't find this sandbox's token: no private folder for it")
            with _until_ctrl_c():
                # Programs that start a sandbox go on as soon as they have read them: what follows is for people alone.
                _show_settings(context, server, accounts, is_own=_is_own(context, world))
                _wait()


def _tell_of_another(context: Context, world: Path | None) -> None:
    if world is None and not context.uses_sandbox and os.path.lexists(context.sandbox_folder / "world.db"):
        serving = f"profilectl{context.again()} --sandbox sandbox serve"
        context.remark(f"this is a new, empty world; `{visible(serving)}` serves that of the --sandbox commands here")


def _options_to(context: Context, world: Path | None) -> str:
    """Return the options with which commands speak to what is served; none where they need settings for it."""
    return context.again() if _is_own(context, world) else ""


def _is_own(context: Context, world: Path | None) -> bool:
    """Say whether the world is the one that ``--sandbox`` commands use in this folder."""
    return context.uses_sandbox and world is None


@contextmanager
def _allowing(world: World, accounts: list[BrandAccount], *, profiles: bool, feedback: bool) -> Iterator[None]:
    """Say in the block whether X lets these accounts use custom profiles, and issue feedback cards.

    The world may be shared, and outlives this server; so X lets them do both afterwards, however the block ends.
    """
    try:
        _allow(world, accounts, profiles=profiles, feedback=feedback)
        yield
    finally:
        _allow(world, accounts, profiles=True, feedback=True)


def _allow(world: World, accounts: list[BrandAccount], *, profiles: bool, feedback: bool) -> None:
    for account in accounts:
        world.accounts.allow(account.handle, profiles)
        world.feedback.allow(account.user_id, feedback)


@contextmanager
def _listening(app: SandboxApp, port: int) -> Iterator[SandboxServer]:
    """Serve an app in the block; it answers from the beginning on, so the address can be printed."""
    from profilectl.sandbox.http.server import SandboxServer

    try:
        server = SandboxServer(app, port)
    except OSError as error:
        what = f"can't listen on port {port}: {error.strerror}"
        raise InputRefused(what, hint="--port 0 takes a free one") from None
    with server:
        yield server


@contextmanager
def _until_ctrl_c() -> Iterator[None]:
    """Take Ctrl-C, whenever it comes in the block, as the end that is meant for a server."""
    try:
        yield
    except KeyboardInterrupt:
        info("the sandbox has ended")


def _wait() -> None:
    """Sleep until a signal comes."""
    import threading

    while not threading.Event().wait(1):  # seconds; a signal that comes just before a wait is only seen after it
        pass


def _handles(context: Context) -> list[str]:
    """Return the handles of the roster that lies here, or the one of the examples."""
    if context.options.roster is None and not context.roster_path.exists():
        return [_DEFAULT_HANDLE]
    return [brand.handle for brand in context.brands()]


@contextmanager
def _open_world(context: Context, path: Path | None, *, generous: bool) -> Iterator[World]:
    """Open the world to serve: that of ``--sandbox`` commands, one of its own file, or one in memory."""
    from profilectl.sandbox.model.rate_limits import Limits
    from profilectl.sandbox.model.store import MEMORY

    if _is_own(context, path):
        yield context.local_x.world
        return
    limits = Limits.generous() if generous else None
    with open_world(MEMORY if path is None else path, limits, "--world FILE takes a new file, too") as world:
        yield world


def _show_settings(context: Context, server: SandboxServer, accounts: list[BrandAccount], *, is_own: bool) -> None:
    """Print what a client needs; a ledger of its own keeps the sandbox out of the real one.

    The world of ``--sandbox`` commands has one already, in which the accounts are those of the host that they call.
    """
    lines = []
    for account in accounts:
        ledger = context.ledger_place if is_own else context.state_folder / f"sandbox-{account.user_id}.db"
        url = _as_inside(server.url) if is_own else server.url
        settings = {"PROFILECTL_API_URL": url, "PROFILECTL_LEDGER": str(absolute(ledger))}  # for use in any folder
        settings |= {f"PROFILECTL_{name.upper()}": getattr(account, name) for name in _CREDENTIALS}
        exports = [f"export {name}={shlex.quote(text)}" for name, text in settings.items()]
        lines += [f"# @{account.handle}", *exports] if len(accounts) == 1 else _function(account.handle, exports)
    names = ("handle", "user_id", *_CREDENTIALS)
    rows = [{name: getattr(account, name) for name in names} for account in accounts]
    # The lines are the result and no remark, so --quiet doesn't leave them out.
    Output(context.wants_json).show(json_documents.sandbox(server.url, server.pages, rows), lines=lines, folded=False)
    flush()  # a script that reads the lines through a pipe waits for them while the server runs
    if not context.is_quiet:
        info(f"the sandbox is at {server.pages} (pages for a browser; Ctrl-C ends it)")


def _as_inside(url: str) -> str:
    """Return the served world's address with the host under which ``--sandbox`` commands know it."""
    return f"{LocalX.url}:{urlsplit(url).port}"


def _function(handle: str, exports: list[str]) -> list[str]:
    """Return the settings of one of several brands as a function of the shell: pasted, none overwrites the other's."""
    name = f"use_{handle}"  # X's handles are letters, digits and underscores
    return [f"# @{handle}: paste this, then type {name}", f"{name}() {{", *exports, "}"]


Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="A running sandbox; else PROFILECTL_API_URL's here, or --sandbox's."),
]


class _Place(Struct, frozen=True):
    """The world that a command acts on: that of a running sandbox, or the one that ``--sandbox`` commands use."""

    folder: Path
    url: str | None
    setting: str = "--url"  # what names the address

    @classmethod
    def of(cls, context: Context, url: str | None) -> _Place:
        """Return the world that is meant: without ``--url`` the one to which other commands speak here."""
        from profilectl.api.urls import parse_address

        folder = context.sandbox_folder
        if url is None and not context.uses_sandbox:
            address = parse_address(context.api_url)
            if address.is_loopback and address.url.startswith("http://"):
                return cls(folder, address.url, "PROFILECTL_API_URL")
        return cls(folder, url)

    @property
    def named(self) -> tuple[str | None, str | None]:
        """What a document has: the address, else the folder's whole path."""
        return self.url, None if self.url else str(absolute(self.folder))

    @property
    def shown(self) -> str:
        """What a person reads: the address and what named it, or the folder."""
        if self.url is None:
            return f"in {visible(self.folder.as_posix())}"
        why = "" if self.setting == "--url" else f" (which {self.setting} names)"
        return f"at {visible(self.url)}{why}"

    def ask(self, context: Context, method: str, what: str, key: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control plane of the running sandbox; see `ask_running_sandbox`."""
        return ask_running_sandbox(context.environ, self.url or "", method, what, key, body, setting=self.setting)


def reset(context: Context, url: Url = None) -> None:
    """Forget everything but the accounts.

    Removes profiles, messages, cards, faults and the sandbox's own ledger, and ends what --not-allowlisted and
    --no-feedback began.
    """
    place = _Place.of(context, url)
    if place.url is not None:
        place.ask(context, "POST", "reset", "profiles")
    elif is_there(context.state_folder):  # else there is no world, and what forgets makes none
        context.local_x.world.reset()  # it made sure that no link leads the folder elsewhere
        _forget_ledger(context.sandbox_folder)
    context.output.show(json_documents.reset(*place.named))
    context.remark(f"the local X {place.shown} is as new")


def _forget_ledger(folder: Path) -> None:
    """Remove the ledger with the profiles that it knows; its lock stays: another process may hold it right now."""
    try:
        for path in folder.glob("ledger.db*"):
            if path.suffix != ".lock" and not path.is_dir():
                path.unlink(missing_ok=True)
    except OSError as error:
        what = f"the ledger in {visible(folder.as_posix())} can't be removed: {error.strerror}"
        raise InputRefused(what, hint="the world is as new already; remove ledger.db* there by hand") from None


def faults(
    context: Context,
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help='JSON: {"call": "create", "kind": "drop-after", "times": 1}')
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Disarm all rules.")] = False,
    url: Url = None,
) -> None:
    """Arm a fault, disarm all, or list what is armed.

    \b
    Kinds of trouble: refuse, error-before, error-after, drop-before,
    drop-after, rate-limit, credits, slow, hold, cut, html, no-id, lag,
    expired, empty-page, echo-missing, echo-other, random.

    \b
    Kinds of lies, by the calls that they fit:
      every call     foreign-before, foreign-after (not X answers, but a
                     proxy: status, body html, json or empty), date-jump,
                     packed, endless-head, endless-hints, drip, json-nan,
                     json-twice, json-deep, json-huge, json-surrogate,
                     json-long
      list           empty-list, half-list, stale-list, foreign-list,
                     shrinking-list, reordered-list, cursorless-list,
                     endless-list
      create         name-escaped, name-folded, name-nfd,
                     name-without-emoji (X keeps the name so), twice, late
                     (an error now, made after seconds), reused-id, other-id
      send           twice
      show, destroy  other-id
      list, show     picture-address (message: where all pictures are)

    \b
    Calls: verify, list, show, upload, upload-begin, upload-append,
    upload-finish, upload-status, create, destroy, typing, send, message,
    messages, welcome-messages, user, limits, request-token, access-token,
    invalidate, feedback-create, feedback-show, feedback-events; * is all.

    \b
    "Before" and "after" say whether the sandbox has done what was asked.
    Further keys: times (1; null for ever; kinds that end in -list count
    whole readings), after (calls that go well first), match (a text in the
    call), seconds, status, code, message, body, id (of the profile that an
    answer speaks of), probability, seed.
    """  # noqa: D301 - Typer keeps the lines behind a real backspace as they are
    if rule is not None and clear:
        raise UsageError("a rule or --clear, not both")
    fault = None if rule is None else _parse(rule)
    _show_rules(context, _Place.of(context, url), fault, clear=clear)


def _show_rules(context: Context, place: _Place, fault: Fault | None, *, clear: bool) -> None:
    """Change the rules of a world, and show them all."""
    rules = (_arm if place.url is None else _arm_running)(context, place, fault, clear=clear)
    # Rules are JSON, in and out: a pipe gets the document, a person a table.
    is_for_people = is_terminal(sys.stdout) and not context.wants_json
    rows = [[_FAULT_CELLS[key](rule.get(key)) for key in _FAULT_CELLS] for rule in rules] if is_for_people else None
    document = json_documents.faults(rules, *place.named)
    Output(wants_json=not is_for_people).show(document, [*_FAULT_CELLS], rows)
    count = "no fault is" if not rules else "1 fault is" if len(rules) == 1 else f"{len(rules)} faults are"
    context.remark(f"{count} armed at the local X {place.shown}")


def _arm(context: Context, _place: _Place, fault: Fault | None, *, clear: bool) -> list[dict[str, Any]]:
    """Change the rules of the world that --sandbox commands use, and return them all."""
    armed = context.local_x.world.faults
    if clear:
        armed.clear()
    if fault is not None:
        armed.add(fault)
    return armed.to_plain()


def _arm_running(context: Context, place: _Place, fault: Fault | None, *, clear: bool) -> Any:
    """Change the rules of a sandbox that runs elsewhere, and return them all."""
    method, body = ("DELETE", None) if clear else ("GET", None) if fault is None else ("POST", fault.to_plain())
    return place.ask(context, method, "faults", "faults", body)


def _parse(rule: str) -> Fault:
    from profilectl.sandbox.model.faults import Fault

    try:
        return Fault.from_plain(json.loads(rule))
    except json.JSONDecodeError:
        what = f"not a fault: {excerpt(rule, 40)} isn't JSON"
        raise UsageError(what, hint=f"{_EXAMPLE}, in single quotes for the shell") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a fault: {visible(str(error))}", hint=_EXAMPLE) from None
