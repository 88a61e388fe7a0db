"""``profiles list``, ``adopt``, ``forget`` and ``destroy``: the remote side, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import add_group, argument, option
from profilectl.cli.prompts import require_consent, require_name
from profilectl.errors import UsageError
from profilectl.ledger.accounts import check_account
from profilectl.profiles import manual_changes
from profilectl.profiles.ownership import ClassifiedProfile, classify
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.roster.lookup import agent_of
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    import typer

_HEADERS = ("brand", "id", "status", "agent", "name", "created")


def register(app: typer.Typer) -> None:
    """Add the ``profiles`` group."""
    add_group(
        app,
        "profiles",
        "The profiles at X: ours, retired, strangers.",
        {"list": listing, "adopt": adopt, "forget": forget, "destroy": destroy},
    )


def listing(context: Context) -> None:
    """List the profiles at X, and whose they are.

    bound: an agent's. retired: replaced, about to go. unmanaged: not ours. namesake: not ours, with an agent's
    name. lost: an agent's, but gone from X.
    """
    ledger = context.ledger_for_reading()
    profiles: list[ClassifiedProfile] = []
    for brand in context.brands():
        client = context.connect(brand)
        account = client.verify_credentials()
        check_account(brand, account, ledger)  # or every profile of a wrong account would be listed as a stranger's
        names = {agent.name for agent in context.roster.agents_of(brand.key)}
        profiles += classify(brand.key, client.list_profiles(), ledger.state_of(account.user_id), names)
    if not profiles and not (context.is_quiet or context.wants_json):
        where = ", ".join(brand.key for brand in context.brands())
        info(f"X has no profiles of {where} yet: `profilectl sync` makes those of the roster")
    document = json_documents.profiles(profiles)
    context.output.show(document, _HEADERS, [[row[key] or "" for key in _HEADERS] for row in document["profiles"]])


def adopt(
    context: Context,
    agent: Annotated[str, argument("AGENT", "Whose profile it is.")],
    profile_id: Annotated[str, argument("ID", "The profile at X.")],
    yes: Annotated[bool, option("--yes", "Adopt without asking.")] = False,
) -> None:
    """Bind a profile that exists at X to an agent.

    From then on it is as if sync had made it. The picture can't be compared (X serves a re-encoded copy), so it is
    taken to be the one that the roster names.
    """
    context.require_admin("adopt profiles")
    _require_digits(profile_id)
    brand = context.the_brand()
    owner = agent_of(context.roster, brand, agent)
    picture = context.inspect_pictures([owner])[owner.avatar]
    context.prepare_pictures([picture])  # one that a later sync would refuse is refused here
    client = context.connect(brand)
    adoption = manual_changes.find_adoption(client, context.ledger_for_reading(), brand, owner, profile_id)
    profile, former = adoption.profile, adoption.former
    shown = _shown(profile.id, profile.name)
    retired = "" if former is None else f"{agent}'s {_shown(former.profile_id, former.name)} is retired then"
    question = f"Bind {agent} to {shown}?" + (f" {retired}." if retired else "")
    require_consent(context, question, "adopted", yes=yes)
    manual_changes.adopt(client, context.ledger_for_writing(), adoption, picture.digest, context.announce_wait)
    context.output.show(
        json_documents.adopt(brand=brand.key, agent=agent, profile_id=profile.id, name=profile.name),
        lines=[f"{agent} is bound to {shown}"],
    )
    if retired and not (context.is_quiet or context.wants_json):
        info(f"{retired}, and a later sync destroys it; `profilectl profiles adopt` takes it back until then")


def _shown(profile_id: str, name: str) -> str:
    return f'profile {profile_id} "{visible(name)}"'


def _require_digits(profile_id: str) -> None:
    # isascii() as well, because isdigit() takes the digits of every script.
    if not (profile_id.isascii() and profile_id.isdigit()):
        raise UsageError(f"a profile id is digits only, not {visible(profile_id)}")


def forget(
    context: Context,
    agent: Annotated[str, argument("AGENT", "Whose profile it is; in the roster or not.")],
    yes: Annotated[bool, option("--yes", "Forget without asking.")] = False,
) -> None:
    """Drop an agent's binding, and leave the profile at X.

    Nothing is asked of X. The profile is a stranger from then on: nobody can send with it, sync never touches it, and
    it stops the agent as a namesake until it is adopted again or destroyed.
    """
    context.require_admin("forget profiles")
    brand = context.the_brand()
    _, binding = manual_changes.find_binding(context.ledger_for_reading(), context.roster, brand, agent)
    shown = _shown(binding.profile_id, binding.name)
    require_consent(context, f"Forget that {shown} is {agent}'s? It stays at X.", "forgotten", yes=yes)
    manual_changes.forget(context.ledger_for_writing(), context.roster, brand, binding, now_ms, context.announce_wait)
    undo = json_documents.adopt_command(brand.key, agent, binding.profile_id, context.again())
    identity = {"brand": brand.key, "agent": agent, "profile_id": binding.profile_id, "name": binding.name}
    # `profiles adopt` takes only agents whom the roster names.
    in_roster = any(member.key == agent for member in context.roster.agents_of(brand.key))
    context.output.show(
        json_documents.forget(**identity, undo=undo),
        lines=[
            f"{shown} isn't {agent}'s any more: it is still at X, as a stranger",
            f"undo{'' if in_roster else f', once {agent} is in the roster'}: {visible(undo)}",
        ],
    )


def destroy(
    context: Context,
    profile_id: Annotated[str, argument("ID", "The profile at X.")],
    yes: Annotated[bool, option("--yes", "Destroy without asking for the name.")] = False,
) -> None:
    """Destroy one profile at X that no agent uses.

    For retired profiles and strangers only; its name has to be typed, because it can't be undone. A profile that an
    agent uses goes with the agent: by offboard, or by leaving the roster.
    """
    context.require_admin("destroy profiles")
    _require_digits(profile_id)
    brand = context.the_brand()
    client = context.connect(brand)
    unused = manual_changes.find_unused(client, context.ledger_for_reading(), brand, profile_id)
    question = f"Destroy {_shown(profile_id, unused.name)} for good? Type its name"
    require_name(context, question, unused.name, "destroyed", yes=yes)
    destroyed = manual_changes.destroy(
        client, context.ledger_for_writing(), unused, context.announce_wait, context.wait
    )
    lines = [f"{_shown(profile_id, destroyed.name)} is destroyed"]
    context.output.show(json_documents.destroy(destroyed), lines=lines)
