"""Which earlier exports a ledger's export may replace; `tests/ledger/test_backups` has the rule itself as a table."""

from __future__ import annotations

import io

import pytest

from profilectl.cli.ledger.earlier_copies import contents_of_export, require_earlier_export
from profilectl.errors import LedgerRefused
from profilectl.ledger import export
from profilectl.ledger.relocation import contents_of
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Event
from tests.ledger.filled import USER, fill


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger:
        yield ledger


def exported(ledger):
    lines = io.BytesIO()
    ledger.engine.read(lambda execute: export.write(execute, lines))
    return lines.getvalue()


def judged(path, content, ledger):
    """Return why a ledger's export may not replace a file, None where it may."""
    path.write_bytes(content)
    try:
        require_earlier_export(path, ledger, path.with_name("l"))
    except LedgerRefused as error:
        return error.message.removeprefix(f"{path} stays, as ")
    return None


def test_an_export_tells_what_the_ledger_knew(ledger):
    """Accounts, and how far its record went; or that there was nothing."""
    empty = exported(ledger)
    fill(ledger)
    full = contents_of_export(io.BytesIO(exported(ledger)))

    assert ((), 0, None) == tuple(
        getattr(contents_of_export(io.BytesIO(empty)), name) for name in ("accounts", "last_seq", "last_hash")
    )
    assert contents_of(ledger) == full


def test_an_account_of_two_brands_is_one(ledger):
    """It would be named twice otherwise."""
    for brand in ("acme", "care"):
        ledger.register_account(brand, Account(USER, "acmecare", "api.x.com"), 1)

    assert 1 == len(contents_of_export(io.BytesIO(exported(ledger))).accounts)


def test_what_is_no_export_may_go(ledger, tmp_path):
    """As --force says; and where nothing is, nothing is lost."""
    fill(ledger)

    for content in (b"", b"mine", b'{"schema":"another"}\n', b"\xff\n" * 9):
        assert judged(tmp_path / "copy", content, ledger) is None
    require_earlier_export(tmp_path / "none", ledger, tmp_path)


def test_an_earlier_export_may_go(ledger, tmp_path):
    """The same ledger, with more in its record, and one that was empty."""
    empty = exported(ledger)
    fill(ledger)
    filled = exported(ledger)
    ledger.record(Event("sent", USER, 5))

    assert [None] * 3 == [judged(tmp_path / "copy", content, ledger) for content in (empty, filled, exported(ledger))]


def test_what_knows_more_stays(ledger, tmp_path):
    """Of a ledger that was lost, begun anew, or went backwards, and of another one."""
    with open_for_writing(tmp_path / "former.db", actor="ann@desk") as former:
        fill(former)
        content, last = exported(former), former.last_seq()
    knows = f"knows @acmecare (user id {USER} at api.x.com)"
    longer = f"has records up to {last}, and the ledger's end at"
    verdicts = [judged(tmp_path / "copy", content, ledger)]
    ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), 1)
    verdicts.append(judged(tmp_path / "copy", content, ledger))
    fill(ledger)
    ledger.record(Event("sent", USER, 5))
    verdicts.append(judged(tmp_path / "copy", content, ledger))

    begin = f"it isn't an earlier export of {tmp_path / 'l'}: it "
    assert [
        f"{begin}{knows} and {longer} 0",
        f"{begin}{longer} 1",  # the registration is on the record
        f"{begin}has another record {last} than the ledger",
    ] == verdicts


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[: content.rindex(b"\n", 0, -1) + 1],
        lambda content: content.replace(b'"handle":', b'"handel":'),
        lambda content: content.replace(b'"seq":', b'"seg":'),
    ],
    ids=["cut off in a line", "cut off between lines", "another column", "no number"],
)
def test_a_damaged_export_stays(ledger, tmp_path, damage):
    """It may be the only one there is."""
    fill(ledger)

    assert "nobody knows what is in it: a line is missing or was changed" == judged(
        tmp_path / "copy", damage(exported(ledger)), ledger
    )
