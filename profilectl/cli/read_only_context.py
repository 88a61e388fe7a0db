"""A context for looking only: it asks nobody, leaves nothing behind, and gives up soon."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Self

from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.local_sandbox import CUSTOMER, LocalX
from profilectl.cli.options import Options

DEFAULT_TIMEOUT = 20.0  # seconds for everything together: who asks what is wrong waits for the answer
_ONE_ANSWER = 1.0  # seconds


class TemporaryLocalX(LocalX):
    """A sandbox that lives as long as the command, where no other command has made one that lasts."""

    # `LocalX.__init__` prepares a folder, which a command that leaves nothing behind mustn't.
    def __init__(self) -> None:
        from profilectl.sandbox.http.app import SandboxApp
        from profilectl.sandbox.model.rate_limits import Limits
        from profilectl.sandbox.model.world import World

        self.world = World(limits=Limits.generous())
        self.world.ensure_customer(CUSTOMER)
        self.app = SandboxApp(self.world)


class ReadOnlyContext(Context, frozen=True):
    """A context in which no dialog opens and no file is made, but by a sandbox that exists already."""

    @classmethod
    def of(cls, context: Context) -> Self:
        """Return the read-only context for a command's context."""
        bounds = Options(timeout=context.options.timeout or DEFAULT_TIMEOUT, no_input=True)
        return cls(context.options.overridden_by(bounds), context.environ, context.stack, context.secrets)

    def once_more(self, stack: ExitStack, seconds: float | None = None) -> Self:
        """Return the same context with a deadline of its own; what it opens belongs to `stack`.

        The deadline is in `seconds` where that is less than this context's; time enough for one answer is always left.
        """
        if seconds is None:
            return replace(self, stack=stack)
        timeout = max(_ONE_ANSWER, min(seconds, self.options.timeout or DEFAULT_TIMEOUT))
        return replace(self, stack=stack, options=self.options.overridden_by(Options(timeout=timeout)))

    @cached_property
    def local_x(self) -> LocalX:
        """The X in this process: the one beside the ledger, or a temporary one where there is none yet."""
        try:
            has_world = (self.sandbox_folder / "world.db").exists()
        except PermissionError:
            has_world = True  # and opening it says what is wrong
        return self.stack.enter_context(LocalX(self.sandbox_folder) if has_world else TemporaryLocalX())
