"""``feedback report``: what customers answered on their cards, and whether faces and kinds make a difference."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import UsageError
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand
    from profilectl.render.feedback import Brandwise

_DAY_MS = 86_400_000
_USUAL_SPAN_MS = 30 * _DAY_MS
_MATURITY_MS = _DAY_MS  # X tells of nothing younger (X: GET feedback/events)


def register(app: typer.Typer) -> None:
    """Add the ``feedback`` group."""
    group = typer.Typer(help="What customers answer on feedback cards.", no_args_is_help=True)
    group.command("report")(command(report))
    app.add_typer(group, name="feedback")


def report(
    context: Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Cards from this day on; else of the last 30 days.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Cards up to the end of this day; else yesterday.")
    ] = None,
) -> None:
    """Compare the scores by agent, by kind and by face.

    People and bots, with and without a custom profile. Days are UTC, and X tells of answers a day later. Groups with
    fewer than 5 answers are only counted; no customer is ever named. A difference that may be chance is called none;
    one that isn't may still have another reason, because nobody drew lots for who speaks to whom.
    """
    from profilectl.render import feedback as findings

    first, last = _day("--since", since), _day("--until", until)
    ledger = context.ledger_for_reading()
    told, span = [], (0, 0)
    for brand in context.brands():
        one, span = _read(context, brand, ledger, first, last)
        told.append(one)
    if context.wants_json:
        out(documents.dump(findings.document(told, *span)))
        return
    if not any(one.findings for one in told) and not context.is_quiet:
        days = " to ".join(documents.timestamp(moment)[:10] for moment in span)
        info(f"no feedback cards from {days}: `profilectl send --ask csat` issues one")
    _show(told)
    if not context.is_quiet:
        for line in findings.sentences(told):
            info(line)


def _day(option: str, text: str | None) -> int | None:
    """Return when a day begins, epoch milliseconds in UTC."""
    if text is None:
        return None
    try:
        return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp()) * 1000
    except ValueError:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        raise UsageError(f"{option} takes a day such as {yesterday}, not {visible(text)}") from None


def _read(
    context: Context, brand: Brand, ledger: LedgerReader, first: int | None, last: int | None
) -> tuple[Brandwise, tuple[int, int]]:
    """Return what X and the ledger know of one brand's cards, and the span of time that it is about."""
    from profilectl.feedback.report import evaluate, harvest
    from profilectl.ledger.accounts import check_account
    from profilectl.model import Survey
    from profilectl.render.feedback import Brandwise

    client = context.connect(brand)
    account = client.verify_credentials()
    check_account(brand, account, ledger)
    since_ms, until_ms = _span(first, last, client.now_ms())
    asked = [event for event in ledger.recent(account.user_id, since_ms) if event.what == "asked"]
    known = {str(event.detail["card_id"]): str(event.detail["external_id"]) for event in asked}
    crop = harvest(client.feedback_events(since_ms, until_ms), since_ms, until_ms, known)
    surveys = sorted({one.survey for one in crop.exchanges}, key=list(Survey).index)
    findings = [evaluate(crop.exchanges, survey) for survey in surveys]
    return Brandwise(brand.key, findings, crop.tests, crop.strangers), (since_ms, until_ms)


def _span(first: int | None, last: int | None, now_ms: int) -> tuple[int, int]:
    """Return the first and the last moment of the cards and answers that are counted, as far as X tells of them."""
    newest = now_ms - _MATURITY_MS
    until_ms = newest if last is None else min(last + _DAY_MS - 1, newest)
    since_ms = max(until_ms - _USUAL_SPAN_MS if first is None else first, 0)
    if since_ms > until_ms:
        raise UsageError(
            "there is nothing between --since and --until",
            hint=f"X tells of answers a day later, so up to {documents.timestamp(newest)} today",
        )
    return since_ms, until_ms


def _show(told: list[Brandwise]) -> None:
    from profilectl.render import feedback as findings

    if not is_terminal(sys.stdout):
        write_rows(findings.rows(told))
        return
    from profilectl.render.tables import listing

    if lines := list(findings.table(told)):
        draw(listing(findings.HEADERS, lines))
