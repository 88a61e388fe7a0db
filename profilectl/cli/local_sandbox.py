"""The X in this process, for ``--sandbox``: its world lies in a file, so that one command sees what another did."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from profilectl.errors import InputRefused, TryLater
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

    from profilectl.sandbox.model.rate_limits import Limits
    from profilectl.sandbox.model.world import World
    from profilectl.secret import Credentials

CUSTOMER = "customer"  # somebody who can be written to from the start


def open_world(path: Path | str, limits: Limits | None, hint: str) -> World:
    """Open a sandbox world, or make a new one; the caller closes it.

    Raises:
        InputRefused: something else lies there, or no file can, told with the hint; or it can't be read and written.
        TryLater: another process doesn't let go of it.
    """
    from profilectl.sandbox.model.store import WorldUnreadable
    from profilectl.sandbox.model.world import World

    shown = visible(str(path))
    try:
        return World(path, limits=limits)
    except WorldUnreadable:
        raise InputRefused(f"{shown} holds no sandbox world", hint=hint) from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputRefused(f"{shown}: {error.strerror}", hint=hint) from None
    except PermissionError:
        folder = Path(path).parent
        locked = shown if os.access(folder, os.W_OK | os.X_OK) else visible(str(folder))
        refusal = f"{locked} can't be written"
        raise InputRefused(refusal, hint=f"make {locked} readable and writable for this user") from None
    except BlockingIOError:
        raise TryLater(f"{shown} is kept busy by another process", hint="run the command again in a moment") from None
    except OSError as error:
        raise InputRefused(f"{shown}: {error.strerror}") from None


class LocalX:
    """A sandbox world beside the ledger, reached without a socket; its limits never make a rehearsal wait.

    Raises:
        InputRefused: the folder isn't one of ours (see `ledger.location`), or its world can't be used.
    """

    url = "http://localhost"

    def __init__(self, folder: Path) -> None:
        from profilectl.ledger.location import prepare_folder
        from profilectl.sandbox.http.app import SandboxApp
        from profilectl.sandbox.model.rate_limits import Limits

        prepare_folder(folder.absolute())  # first, so that what is wrong with either is told of the sandbox
        prepare_folder(folder.parent.absolute())
        path = folder / "world.db"
        self.world = open_world(path, Limits.generous(), f"remove {visible(str(path))}, and the sandbox begins anew")
        self.world.ensure_customer(CUSTOMER)
        self.app = SandboxApp(self.world)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.close()

    def credentials(self, handle: str) -> Credentials:
        """Return the credentials of a brand, which is made when it is new."""
        account = self.world.ensure_brand(handle)
        from profilectl.secret import Credentials, Secret

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

        class Wire(httpx.WSGITransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                try:
                    return super().handle_request(request)
                except ConnectionDropped as error:
                    raise httpx.RemoteProtocolError(str(error), request=request) from error

        return Wire(self.app)
