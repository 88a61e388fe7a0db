"""What a list changes, as rows and as a document: complete, and without legal names."""

from __future__ import annotations

import datetime as dt

import pytest

from profilectl.people.importing import Import
from profilectl.people.mapping import ColumnMapping
from profilectl.people.merge import Change, Comparison
from profilectl.people.photos import Photo
from profilectl.people.tables import Table
from profilectl.render import people
from tests import schemas


@pytest.fixture
def change():
    """One of everything."""
    comparison = Comparison(
        (("dora", {"name": "Dora P.", "legal_name": "Dora Pauls"}),),
        (Change("alice", "until", None, dt.date(2027, 1, 31)), Change("alice", "legal_name", "A B", "A C")),
        ("bo",),
        ("carla",),
        2,
    )
    return Import("", comparison, (Photo("avatars/eve.jpg", b"x"),), ("eve",), ("dora",), ())


def test_every_change_is_a_row(change):
    """A legal name is called private, whether it comes or goes."""
    assert [
        ("add", "dora", "name", "", "Dora P."),
        ("add", "dora", "legal_name", "", "(private)"),
        ("set", "alice", "until", "", "2027-01-31"),
        ("set", "alice", "legal_name", "(private)", "(private)"),
        ("set", "eve", "avatar", "", "another picture in the same file"),
        ("remove", "bo", "", "", ""),
    ] == [*people.rows(change)]


def test_agents_are_counted_once(change):
    """However many of their fields change; a picture alone is a change, too."""
    assert "1 added, 2 changed, 1 removed, 1 unchanged" == people.summary(change)


def test_the_document_keeps_to_its_schema(change):
    """And holds no legal name."""
    table = Table("people.csv", "CSV with commas", "UTF-8", ("key",), ())
    document = people.document(table, ColumnMapping({"key": "key"}, frozenset({"key"})), change, is_written=True)

    schemas.validate(document)
    assert (["carla"], ["bo"], 2) == (document["missing"], document["removed"], document["unchanged"])
    assert not any(name in str(document) for name in ("Pauls", "A B", "A C"))
