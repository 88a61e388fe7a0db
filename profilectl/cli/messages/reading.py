"""An account's messages as X lists them, and who they are with: for those who may send as one of its agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.audit.queries import faces_of
from profilectl.errors import InputRefused
from profilectl.messaging.correspondence import handles
from profilectl.messaging.identity import verify_account
from profilectl.messaging.reading import KEPT_BACK, Reading, gather
from profilectl.render.conversations import Faces

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Account, Brand

USUAL_PAGES = 3
"""Pages of 50 messages that are read unless more are asked for: X allows 15 in a quarter of an hour."""


class Mailbox(Struct, frozen=True):
    """One brand's account, ready to be read."""

    brand: Brand
    account: Account
    client: XClient
    faces: Faces

    def read(self, pages: int | None, enough: int = 0, partner: str = "") -> Reading:
        """Read at most so many pages, or `USUAL_PAGES`, of which some are left for sends; see `reading.gather`."""
        pair = (self.account.user_id, partner) if partner else None
        keep = KEPT_BACK if pages is None else 0
        return gather(self.client.event_pages(pages or USUAL_PAGES), enough, pair, keep=keep)


def open_mailbox(context: Context, brand: Brand) -> Mailbox:
    """Return a brand's account to read from.

    Raises:
        InputRefused: who runs this may not send as any of the brand's agents, so the messages aren't theirs to read.
        ProfilectlError: credentials, ledger or X can't be used.
    """
    context.deeds.append("read messages")  # as for a send: a roster of somebody's own making opens nothing
    known = context.ledger_for_reading()
    require_reader(context, brand, known)
    credentials = context.credentials(brand)
    client = context.client(credentials)
    account = verify_account(client, credentials, brand, known.account_of(brand.key), known)
    return Mailbox(brand, account, client, _faces(known, account.user_id, brand))


def require_reader(context: Context, brand: Brand, known: LedgerReader) -> None:
    """Raise InputRefused unless who runs this may send as at least one of the brand's agents."""
    from profilectl.access.policy_file import current_operator

    operator, authority = current_operator(), context.authority
    account = known.account_of(brand.key)
    state = known.state_of("" if account is None else account.user_id)
    for agent in context.roster.agents_of(brand.key):
        try:
            authority.require_operator(agent, operator)
            authority.require_face(operator, account, state.binding(agent.key), brand.handle)
        except InputRefused:
            continue
        return
    raise InputRefused(
        f"{operator.name} may not read @{brand.handle}'s messages",
        hint="those may who may send as one of its agents: the roster's operators and the policy file say who",
    )


def _faces(known: LedgerReader, user_id: str, brand: Brand) -> Faces:
    names = {face.profile_id: (face.agent, face.name) for face in faces_of(known, user_id)}
    for binding in known.state_of(user_id).bindings:
        names[binding.profile_id] = (binding.agent, binding.name)
    return Faces(brand.handle, user_id, names, handles(known, user_id))
