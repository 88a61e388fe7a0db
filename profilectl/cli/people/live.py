"""``init --from-live``: the profiles that X has become a roster, and are bound to its agents at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode, InputRefused, UsageError
from profilectl.people.starter import brand_of, head
from profilectl.render import roster_documents
from profilectl.render.console import info
from profilectl.roster import schema
from profilectl.system.files import created
from profilectl.text.escape import visible
from profilectl.toml.rules import FieldError, Rule

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand
    from profilectl.profiles.from_live import LiveBrand

_MAX_WAIT = 60.0  # seconds that binding waits for another run to end


def check_option(name: str, rule: Rule, value: str) -> str:
    """Return an option's value as a roster's rule takes it; UsageError, which names the option, when it doesn't."""
    try:
        return str(rule(value))
    except FieldError as error:
        raise UsageError(f"{name}: {error}") from None


def start_from_live(context: Context, handle: str | None, language: str, timezone: str, *, yes: bool) -> None:
    """Write a roster of the profiles at X, with their pictures, and bind them; X is only read.

    Exits with 7 when profiles were left out, of which no agent could be made.
    """
    from profilectl.profiles.from_live import JOBS, roster_text

    context.require_admin("adopt profiles")
    check_option("--language", schema.language, language)
    check_option("--timezone", schema.timezone, timezone)
    path = context.roster_path
    _require_no_roster(path)
    if not yes and not context.may_ask:  # before X is asked for lists and pictures that nobody would use
        raise UsageError(f"nothing was bound: {context.cannot_ask}", hint="--yes binds what X lists")
    brands = [brand_of(name, language) for name in _handles(context, handle)]
    context = context.with_brands(brands)
    clients = {brand.handle: context.connect(brand, jobs=JOBS) for brand in brands}
    live = _look(context, brands, clients, context.ledger_for_reading())
    _require_agents(live)
    _tell(live)
    number = sum(len(each.agents) for each in live)
    profiles = "1 profile" if number == 1 else f"{number} profiles"
    require_consent(context, f"Bind {profiles} to agents of these names? Nothing changes at X.", "bound", yes=yes)
    text = roster_text(head([each.brand for each in live], timezone=timezone), live)
    _write_and_bind(context, path, text, live, clients)
    pictures = [path.parent / agent.path for each in live for agent in each.agents]
    context.output.show(
        roster_documents.init(path, pictures),
        lines=[f"wrote {visible(str(path))}: {number} agents, each bound to the profile that it was made of"],
    )
    left_out = sum(len(each.left_out) for each in live)
    if left_out:
        what = "1 profile was left out: it is" if left_out == 1 else f"{left_out} profiles were left out: they are"
        info(f"{what} a comment in {visible(str(path))}, and `profilectl profiles adopt` binds what you write yourself")
        raise typer.Exit(ExitCode.PERSON)


def _require_no_roster(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputRefused(
            f"{visible(str(path))} exists already; nothing was written",
            hint="`profilectl recover` binds its agents to what X has; --roster PATH starts one in another folder",
        )


def _handles(context: Context, handle: str | None) -> Sequence[str]:
    """Return the accounts that are meant: those named, else those that are logged in."""
    if handle is not None:
        return [check_option("--handle", schema.handle, handle.removeprefix("@"))]
    if context.chosen_brands():
        return [check_option("--brand", schema.handle, name) for name in context.chosen_brands()]
    host = context.api_host
    accounts = [] if context.uses_sandbox else [each.handle for each in context.config.accounts if each.host == host]
    if not accounts:
        raise UsageError("which account has the profiles?", hint="--handle HANDLE names the X account")
    return accounts


def _look(
    context: Context, brands: Sequence[Brand], clients: dict[str, XClient], ledger: LedgerReader
) -> list[LiveBrand]:
    from profilectl.ledger.accounts import unknown_account
    from profilectl.profiles.from_live import look

    live: list[LiveBrand] = []
    for brand in brands:
        each = look(brand, clients[brand.handle], ledger, live)
        former = context.kept_heads.ledger_of(each.account.user_id)
        is_known = ledger.knows(each.account.user_id)
        unknown = unknown_account(each.account, len(each.profiles), former, is_known=is_known)
        if unknown is not None and former is not None:  # the profiles are that ledger's, and it may know more of them
            context.require_known([unknown])
        live.append(each)
    return live


def _require_agents(live: Sequence[LiveBrand]) -> None:
    for each in live:
        if not each.agents:
            reasons = f", and {len(each.left_out)} that no agent can be made of" if each.left_out else ""
            raise InputRefused(
                f"X lists no profiles of @{visible(each.account.handle)}{reasons}; nothing was written",
                hint="`profilectl init` writes a roster to start from",
            )


def _tell(live: Sequence[LiveBrand]) -> None:
    from profilectl.profiles.from_live import describe

    for each in live:
        for agent in each.agents:
            kind = "" if agent.kind == "human" else f", a {agent.kind} by its name"
            info(f'{agent.key} ({each.brand.key}) is profile {agent.profile.id} "{agent.name}"{kind}')
        for other in each.left_out:
            info(f"left out ({each.brand.key}): {describe(other)}")


def _write_and_bind(
    context: Context, path: Path, text: str, live: Sequence[LiveBrand], clients: dict[str, XClient]
) -> None:
    """Write the pictures, then the roster, then the bindings, under the lock; after an error nothing of it is left.

    Whoever is killed between the roster and its bindings has both to go on with: `recover` binds by name and picture.
    """
    from profilectl.people.photos import holds
    from profilectl.profiles.from_live import bind

    ledger = context.ledger_for_writing()
    with ledger.lock(_MAX_WAIT, "profilectl init --from-live", context.announce_wait), ExitStack() as stack:
        for each in live:
            client = clients[each.brand.handle]
            if not each.agrees_with(client.list_profiles(), ledger.state_of(each.account.user_id)):
                raise InputRefused(
                    f"the profiles of @{visible(each.account.handle)} have changed meanwhile; nothing was written",
                    hint="run the same command again",
                )
        try:
            for agent in (agent for each in live for agent in each.agents):
                if holds(path.parent / agent.path, agent.picture):  # of a run that was killed
                    continue
                stack.enter_context(created(path.parent / agent.path, agent.picture))
            stack.enter_context(created(path, text.encode()))
        except OSError as error:
            where = visible(str(error.filename or path))
            raise InputRefused(f"can't write {where}: {error.strerror}; nothing was written") from None
        bind(ledger, live, {each.brand.key: clients[each.brand.handle].now_ms for each in live})
