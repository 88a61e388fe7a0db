"""``inbox``: who wrote to the brands, and who waits for an answer; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.messages.reading import open_mailbox
from profilectl.cli.messages.thread import Pages
from profilectl.cli.options import option
from profilectl.errors import PartlyDone, RemoteError
from profilectl.messaging.reading import Reading, Thread, threads
from profilectl.render import conversations as render
from profilectl.render.console import show_error

if TYPE_CHECKING:
    from rich.console import RenderableType

    from profilectl.model import Brand

    Box = tuple[str, render.Faces, tuple[Thread, ...], Reading]

Waiting = Annotated[bool, option("--waiting", "Only those who wait for an answer.")]


def inbox(context: Context, waiting: Waiting = False, pages: Pages = None) -> None:
    """Show who wrote, when, and whether they were answered.

    A conversation waits when its newest message is the customer's; else the agent who answered is named. X lists 30
    days, and lets an account read 15 pages of messages in a quarter of an hour; when fewer than ten
    are left, the output says so. Who may send as one of a brand's agents may read. Nothing is written, here or at X.
    """
    brands = context.brands()
    boxes: list[Box] = []
    failed: dict[str, RemoteError] = {}
    for brand in brands:
        try:
            boxes.append(_box(context, brand, pages, waiting=waiting))
        except RemoteError as error:
            if len(brands) == 1:
                raise
            failed[brand.key] = error
            show_error(error.with_message(f"{brand.key}: {error.message}"))
    _show(context, boxes, several=len(brands) > 1)
    if failed:
        show_error(PartlyDone(f"not read: {', '.join(failed)}"))
        # where nothing was read, the code is that of the first brand alone
        raise typer.Exit(PartlyDone.exit_code if boxes else next(iter(failed.values())).exit_code)


def _box(context: Context, brand: Brand, pages: int | None, *, waiting: bool) -> Box:
    mailbox = open_mailbox(context, brand)
    reading = mailbox.read(pages)
    conversations = threads(reading.messages, mailbox.account.user_id)
    shown = tuple(thread for thread in conversations if not (waiting and thread.is_answered))
    return brand.key, mailbox.faces, shown, reading


def _show(context: Context, boxes: list[Box], *, several: bool) -> None:
    document = render.inbox_document(boxes)
    rows = [row for key, faces, own, _ in boxes for row in render.inbox_rows(key, faces, own)]
    cells = [row for key, faces, own, _ in boxes for row in render.inbox_cells(key, faces, own, several=several)]

    def table() -> RenderableType:
        from profilectl.render.tables import listing

        return listing(render.INBOX_HEADERS, cells)

    context.output.show(document, render.INBOX_HEADERS, rows, table=table)
    for key, faces, own, reading in boxes:
        count = sum(not thread.is_answered for thread in own)
        waits = f"{count} wait{'s' if count == 1 else ''} for an answer" if count else "nobody waits for an answer"
        context.remark(f"{key}: {waits}.")
        for line in (render.completeness(reading), render.allowance(faces.handle, reading)):
            if line is not None:
                context.remark(line)
