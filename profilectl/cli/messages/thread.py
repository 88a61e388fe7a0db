"""``thread``: the conversation with one customer, as X lists it; nothing is written."""

from __future__ import annotations

import sys
from typing import Annotated

from profilectl.cli.context import Context
from profilectl.cli.messages.reading import open_mailbox
from profilectl.cli.messages.recipients import LAST, check_recipient, unknown_explained
from profilectl.cli.messages.review import is_local
from profilectl.cli.options import argument, option
from profilectl.messaging.correspondence import last_recipient
from profilectl.messaging.reading import Thread, threads
from profilectl.render import conversations as render
from profilectl.render.console import console, draw, is_terminal, out, tab_separated

Limit = Annotated[int, option("--limit COUNT", "How many messages, the newest.", min=1, max=500)]
Pages = Annotated[
    int | None, option("--pages COUNT", "Read so many pages of 50 at most; else 3.", min=1, max=15, show_default=False)
]


def thread(
    context: Context,
    who: Annotated[str, argument("@HANDLE", "With whom: a handle, an id, or - for whom you wrote to last.")],
    limit: Limit = 20,
    pages: Pages = None,
) -> None:
    """Show the conversation with a customer.

    The newest message comes last, each under the name that the customer sees. X lists 30 days, and lets an account
    read 15 pages in a quarter of an hour; when fewer than ten are left, the output says so. Who may send as one of
    the brand's agents may read. Nothing is written, here or at X.
    """
    partner = check_recipient(who, "thread")
    brand = context.the_brand()
    mailbox = open_mailbox(context, brand)
    handle = partner[1:] if partner.startswith("@") else None
    if partner == LAST:
        partner, handle = last_recipient(context.ledger_for_reading(), brand)
    elif handle is not None:
        with unknown_explained(context, partner):
            partner = mailbox.client.find_user(handle)
    faces = mailbox.faces.knowing(partner, handle)
    reading = mailbox.read(pages, limit, partner)
    everyone = threads(reading.messages, mailbox.account.user_id)
    conversation = next((other.newest_only(limit) for other in everyone if other.user_id == partner), None)
    document = render.thread_document(faces, conversation, partner, reading)
    context.output.show(document)
    if conversation is not None and not context.wants_json:
        _show(context, faces, conversation)
    if conversation is None:
        context.remark(f"No messages with {faces.customer(partner)} were found.")
    for line in (render.completeness(reading), render.allowance(brand.handle, reading)):
        if line is not None:
            context.remark(line)


def _show(context: Context, faces: render.Faces, conversation: Thread) -> None:
    screen = console(sys.stdout)
    if not is_terminal(sys.stdout):
        for row in render.thread_rows(faces, conversation):
            out(tab_separated(row))
    elif screen.color_system is None:
        for line in render.plain_thread(faces, conversation):
            out(line)
    else:
        draw(render.drawn_thread(faces, conversation, screen.width))
    for line in render.pictures(faces, conversation, is_local=is_local(context)) if is_terminal(sys.stdout) else ():
        context.remark(line)
