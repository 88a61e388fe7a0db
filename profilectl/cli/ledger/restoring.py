"""``ledger accept-restore``: going on with a ledger that went backwards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from profilectl.cli.audit.anchor import forget_tree
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    exists,
    open_at,
    open_writable,
    place_of,
)
from profilectl.cli.options import option
from profilectl.cli.prompts import require_consent
from profilectl.errors import LedgerRefused, ProfilectlError, TryLater
from profilectl.ledger.accounts import check_account
from profilectl.profiles.ownership import namesakes
from profilectl.render import ledger as render
from profilectl.render.console import info
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.ledger.files import Place
    from profilectl.ledger.heads import Setback
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.profiles.ownership import Namesake

_CANDIDATES = ("brand", "agent", "profile", "name", "created", "command")


def accept_restore(
    context: Context,
    yes: Annotated[bool, option("--yes", "Go on with it without asking.")] = False,
) -> None:
    """Go on with a ledger that went backwards.

    For a backup that was put in the place of a lost ledger: it lacks what happened since. Shows how far it went
    back, and which profiles at X bear an agent's name and aren't in it, with the commands that adopt them; run
    those before the next sync. The decision is recorded, and commands work again. Without credentials X isn't
    asked, and the output says so.
    """
    context.require_admin("accept a restored ledger")
    place = place_of(context)
    shown = visible(str(place))
    with closing(open_at(context, place)) as ledger:
        setbacks, summary = context.kept_heads.setbacks(ledger), ledger.summary()
        if not setbacks:
            document = render.restored(str(place), summary, (), (), None, context.again())
            has_it = f"{shown} has all that was seen of it on this host"
            line = has_it if exists(place, ledger) else f"there is no ledger at {shown} yet, so nothing to accept"
            context.output.show(document, lines=[line])
            return
        for line in render.setbacks(summary, setbacks):
            info(line)
        candidates, failure = _candidates(context, ledger)
    rows = [render.candidate_row(candidate, context.again()) for candidate in candidates]
    context.output.show_rows(_CANDIDATES, rows)
    if failure is not None:
        info(f"warning: X wasn't asked which profiles the ledger doesn't know: {failure.message}")
    require_consent(context, f"Go on with {shown} as it is?", "accepted", yes=yes)
    _accept(context, place, setbacks)
    document = render.restored(str(place), summary, setbacks, candidates, failure, context.again())
    first = "adopt these profiles, then " if candidates else ""
    line = f"{shown} is used from now on: {first}look at `profilectl diff` before a sync"
    context.output.show(document, lines=[line])


def _accept(context: Context, place: Place, setbacks: Sequence[Setback]) -> None:
    # without the ledger's lock: an agent's role, which only sends, has no right to a lease, and needn't have one here
    with open_writable(context, place) as ledger:
        if context.kept_heads.setbacks(ledger) != tuple(setbacks):
            raise TryLater("the ledger has changed meanwhile, so nothing was accepted", hint="run it once more")
        try:
            context.kept_heads.accept(ledger, place, setbacks, now_ms())
            forget_tree(context, ledger)
        except OSError as error:
            raise LedgerRefused(f"can't write down how far the ledger is: {error.strerror}") from None


def _candidates(context: Context, ledger: LedgerReader) -> tuple[list[Namesake], ProfilectlError | None]:
    """Return the profiles at X that a ledger doesn't know and that bear an agent's name, and why X wasn't asked."""
    candidates: list[Namesake] = []
    try:
        for brand in context.brands():
            client = context.connect(brand)
            account = client.verify_credentials()
            check_account(brand, account, ledger)
            agents = context.roster.agents_of(brand.key)
            candidates += namesakes(agents, client.list_profiles(), ledger.state_of(account.user_id))
    except ProfilectlError as error:
        return candidates, error
    return candidates, None
