"""Where each value of an agent comes from."""

from __future__ import annotations

from profilectl.roster.layers import explain

TEXT = """\
version = 1
[brands.acme]
handle = "acmecare"
[brands.beta]
handle = "betacare"
[defaults]
kind = "human"
title = "Care"
avatar = "a.png"
brands.beta = { title = "Care at Beta" }
[agents.alice]
name = "{first}, {title}"
first = "Alice"
title = "Lead"
[agents.alice.brands.beta]
title = "Boss"
"""


def test_every_layer_has_its_line():
    """The value that is used comes first, then those that it wins against, each with its place."""
    titles = [
        (value.brand, value.value, value.table, value.line, value.column, value.is_used)
        for value in explain(TEXT, "roster.toml", "alice")
        if value.field == "title"
    ]
    assert [
        ("acme", "Lead", "agents.alice", 14, 1, True),
        ("acme", "Care", "defaults", 8, 1, False),
        ("beta", "Boss", "agents.alice.brands.beta", 16, 1, True),
        ("beta", "Lead", "agents.alice", 14, 1, False),
        ("beta", "Care at Beta", "defaults.brands.beta", 10, 17, False),
        ("beta", "Care", "defaults", 8, 1, False),
    ] == titles


def test_fields_that_nobody_sets_are_left_out():
    """Only what stands in the file is told."""
    assert {"name", "first", "title", "kind", "avatar"} == {
        value.field for value in explain(TEXT, "roster.toml", "alice")
    }


def test_nobody_has_no_values():
    """An agent that isn't there has nothing."""
    assert () == explain(TEXT, "roster.toml", "bob")
