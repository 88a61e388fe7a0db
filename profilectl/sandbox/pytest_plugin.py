"""Fixtures for whoever writes Direct Messages for X: a local X, a brand's account at it, and faults on order.

pytest finds this module by itself where profilectl is installed (entry point ``pytest11``). A test asks for
`x_sandbox`, or for `x_account` where one brand is enough::

    def test_a_lost_answer_is_no_second_message(x_sandbox, x_account):
        x_sandbox.fault("drop-after", call="send")
        my_program.send(x_account.credentials, to="12345", text="Hello", url=x_sandbox.url)
        assert ["Hello"] == [message["text"] for message in x_sandbox.messages()]
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from profilectl.sandbox.http.server import SandboxServer
    from profilectl.sandbox.model.world import World


@dataclass(frozen=True, slots=True)
class XAccount:
    """A brand's account at the local X.

    Attributes:
        handle: without the ``@``.
        user_id: its id, as X writes ids: digits.
        credentials: the four values of OAuth 1.0a, by X's names for them.
        environ: what a program like profilectl reads them from: the address of the local X, the four variables, and a
            ledger that is forgotten with the local X.
    """

    handle: str
    user_id: str
    credentials: dict[str, str] = field(repr=False)
    environ: dict[str, str] = field(repr=False)


class XSandbox:
    """A local X on a loopback port, which forgets everything when the test is over.

    Attributes:
        url: its address, without a slash at the end; it stands for ``https://api.x.com``.
        pages: the address for a browser.
    """

    def __init__(self, server: SandboxServer, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder  # of ledgers: else tests would write into the one that the developer's shell names
        self.url = server.url
        self.pages = server.pages

    def account(self, handle: str, *, allowlisted: bool = True) -> XAccount:
        """Return a brand's account, made when it isn't there; ValueError if X would refuse the handle.

        Args:
            handle: one to fifteen letters, digits and underscores.
            allowlisted: whether X has approved custom profiles for it.
        """
        brand = self._world.ensure_brand(handle)
        self._world.accounts.allow(handle, allowlisted)
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        credentials = {name: str(getattr(brand, name)) for name in names}
        ledger = self._folder / f"sandbox-{brand.user_id}.db"
        environ = {"PROFILECTL_API_URL": self.url, "PROFILECTL_LEDGER": str(ledger)}
        environ |= {f"PROFILECTL_{name.upper()}": value for name, value in credentials.items()}
        return XAccount(brand.handle, brand.user_id, credentials, environ)

    def customer(self, handle: str) -> str:
        """Return the user id of a customer, made when there is none with this handle; ValueError as above."""
        return self._world.ensure_customer(handle).user_id

    def write(self, customer: str, account: XAccount, text: str) -> None:
        """Let a customer write to a brand, which may then answer five times outside its quota.

        Args:
            customer: a handle, whose customer is made when there is none, or the id that `customer` returned.
            account: what `account` or the fixture `x_account` returned.
            text: what the customer writes.

        Raises TypeError for other things or another order, ValueError for what is neither an id nor a handle.
        """
        arguments: tuple[object, ...] = (customer, account, text)  # tests are rarely type-checked
        if not all(map(isinstance, arguments, (str, XAccount, str))):
            given = ", ".join(type(argument).__name__ for argument in arguments)
            raise TypeError(f"write takes a customer's handle or id, an XAccount and a text, not ({given})")
        accounts = self._world.accounts
        writer = accounts.by_handle(customer) or accounts.by_id(customer) or self._world.ensure_customer(customer)
        self._world.messages.receive(writer.handle, account.handle, text)

    def fault(self, kind: str, **rule: Any) -> None:
        """Let a coming call go wrong; `profilectl sandbox faults --help` lists kinds, calls and the other keys.

        Args:
            kind: such as ``drop-after``: X does it, and the answer is lost.
            rule: ``call`` (every call), ``times`` (1; None for ever), ``after`` (0), ``seconds`` and so on.

        Raises ValueError for a kind, call or key that isn't known.
        """
        from profilectl.sandbox.model.faults import Fault

        self._world.faults.add(Fault.from_plain({"kind": kind, **rule}))

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._world.faults.clear()

    def advance(self, seconds: float) -> None:
        """Move X's clock forward, so that limits reset and profiles are listed."""
        self._world.advance(seconds)

    def profiles(self, account: XAccount) -> list[dict[str, Any]]:
        """Return what the account really has, whatever X's lists say: ``id``, ``name``, ``created_ms``."""
        keys = ("id", "name", "created_ms")
        rows = (row for row in self._world.state()["profiles"] if row["user_id"] == account.user_id and row["is_live"])
        return [{key: row[key] for key in keys} for row in rows]

    def messages(self) -> list[dict[str, Any]]:
        """Return all messages, oldest first, each with ids, ``created_ms``, ``text`` and ``profile_id``."""
        return list(self._world.state()["messages"])


@pytest.fixture
def x_sandbox() -> Iterator[XSandbox]:
    """A local X that knows nobody yet, for this test alone."""
    from profilectl.sandbox.http.app import SandboxApp
    from profilectl.sandbox.http.server import SandboxServer
    from profilectl.sandbox.model.world import World

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="x-sandbox-"))
        world = stack.enter_context(World())
        yield XSandbox(stack.enter_context(SandboxServer(SandboxApp(world))), world, Path(folder))


@pytest.fixture
def x_account(x_sandbox: XSandbox) -> XAccount:
    """A brand, @acmecare, that X has approved for custom profiles."""
    return x_sandbox.account("acmecare")
