"""``feedback report``: what customers answered on their cards, and whether profiles and kinds make a difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import add_group
from profilectl.errors import UsageError
from profilectl.feedback.reader import read_report
from profilectl.feedback.report import Period
from profilectl.ledger.accounts import check_account, require_distinct
from profilectl.render import feedback, json_documents, tables
from profilectl.render.console import info
from profilectl.text.escape import visible


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``feedback`` group."""
    add_group(app, "feedback", "What customers answer on feedback cards.", {"report": report}, word)


def report(
    context: Context,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="First day; else the first of the month before the last day's."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Last day; else the last that X tells of.")
    ] = None,
) -> None:
    """Compare the scores by agent, by kind and by face.

    People and bots, with and without a custom profile. Days are UTC, and X tells of answers a day later. No customer is
    ever named. Figures are made of whole blocks of at least 5 answers of one agent: whoever subtracts one report from
    another still gets at least 5 answers together. What is left waits for more, or counts at the end of the month
    together with that of others. A difference that may be chance isn't reported as one. Customers weren't assigned at
    random, so any other difference may have other causes, too.
    """
    first_ms, last_ms = _day("--since", since), _day("--until", until)
    ledger = context.ledger_for_reading()
    reports, period, young = [], Period(0, 0), 0
    clients = {brand: context.connect(brand) for brand in context.brands()}
    accounts = {brand: client.verify_credentials() for brand, client in clients.items()}
    require_distinct({brand.key: account for brand, account in accounts.items()}, accounts)
    for brand, client in clients.items():
        account = accounts[brand]
        check_account(brand, account, ledger)  # before anything is reported under this brand's name
        brand_report, period, issued = read_report(client, ledger, brand.key, account.user_id, first_ms, last_ms)
        reports.append(brand_report)
        young += issued
    # Not only --quiet: the JSON document holds the same sentences, so a log would have each twice.
    is_silent = context.is_quiet or context.wants_json
    if not is_silent:
        has_cards = any(brand_report.surveys for brand_report in reports)
        for line in _remarks(period, last_ms, young, has_cards=has_cards):
            info(line)
    context.output.show(
        feedback.document(reports, period),
        feedback.HEADERS,
        list(feedback.rows(reports)),
        table=lambda: tables.listing(feedback.HEADERS, feedback.table(reports)),
    )
    if not is_silent:
        for line in feedback.sentences(reports):
            info(line)


def _remarks(period: Period, last_ms: int | None, young: int, *, has_cards: bool) -> Iterator[str]:
    """Yield what the days of a report leave out: a day that was asked for and isn't over, and the newest cards."""
    days = [json_documents.timestamp(moment)[:10] for moment in period]
    if last_ms is not None and last_ms > period.until_ms:
        asked = json_documents.timestamp(last_ms)[:10]
        yield f"X tells of answers a day later: the report ends with {days[1]}, not with {asked}"
    if young:
        issued = "1 card was issued" if young == 1 else f"{young} cards were issued"
        yield f"{issued} since then: today's answers can be read from tomorrow on"
    elif not has_cards:
        yield f"no feedback cards from {days[0]} to {days[1]}: `profilectl send --ask csat` issues one"


def _day(option: str, text: str | None) -> int | None:
    """Return when a day begins, epoch milliseconds in UTC."""
    if text is None:
        return None
    try:
        # UTC, as X's days are: the same command gives the same report on a laptop and on a server.
        return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp()) * 1000
    except ValueError:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        raise UsageError(f"{option} takes a day such as {yesterday}, not {visible(text)}") from None
