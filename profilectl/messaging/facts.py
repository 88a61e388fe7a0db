"""What the record holds of a message: who was shown to the customer, who really wrote, and on whose behalf.

The fields follow the EU AI Act, article 50(1) and (5), and points 30 to 45 of the Commission's guidelines of July 2026:
whoever answers for a brand has to be able to show what a customer was told about whom they talk to.
"""

from __future__ import annotations

import enum
import os
from typing import TYPE_CHECKING

from profilectl import __version__
from profilectl.digests import digest_of_bytes
from profilectl.model import Binding, Detail, Kind, Policy
from profilectl.roster.disclosure import Disclosure, markers_for
from profilectl.system import host

if TYPE_CHECKING:
    from profilectl.messaging.identity import Sender
    from profilectl.messaging.send_rules import SendContext


class Origin(enum.StrEnum):
    """Who decided that a message leaves."""

    PERSON = "person at a terminal"
    VOUCHED = "person vouched"  # a script sent it, and somebody vouched that a person wrote it
    SCRIPT = "script"
    REHEARSAL = "rehearsal"  # to one of the policy's test recipients


def facts(
    sender: Sender,
    binding: Binding | None,
    context: SendContext,
    policy: Policy,
    *,
    is_test: bool,
    plan: str | None = None,
) -> Detail:
    """Return what is noted of a message.

    `binding` is that of the profile that it carries, None without one; `plan` the digest of the plan that made it.
    """
    agent, brand = sender.agent, sender.brand
    marker = None
    if agent.kind is Kind.BOT:
        rule = Disclosure(brand.language, markers_for(brand.language, policy.bot_markers))
        marker = rule.marker(agent.name if binding is None else binding.name)
    return {
        "name": None if binding is None else binding.name,
        "picture": None if binding is None else binding.avatar,
        "kind": agent.kind.value,
        "marker": marker,
        "language": brand.language,
        "brand": brand.key,
        "on_behalf_of": f"@{brand.handle}",
        "origin": _origin(context, is_test=is_test).value,
        "asked": context.is_asked,
        "parent": context.parent,
        "user": host.user_at_host(),  # the record's own actor is who found out, which may be a later run's
        "effective_uid": os.geteuid(),
        "login_uid": host.login_uid(),
        "uid_map": host.uid_map(),
        "roster": digest_of_bytes(context.roster.encode("utf-8", "surrogatepass")),
        "plan": plan,
        "version": __version__,
    }


def _origin(context: SendContext, *, is_test: bool) -> Origin:
    if is_test:
        return Origin.REHEARSAL
    if context.attended:
        return Origin.PERSON
    return Origin.VOUCHED if context.human_wrote_this else Origin.SCRIPT
