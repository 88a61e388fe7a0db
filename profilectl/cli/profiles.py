"""``profiles list``, ``adopt``, ``forget`` and ``destroy``: the remote side, and whose it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.cli.prompts import require_consent, require_name
from profilectl.errors import InputRefused, NotFound, PersonNeeded, ProfilectlError, UsageError
from profilectl.model import Event
from profilectl.profiles.ownership import classify
from profilectl.render import documents
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.model import Account, Agent, Binding, Brand, LedgerState, Profile, Retired

_HEADERS = ("brand", "id", "status", "agent", "name", "created")


def register(app: typer.Typer) -> None:
    """Add the ``profiles`` group."""
    group = typer.Typer(help="The profiles at X: ours, retired, strangers.", no_args_is_help=True)
    group.command("list")(command(listing))
    group.command("adopt")(command(adopt))
    group.command("forget")(command(forget))
    group.command("destroy")(command(destroy))
    app.add_typer(group, name="profiles")


def listing(context: Context) -> None:
    """List the profiles at X, and whose they are.

    bound: an agent's. retired: replaced, about to go. unmanaged: not ours. namesake: not ours, with an agent's
    name. lost: an agent's, but gone from X.
    """
    from profilectl.ledger.accounts import check_account

    ledger = context.ledger_for_reading()
    rows: list[documents.Document] = []
    for brand in context.brands():
        client = context.connect(brand)
        account = client.verify_credentials()
        check_account(brand, account, ledger)
        names = {agent.name for agent in context.roster.agents_of(brand.key)}
        rows += classify(brand.key, client.list_profiles(), ledger.state_of(account.user_id), names)
    lines = [[row[key] or "" for key in ("brand", "id", "status", "agent", "name", "created")] for row in rows]
    if not lines and not (context.is_quiet or context.wants_json):
        where = ", ".join(brand.key for brand in context.brands())
        info(f"X has no profiles of {where} yet: `profilectl sync` makes those of the roster")
    context.output.show(documents.profiles(rows), _HEADERS, lines)


def adopt(
    context: Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose profile it is.")],
    profile_id: Annotated[str, typer.Argument(metavar="ID", help="The profile at X.")],
    yes: Annotated[bool, typer.Option("--yes", help="Adopt without asking.")] = False,
) -> None:
    """Bind a profile that exists at X to an agent.

    From then on it is as if sync had made it. The picture can't be compared (X serves a re-encoded copy), so it is
    taken to be the one that the roster names.
    """
    from profilectl.ledger.accounts import check_account

    require_admin(context, "adopt profiles")
    _require_digits(profile_id)
    brand = context.the_brand()
    one = _agent_of(context, brand, agent)
    picture = context.inspect_pictures([one])[one.avatar]
    context.prepare_pictures([picture])  # one that a later sync would refuse is refused here
    client = context.connect(brand)
    account = client.verify_credentials()
    profile = _show(client, profile_id)
    former = context.ledger_for_reading().state_of(account.user_id).binding(one.key)
    retired = (
        "" if former is None else f'{agent}\'s profile {former.profile_id} "{visible(former.name)}" is retired then'
    )
    question = f'Bind {agent} to profile {profile.id} "{visible(profile.name)}"?' + (f" {retired}." if retired else "")
    require_consent(context, question, "adopted", yes=yes)
    ledger = context.ledger_for_writing()
    with ledger.lock(60, "profilectl profiles adopt", context.announce_wait):
        check_account(brand, account, ledger)
        ledger.register_account(brand.key, account, client.now_ms())
        ledger.adopt(
            account.user_id,
            one.key,
            profile,
            avatar=picture.digest,
            protected=one.protected,
            now_ms=client.now_ms(),
        )
    context.output.show(
        documents.adopt(brand=brand.key, agent=agent, profile_id=profile.id, name=profile.name),
        lines=[f'{agent} is bound to profile {profile.id} "{visible(profile.name)}"'],
    )
    if retired and not (context.is_quiet or context.wants_json):
        info(f"{retired}, and a later sync destroys it; `profilectl profiles adopt` takes it back until then")


def adopt_command(context: Context, brand: str, agent: str, profile_id: str) -> str:
    """Return the exact command that binds a profile to an agent."""
    return f"profilectl profiles adopt {agent} {profile_id} --brand {brand}{context.again()}"


def _require_digits(profile_id: str) -> None:
    if not (profile_id.isascii() and profile_id.isdigit()):
        raise UsageError(f"a profile id is digits only, not {visible(profile_id)}")


def _agent_of(context: Context, brand: Brand, key: str) -> Agent:
    from profilectl.roster.lookup import unknown_agent

    agents = context.roster.agents_of(brand.key)
    for agent in agents:
        if agent.key == key:
            return agent
    if any(agent.key == key for agent in context.roster.agents):
        raise InputRefused(f"{key} doesn't speak for brand {brand.key}")
    raise unknown_agent(key, {agent.key for agent in agents})


def forget(
    context: Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose profile it is; in the roster or not.")],
    yes: Annotated[bool, typer.Option("--yes", help="Forget without asking.")] = False,
) -> None:
    """Drop an agent's binding, and leave the profile at X.

    Nothing is asked of X. The profile is a stranger from then on: nobody can send with it, sync never touches it, and
    it stops the agent as a namesake until it is adopted again or destroyed.
    """
    require_admin(context, "forget profiles")
    brand = context.the_brand()
    user_id, binding = _binding_of(context, context.ledger_for_reading(), brand, agent)
    told = f'profile {binding.profile_id} "{visible(binding.name)}"'
    require_consent(context, f"Forget that {told} is {agent}'s? It stays at X.", "forgotten", yes=yes)
    ledger = context.ledger_for_writing()
    with ledger.lock(60, "profilectl profiles forget", context.announce_wait):
        if _binding_of(context, ledger, brand, agent)[1].profile_id != binding.profile_id:
            raise InputRefused(f"{agent} has another profile by now", hint="run the same command again")
        ledger.forget(user_id, agent, int(time.time() * 1000))
    undo = adopt_command(context, brand.key, agent, binding.profile_id)
    identity = {"brand": brand.key, "agent": agent, "profile_id": binding.profile_id, "name": binding.name}
    in_roster = any(member.key == agent for member in context.roster.agents_of(brand.key))
    context.output.show(
        documents.forget(**identity, undo=undo),
        lines=[
            f"{told} isn't {agent}'s any more: it is still at X, as a stranger",
            f"undo{'' if in_roster else f', once {agent} is in the roster'}: {visible(undo)}",
        ],
    )


def _binding_of(context: Context, ledger: LedgerReader, brand: Brand, agent: str) -> tuple[str, Binding]:
    """Return the account that the ledger means by a brand, and the agent's binding there."""
    from profilectl.roster.lookup import unknown_agent

    account = ledger.account_of(brand.key)
    bindings = ledger.state_of(account.user_id).bindings if account is not None else ()
    for one in bindings:
        if account is not None and one.agent == agent:
            return account.user_id, one
    rostered = {one.key for one in context.roster.agents_of(brand.key)}
    if agent in rostered:
        raise InputRefused(f"{agent} has no profile at brand {brand.key} in this ledger")
    raise unknown_agent(agent, rostered | {one.agent for one in bindings})


def destroy(
    context: Context,
    profile_id: Annotated[str, typer.Argument(metavar="ID", help="The profile at X.")],
    yes: Annotated[bool, typer.Option("--yes", help="Destroy without asking for the name.")] = False,
) -> None:
    """Destroy one profile at X that no agent uses.

    For retired profiles and strangers only; its name has to be typed, because it can't be undone. A profile that an
    agent uses goes with the agent: by offboard, or by leaving the roster.
    """
    from profilectl.ledger.accounts import check_account

    require_admin(context, "destroy profiles")
    _require_digits(profile_id)
    brand = context.the_brand()
    client = context.connect(brand)
    account = client.verify_credentials()
    knowledge = context.ledger_for_reading()
    check_account(brand, account, knowledge)
    retired = _retired(knowledge.state_of(account.user_id), profile_id)
    name, is_live = _name_of(client, profile_id, retired)
    question = f'Destroy profile {profile_id} "{visible(name)}" for good? Type its name'
    require_name(context, question, name, "destroyed", yes=yes)
    ledger = context.ledger_for_writing()
    with ledger.lock(60, "profilectl profiles destroy", context.announce_wait):
        ledger.register_account(brand.key, account, client.now_ms())
        retired = _retired(ledger.state_of(account.user_id), profile_id)
        if is_live:
            client.destroy_profile(profile_id)
        _record_end(ledger, account, profile_id, name, retired, client.now_ms())
    _tell_end(context, brand, profile_id, name, retired)


def _retired(ledger_state: LedgerState, profile_id: str) -> Retired | None:
    """Return what the ledger knows of a profile that nobody uses; InputRefused when somebody does."""
    for binding in ledger_state.bindings:
        if binding.profile_id == profile_id:
            raise InputRefused(
                f"profile {profile_id} is {binding.agent}'s, and isn't destroyed on its own",
                hint=f"`profilectl offboard {binding.agent}` does it; so does sync, when the agent has left the roster",
            )
    return next((one for one in ledger_state.retired if one.profile_id == profile_id), None)


def _show(client: XClient, profile_id: str) -> Profile:
    """Return a profile as X has it; NotFound says where to look for the right id."""
    try:
        return client.show_profile(profile_id)
    except NotFound as error:
        error.hint = "`profilectl profiles list` shows the ids that there are"
        raise


def _name_of(client: XClient, profile_id: str, retired: Retired | None) -> tuple[str, bool]:
    """Return a profile's name, and whether X still has it; the ledger remembers retired ones that are gone."""
    try:
        return _show(client, profile_id).name, True
    except NotFound:
        if retired is None:
            raise
        return retired.name, False


def _record_end(
    ledger: Ledger, account: Account, profile_id: str, name: str, retired: Retired | None, now_ms: int
) -> None:
    """Record what can't be undone; when that fails, say that it was done."""
    stranger = Event("destroyed-stranger", account.user_id, now_ms, profile_id=profile_id, detail={"name": name})
    try:
        if retired is None:
            ledger.record(stranger)
        else:
            ledger.drop(account.user_id, profile_id, now_ms)
    except ProfilectlError as error:
        raise PersonNeeded(
            f"profile {profile_id} is destroyed, but that couldn't be recorded: {error.message}", hint=error.hint
        ) from error


def _tell_end(context: Context, brand: Brand, profile_id: str, name: str, retired: Retired | None) -> None:
    agent, was = (retired.agent, "retired") if retired is not None else (None, "unmanaged")
    document = documents.destroy(brand=brand.key, agent=agent, profile_id=profile_id, name=name, was=was)
    context.output.show(document, lines=[f'profile {profile_id} "{visible(name)}" is destroyed'])
