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
        environ: what a program like profilectl reads them from: the address of the local X, and the four variables.
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

    def __init__(self, server: SandboxServer, world: World) -> None:
        self._world = world
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
        environ = {f"PROFILECTL_{name.upper()}": value for name, value in credentials.items()}
        return XAccount(brand.handle, brand.user_id, credentials, {"PROFILECTL_API_URL": self.url, **environ})

    def customer(self, handle: str) -> str:
        """Return the user id of a customer, made when there is none with this handle; ValueError as above."""
        return self._world.ensure_customer(handle).user_id

    def write(self, customer: str, account: XAccount, text: str) -> None:
        """Let a customer, named by handle, write to a brand, which may then answer five times outside its quota."""
        self._world.ensure_customer(customer)
        self._world.messages.receive(customer, account.handle, text)

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
        world = stack.enter_context(World())
        yield XSandbox(stack.enter_context(SandboxServer(SandboxApp(world))), world)


@pytest.fixture
def x_account(x_sandbox: XSandbox) -> XAccount:
    """A brand, @acmecare, that X has approved for custom profiles."""
    return x_sandbox.account("acmecare")
