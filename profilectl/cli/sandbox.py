"""``sandbox serve``, ``reset`` and ``faults``: the local X, and trouble on order."""

from __future__ import annotations

import json
import shlex
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import InputRefused, TryLater, UsageError
from profilectl.render import documents
from profilectl.render.console import flush, info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.sandbox.model.world import BrandAccount, World

_PATIENCE = 10  # seconds
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes
_DEFAULT_HANDLE = "acmecare"
_SETTINGS = {
    "PROFILECTL_CONSUMER_KEY": "consumer_key",
    "PROFILECTL_CONSUMER_SECRET": "consumer_secret",
    "PROFILECTL_ACCESS_TOKEN": "access_token",
    "PROFILECTL_ACCESS_TOKEN_SECRET": "access_token_secret",
}


def register(app: typer.Typer) -> None:
    """Add the ``sandbox`` group."""
    group = typer.Typer(help="The local X: a server with pages, and trouble on order.", no_args_is_help=True)
    group.command("serve")(command(serve))
    group.command("reset")(command(reset))
    group.command("faults")(command(faults))
    app.add_typer(group, name="sandbox")


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
    trouble: Annotated[float, typer.Option("--trouble", min=0, max=1, help="How often a call goes wrong.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Which calls go wrong.")] = 0,
) -> None:
    """Serve the local X on loopback until Ctrl-C.

    Its pages show what customers see. Prints its address and the credentials of its brands, ready for a shell. With
    --sandbox it serves the world that commands with --sandbox use.
    """
    from profilectl.sandbox.http.app import SandboxApp
    from profilectl.sandbox.http.server import SandboxServer
    from profilectl.sandbox.model.faults import Fault, Kind

    with _world(context, world, generous=generous) as one:
        try:
            accounts = [one.ensure_brand(name.removeprefix("@")) for name in handle or _handles(context)]
        except ValueError as error:
            raise UsageError(f"--handle: {error}") from None
        one.ensure_customer("customer")
        for account in accounts:
            one.accounts.allow(account.handle, not not_allowlisted)
            one.feedback.allow(account.user_id, not no_feedback)
        if trouble:
            one.faults.add(Fault(kind=Kind.RANDOM, times=None, probability=trouble, seed=seed))
        try:
            server = SandboxServer(SandboxApp(one), port)
        except OSError as error:
            raise InputRefused(
                f"can't listen on port {port}: {error.strerror}", hint="--port 0 takes a free one"
            ) from None
        with server:
            _introduce(context, server.url, accounts)
            try:
                _wait_for_the_end()
            finally:
                for account in accounts:  # the world may be shared, and outlives this server
                    one.accounts.allow(account.handle, True)
                    one.feedback.allow(account.user_id, True)


def _wait_for_the_end() -> None:
    """Sleep until Ctrl-C or SIGTERM, which are how a server is meant to end."""
    import threading

    try:
        while not threading.Event().wait(1):  # seconds; a signal that comes just before a wait is only seen after it
            pass
    except KeyboardInterrupt:
        info("the sandbox has ended")


def _handles(context: Context) -> list[str]:
    """Take the brands of the roster that lies here, or the one of the examples."""
    if context.options.roster is None and not context.roster_path.exists():
        return [_DEFAULT_HANDLE]
    return [brand.handle for brand in context.brands()]


@contextmanager
def _world(context: Context, path: Path | None, *, generous: bool) -> Iterator[World]:
    from profilectl.cli.local_sandbox import open_world
    from profilectl.sandbox.model.rate_limits import Limits
    from profilectl.sandbox.model.store import MEMORY

    if context.uses_sandbox and path is None:
        yield context.local_x.world
        return
    limits = Limits.generous() if generous else None
    with open_world(MEMORY if path is None else path, limits, "--world FILE takes a new file, too") as one:
        yield one


def _introduce(context: Context, url: str, accounts: list[BrandAccount]) -> None:
    """Print what a client needs; a ledger of its own keeps the sandbox out of the real one."""
    if context.wants_json:
        rows = [{"handle": one.handle, "user_id": one.user_id} | _values(one) for one in accounts]
        out(documents.dump({"schema": "profilectl.sandbox/1", "url": url, "accounts": rows}))
    else:
        for one in accounts:
            out(f"# @{one.handle}")
            ledger = context.state_folder.absolute() / f"sandbox-{one.user_id}.db"  # for commands in any folder
            settings = {"PROFILECTL_API_URL": url, "PROFILECTL_LEDGER": str(ledger)} | _values(one, _SETTINGS)
            for name, value in settings.items():
                out(f"export {name}={shlex.quote(value)}")
    flush()
    if not context.is_quiet:
        info(f"the sandbox is at {url}/ (pages for a browser; Ctrl-C ends it)")


def _values(account: BrandAccount, names: dict[str, str] | None = None) -> dict[str, str]:
    return {name: getattr(account, field) for name, field in (names or {v: v for v in _SETTINGS.values()}).items()}


Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="A running sandbox; else the one of --sandbox commands.")
]


def reset(context: Context, url: Url = None) -> None:
    """Forget everything but the accounts.

    Profiles, messages, cards, faults, what --not-allowlisted and --no-feedback
    took, and the sandbox's own ledger.
    """
    if url is not None:
        _ask(url, "POST", "reset", "profiles")
    else:
        context.local_x.world.reset()  # it made sure that no link leads the folder elsewhere
        for path in context.state_folder.glob("sandbox/ledger.db*"):
            if path.suffix != ".lock" and not path.is_dir():
                path.unlink(missing_ok=True)
    if context.wants_json:
        out(documents.dump({"schema": "profilectl.reset/1", "url": url}))
    if not context.is_quiet:
        info("the sandbox is as new")


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
    Kinds: refuse, error-before, error-after, drop-before, drop-after,
    rate-limit, slow, hold, cut, html, no-id, lag, expired, empty-page,
    echo-missing, echo-other, random.

    \b
    Calls: verify, list, show, upload, upload-begin, upload-append,
    upload-finish, upload-status, create, destroy, typing, send, message,
    messages, user, limits, request-token, access-token, invalidate,
    feedback-create, feedback-show, feedback-events; * or none is every call.

    \b
    Further keys: times (1; null for ever), after (calls that go well first),
    match (a text in the call), seconds, status, code, message, probability,
    seed.
    """  # noqa: D301 - Typer keeps the lines behind a real backspace as they are
    if rule is not None and clear:
        raise UsageError("a rule or --clear, not both")
    plain = None if rule is None else _parse(rule)
    if url is not None:
        method, body = ("DELETE", None) if clear else ("GET", None) if plain is None else ("POST", plain)
        listed = _ask(url, method, "faults", "faults", body)
    else:
        listed = _change_faults(context.local_x.world, plain, clear=clear)
    out(documents.dump({"schema": "profilectl.faults/1", "faults": listed}))  # rules are JSON, in and out


def _parse(rule: str) -> dict[str, Any]:
    from profilectl.sandbox.model.faults import Fault

    try:
        return Fault.from_plain(json.loads(rule)).to_plain()
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"not a fault: {visible(str(error))}", hint='{"call": "create", "kind": "drop-after"}'
        ) from None


def _change_faults(world: World, plain: dict[str, Any] | None, *, clear: bool) -> list[dict[str, Any]]:
    from profilectl.sandbox.model.faults import Fault

    if clear:
        world.faults.clear()
    if plain is not None:
        world.faults.add(Fault.from_plain(plain))
    return [{**fault.to_plain(), "seen": seen} for fault, seen in world.faults.all()]


def _ask(url: str, method: str, what: str, key: str, body: dict[str, Any] | None = None) -> list[Any]:
    """Ask a running sandbox's control plane, on this machine only, and return the list under a key of its answer.

    Raises:
        TryLater: nothing answers there.
        InputRefused: what answers is no sandbox.
        UsageError: another machine.
    """
    from profilectl.api.urls import parse_address

    address = parse_address(url)
    if not address.is_loopback or not address.url.startswith("http://"):
        raise UsageError(
            f"{visible(url)} isn't on this machine, where a sandbox is", hint="such as --url http://127.0.0.1:8787"
        )
    try:
        document = _exchange(address.url, method, f"/_sandbox/{what}", body)
    except OSError as error:
        why = visible(error.strerror or str(error))
        raise TryLater(
            f"no sandbox answers at {visible(url)}: {why}", hint="`profilectl sandbox serve` starts one"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _no_sandbox(url, visible(str(error))) from None
    listed = document.get(key) if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise _no_sandbox(url, "what does speaks of something else")
    return listed


def _no_sandbox(url: str, why: str) -> InputRefused:
    hint = "--url takes what `profilectl sandbox serve` prints"
    return InputRefused(f"no sandbox answers at {visible(url)}: {why}", hint=hint)


def _exchange(url: str, method: str, path: str, body: dict[str, Any] | None) -> Any:
    """Send one request, follow nothing, and return the JSON of the answer."""
    from contextlib import closing
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    with closing(HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)) as connection:
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise ValueError(f"status {answer.status}")
            return json.loads(answer.read(_LARGEST_ANSWER))
        except ConnectionError:  # among them one that is an HTTPException as well
            raise
        except HTTPException as error:
            raise ValueError(f"no HTTP: {type(error).__name__}") from None
