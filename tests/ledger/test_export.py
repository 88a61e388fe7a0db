"""A ledger as lines of JSON: complete, the same for the same content, and read again only if nothing is wrong in it."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from contextlib import closing

import pytest

from profilectl.audit import chain
from profilectl.errors import LedgerRefused
from profilectl.ledger import export, schema
from profilectl.ledger.opening import open_for_reading, open_for_writing
from profilectl.model import Event
from tests.ledger.filled import USER, fill


@pytest.fixture
def other(tmp_path):
    with open_for_writing(tmp_path / "other" / "ledger.db", actor="bob@elsewhere") as ledger:
        yield ledger


def exported(ledger):
    file = io.BytesIO()
    extent = ledger.engine.read(lambda execute: export.write(execute, file))
    return file, extent


def lines(file):
    return [json.loads(line) for line in file.getvalue().splitlines()]


def sealed(rows):
    """Return a file of these lines with the last line that belongs to them."""
    text = b"".join(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows)
    footer = {"digest": "sha256:" + hashlib.sha256(text).hexdigest(), "rows": len(rows) - 1}
    return io.BytesIO(text + json.dumps(footer, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def problems(file):
    return [(problem.line, problem.message) for problem in export.judge(file).problems]


def test_every_table_and_column_is_there(ledger):
    """As the schema's statements have them, but for who holds the ledger; a table without rows is named as well."""
    names = {name for kind, name in schema.objects() if kind == "table"} - export.PLACE_TABLES

    fill(ledger)
    header, *rows, footer = lines(exported(ledger)[0])
    assert names == set(header["tables"])
    assert names == {row["table"] for row in rows}
    assert len(rows) == footer["rows"]
    assert all(list(row["row"]) == sorted(header["tables"][row["table"]]) for row in rows)


def test_what_was_imported_is_exported_the_same(ledger, other):
    """Byte for byte, and what the ledger answers is the same."""
    fill(ledger)
    file, extent = exported(ledger)
    assert [] == problems(file)
    export.import_into(other.engine, file, extent)

    assert (file.getvalue(), extent) == (exported(other)[0].getvalue(), exported(other)[1])
    assert ledger.state_of(USER) == other.state_of(USER)
    assert ledger.dispatch(USER, "k1") == other.dispatch(USER, "k1")


def test_an_imported_ledger_goes_on(ledger, other):
    """The chain is continued."""
    fill(ledger)
    file, extent = exported(ledger)
    export.import_into(other.engine, file, extent)
    other.record(Event("sent", USER, 99))

    assert chain.verify(other.events()) is None
    assert ledger.last_seq() + 1 == other.last_seq()


def test_an_empty_ledger_is_a_header_and_a_footer(ledger, other):
    """Besides its format; it can be imported like any other."""
    file, extent = exported(ledger)
    assert ["meta"] * extent.rows == [row["table"] for row in lines(file)[1:-1]]
    export.import_into(other.engine, file, extent)
    assert file.getvalue() == exported(other)[0].getvalue()


def test_long_tables_are_read_in_pages(ledger, other, monkeypatch):
    """Nothing is left out or told twice at their seams."""
    monkeypatch.setattr(export, "_PAGE", 3)
    fill(ledger, agents=tuple("abcdefg"))
    file, extent = exported(ledger)
    export.import_into(other.engine, file, extent)

    assert ledger.last_seq() == sum(row.get("table") == "audit" for row in lines(file))
    assert [] == problems(file)
    assert file.getvalue() == exported(other)[0].getvalue()


def test_only_into_an_empty_ledger(ledger, other):
    """What is there stays."""
    fill(ledger)
    file, extent = exported(ledger)
    other.record(Event("sent", "2", 1))
    before = exported(other)[0].getvalue()
    with pytest.raises(LedgerRefused, match="isn't empty"):
        export.import_into(other.engine, file, extent)

    assert before == exported(other)[0].getvalue()


def test_a_file_that_changed_after_it_was_judged(ledger, other):
    """Nothing of it is kept."""
    fill(ledger)
    file, extent = exported(ledger)
    before = exported(other)[0].getvalue()
    changed = io.BytesIO(file.getvalue().replace(b"Name of ann", b"Name of eve"))
    with pytest.raises(LedgerRefused, match="has changed while it was read"):
        export.import_into(other.engine, changed, extent)

    assert before == exported(other)[0].getvalue()


def test_where_the_ledger_went_isnt_part_of_it(ledger):
    """A copy of a moved ledger isn't moved."""
    before = exported(ledger)[0].getvalue()
    with ledger.engine.transaction() as execute:
        execute("INSERT INTO meta (name, value) VALUES ('moved_to', '/elsewhere')")

    assert before == exported(ledger)[0].getvalue()


def test_a_file_that_was_cut_off(ledger):
    """After each line, and within the last one: the end is missing."""
    fill(ledger)
    text = exported(ledger)[0].getvalue()
    ends = [place for place, byte in enumerate(text, start=1) if byte == ord("\n")]
    for number, end in enumerate(ends[:-1], start=1):
        ((line, message),) = problems(io.BytesIO(text[:end]))
        assert number + 1 == line
        assert "the file was cut off" in message
    assert [len(ends), len(ends) + 1] == [line for line, _ in problems(io.BytesIO(text[:-2]))]


def test_any_changed_byte_is_noticed(ledger):
    """By the digest at the latest."""
    fill(ledger)
    text = exported(ledger)[0].getvalue()
    for place in range(0, len(text), 61):
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        assert problems(io.BytesIO(changed)), place


def test_a_changed_record_with_a_right_digest(ledger):
    """Whoever seals the file anew can't make a record that wasn't there."""
    fill(ledger)
    rows = lines(exported(ledger)[0])[:-1]
    place = next(place for place, row in enumerate(rows) if row.get("table") == "audit") + 2
    rows[place]["row"]["text"] = rows[place]["row"]["text"].replace("ann", "eve")

    assert [(place + 1, "breaks the chain of the audit trail at record 3")] == problems(sealed(rows))


def test_a_missing_record_with_a_right_digest(ledger):
    """The chain has no gap."""
    fill(ledger)
    rows = lines(exported(ledger)[0])[:-1]
    place = next(place for place, row in enumerate(rows) if row.get("table") == "audit")
    del rows[place]

    assert [(place + 1, "breaks the chain of the audit trail at record 2")] == problems(sealed(rows))


def changed(table, **values):
    def change(rows):
        next(row for row in rows if row.get("table") == table)["row"].update(values)

    return change


def doubled(rows):
    place = next(place for place, row in enumerate(rows) if row.get("table") == "brands")
    rows.insert(place, rows[place])


def without_listings(rows):
    rows[:] = [row for row in rows if row.get("table") != "listings"]


def renamed(rows):
    rows[2]["table"] = "customers"


def shortened(rows):
    del next(row for row in rows if row.get("table") == "brands")["row"]["handle"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("bindings", created_ms="1"), "has a value that bindings can't hold in created_ms"),
        (changed("bindings", created_ms=2**63), "has a value that bindings can't hold in created_ms"),
        (changed("bindings", protected=True), "has a value that bindings can't hold in protected"),
        (changed("bindings", name=None), "has a value that bindings can't hold in name"),
        (changed("bindings", name="a\0"), "has a value that bindings can't hold in name"),
        (changed("bindings", name="\ud800"), "has a value that bindings can't hold in name"),
        (changed("bindings", profile_id="102"), "has the account and profile_id of an earlier row of bindings"),
        (
            changed("bindings", agent="\U0001f601"),
            "isn't where its key belongs in bindings, or is there twice",
        ),
        (changed("intents", listing="none"), "names a listing that listings doesn't have"),
        (changed("meta", name="moved_to"), "says moved_to, which isn't part of what a ledger knows"),
        (doubled, "isn't where its key belongs in brands, or is there twice"),
        (without_listings, "names a listing that listings doesn't have"),
        (renamed, "isn't a row of a table that this version has"),
        (shortened, "has other columns than brands"),
    ],
)
def test_a_row_that_no_ledger_has(ledger, change, message):
    """It is named by its line, before the engine would refuse it halfway."""
    fill(ledger)
    rows = lines(exported(ledger)[0])[:-1]
    change(rows)

    assert message in [message for _, message in problems(sealed(rows))]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"schema": "profilectl.plan/1"}, "isn't the first line of a ledger's export"),
        ({"format": schema.FORMAT + 1}, f"was written with tables of format {schema.FORMAT + 1}"),
        ({"tables": {}}, "names other tables or columns"),
    ],
)
def test_a_header_of_something_else(ledger, header, message):
    """What follows isn't looked at."""
    rows = lines(exported(ledger)[0])[:-1]
    ((line, told),) = problems(sealed([rows[0] | header, *rows[1:], {"nonsense": 1}]))

    assert (1, True) == (line, message in told)


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b"\xff\xfe", b"{" * 100_000, b'{"rows": NaN}\n'])
def test_no_export_at_all(content):
    """Every problem is a problem, and none an exception."""
    assert problems(io.BytesIO(content))


def test_every_problem_is_told_in_one_go(ledger):
    """Up to a hundred; a file of another kind has one in every line."""
    fill(ledger)
    rows = lines(exported(ledger)[0])[:-1]
    rows[2]["row"]["handle"] = None
    rows[4]["row"]["name"] = 5
    assert [3, 5] == [line for line, _ in problems(sealed(rows))]
    assert 100 == len(problems(sealed([rows[0], *[{"nonsense": 1}] * 1000])))


def test_more_lines_than_its_last(ledger):
    """Nothing may follow the digest."""
    file, _ = exported(ledger)
    count = len(lines(file))

    assert [(count + 1, "comes after the last line of the export")] == problems(io.BytesIO(file.getvalue() + b"{}\n"))


def test_the_export_of_a_ledger_of_the_format_before_is_one_of_this_format(tmp_path):
    """A reader leaves the file as it is; what it exports can be imported, and be written to."""
    old, new = tmp_path / "old" / "ledger.db", tmp_path / "new" / "ledger.db"
    with open_for_writing(old) as ledger:
        fill(ledger)
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("DROP INDEX audit_about_profiles")
        database.execute("DROP INDEX dispatches_by_recipient")
        database.execute("UPDATE meta SET value = '4' WHERE name = 'format'")
    with (tmp_path / "export").open("w+b") as file:
        with open_for_reading(old) as reader:
            assert "4" == reader.summary().format
            extent = reader.engine.read(lambda execute: export.write(execute, file))
        assert () == tuple(export.judge(file).problems)
        with open_for_writing(new) as ledger:
            export.import_into(ledger.engine, file, extent)
    with open_for_writing(new) as ledger:
        ledger.record(Event("sent", USER, 90))
        assert str(schema.FORMAT) == ledger.summary().format
