"""The X in this process, for ``--sandbox``, and the way to one that is served on this machine.

Its world lies in a file, so that one command sees what another did.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from profilectl.errors import InputRefused, LedgerRefused, TryLater, UsageError
from profilectl.system.files import read_regular, write_private
from profilectl.system.folders import LinkRefused, require_own_way
from profilectl.text.escape import visible

if TYPE_CHECKING:
    import httpx

    from profilectl.sandbox.model.rate_limits import Limits
    from profilectl.sandbox.model.world import World
    from profilectl.secret import Credentials

CUSTOMER = "customer"  # somebody who can be written to from the start
_TIMEOUT = 10  # seconds
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes
_LARGEST_TOKEN = 1024  # bytes


def open_world(path: Path | str, limits: Limits | None, hint: str) -> World:
    """Open a sandbox world, or make a new one; the caller closes it.

    Raises InputRefused, with the hint if no world can lie there, or TryLater if another process keeps it busy.
    """
    from profilectl.sandbox.model.store import WorldOpenToOthers, WorldUnreadable
    from profilectl.sandbox.model.world import World

    shown = visible(str(path))
    try:
        if isinstance(path, Path):
            require_own_way(path.parent)
        return World(path, limits=limits)
    except LinkRefused as error:
        raise InputRefused(f"{shown} can't be used: {error.strerror}", hint=error.hint) from None
    except WorldOpenToOthers as error:
        raise InputRefused(f"{visible(error.path)} {error.why}", hint=visible(error.remedy)) from None
    except WorldUnreadable:
        raise InputRefused(f"{shown} holds no sandbox world", hint=hint) from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputRefused(f"{shown}: {error.strerror}", hint=hint) from None
    except PermissionError:  # perhaps of the folder, where SQLite makes files beside the world
        folder = Path(path).parent
        locked = shown if os.access(folder, os.W_OK | os.X_OK) else visible(str(folder))
        refusal = f"{locked} can't be written"
        raise InputRefused(refusal, hint=f"make {locked} readable and writable for this user") from None
    except BlockingIOError:
        raise TryLater(f"{shown} is kept busy by another process", hint="run the command again in a moment") from None
    except OSError as error:
        raise InputRefused(f"{shown}: {error.strerror}") from None


class LocalX:
    """A sandbox world beside the ledger, without socket or limits; InputRefused if folder or world are unusable."""

    url = "http://localhost"

    def __init__(self, folder: Path) -> None:
        from profilectl.ledger import git_tracking, location
        from profilectl.sandbox.http.app import SandboxApp
        from profilectl.sandbox.model.rate_limits import Limits

        location.prepare_folder(folder.absolute())  # first, so that an error names the sandbox's own folder
        location.prepare_folder(folder.parent.absolute())
        path = folder / "world.db"
        git_tracking.require_untracked(path.absolute())
        location.check_companions(path)  # SQLite would follow a link, and write wherever it leads
        self.world = open_world(path, Limits.generous(), f"remove {visible(str(path))}, and the sandbox begins anew")
        self.world.ensure_customer(CUSTOMER)
        self.app = SandboxApp(self.world)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    def credentials(self, handle: str) -> Credentials:
        """Return the credentials of a brand, which is made when it is new."""
        from profilectl.secret import Credentials, Secret  # brings hashlib, which a dry run does without

        account = self.world.ensure_brand(handle)
        return Credentials(
            consumer_key=Secret(account.consumer_key),
            consumer_secret=Secret(account.consumer_secret),
            token=Secret(account.access_token),
            token_secret=Secret(account.access_token_secret),
            source="sandbox",
            handle=account.handle,
            user_id=account.user_id,
        )

    def transport(self) -> httpx.BaseTransport:
        """Return the way into the world; a dropped connection looks as it would on a socket."""
        import httpx

        from profilectl.sandbox.http.fault_injection import ConnectionDropped

        # The sandbox raises a ConnectionError in process; the client knows httpx's errors only, and retries by them.
        class Wire(httpx.WSGITransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                try:
                    return super().handle_request(request)
                except ConnectionDropped as error:
                    raise httpx.RemoteProtocolError(str(error), request=request) from error

        return Wire(self.app)


def is_there(path: Path) -> bool:
    """Return whether something is at a path, links included; InputRefused where the folder doesn't let us know."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputRefused(
            f"{visible(str(path))} can't be looked at: {error.strerror}",
            hint="go to a folder that you can enter, or name a roster in one with --roster",
        ) from None
    return True


def _token_file(environ: Mapping[str, str], url: str) -> Path:
    """Return where this user's commands find the token of the sandbox that is served on a port of this machine."""
    from profilectl.ledger.location import default_ledger_path

    return default_ledger_path(environ, "sandboxes").with_name(f"{urlsplit(url).port or 80}.token")


@contextmanager
def kept_token(environ: Mapping[str, str], url: str, token: str) -> Iterator[bool]:
    """Keep a sandbox's token where only this user's commands find it, while it is served; yields whether that worked.

    No option takes it, as other users can read the command lines of all processes.
    """
    from profilectl.ledger.location import prepare_folder

    path = _token_file(environ, url)
    try:
        prepare_folder(path.parent)
        write_private(path, token.encode())
    except (OSError, LedgerRefused):  # no home folder, or one that can't be written: what is served works all the same
        yield False
        return
    try:
        yield True
    finally:
        if find_token(environ, url) == token:  # by now another one may be served there, in another network namespace
            path.unlink(missing_ok=True)


def find_token(environ: Mapping[str, str], url: str) -> str | None:
    """Return the token of the sandbox that this user serves at an address, None if there is none."""
    try:
        file = read_regular(_token_file(environ, url), _LARGEST_TOKEN)
    except OSError:
        return None
    return None if file is None else file[0].decode("ascii", "replace")


def ask_running_sandbox(
    environ: Mapping[str, str],
    url: str,
    method: str,
    what: str,
    key: str,
    body: dict[str, Any] | None = None,
    *,
    setting: str = "--url",
) -> list[Any]:
    """Call the part `what` of the control plane of a sandbox at `url`, and return the list under the answer's `key`.

    The `setting` is what named the address.

    Raises TryLater if nothing answers there, InputRefused if it is no sandbox or another user's, UsageError for another
    machine, or an address with a token, which other users could read on the command line.
    """
    import httpx

    from profilectl.api.urls import parse_address

    _refuse_token(url)
    address = parse_address(url)
    if not address.is_loopback or not address.url.startswith("http://"):
        raise UsageError(
            f"{visible(url)} isn't on this machine, where a sandbox is", hint="such as --url http://127.0.0.1:8787"
        )
    refusal = f"no sandbox answers at {visible(url)}"
    hint = f"{setting} takes what `profilectl sandbox serve` prints"
    elsewhere = "" if setting == "--url" else f"; without {setting} this is about the world of --sandbox commands here"
    try:
        document = _exchange(f"{address.url}/_sandbox/{what}", method, body, find_token(environ, address.url))
    except httpx.TransportError as error:
        # httpx has one error for a server that hung up, which may be about to end, and for one that isn't HTTP at all.
        if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
            raise InputRefused(f"{refusal}: it speaks no HTTP", hint=hint) from None
        why = visible(re.sub(r"^\[Errno \d+\] ", "", str(error)))
        raise TryLater(f"{refusal}: {why}", hint=f"`profilectl sandbox serve` starts one{elsewhere}") from None
    except PermissionError:
        raise InputRefused(
            f"the sandbox at {visible(url)} isn't one that this user serves",
            hint="run this as the user who started it, with the same HOME and XDG_STATE_HOME",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputRefused(f"{refusal}: {visible(str(error))}", hint=hint) from None
    items = document.get(key) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise InputRefused(f"{refusal}: another program answers there", hint=hint)
    return items


def _refuse_token(url: str) -> None:
    if "token=" in url:
        plain = visible(url.partition("/?")[0].partition("?")[0])
        raise UsageError(
            "--url takes no token: other users can read the command lines of this machine",
            hint=f"--url {plain} is enough; the token is found in a private file",
        )


def _exchange(url: str, method: str, body: dict[str, Any] | None, token: str | None) -> Any:
    """Return the JSON of an answer.

    Raises PermissionError for a 401, ValueError if it isn't JSON, isn't a 200 or is too large, else httpx's errors.
    """
    import json

    import httpx

    content = bytearray()
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
    # No proxy of the environment may answer for loopback; and what is compressed could grow past the bound unseen.
    with (
        httpx.Client(trust_env=False, timeout=_TIMEOUT) as client,
        client.stream(method, url, json=body, headers=headers) as response,
    ):
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise PermissionError
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"status {response.status_code}")
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _LARGEST_ANSWER:
                raise ValueError(f"the answer is larger than {_LARGEST_ANSWER} bytes")
    return json.loads(content)
