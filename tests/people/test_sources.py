"""``[people.…]`` of config.toml: what may stand there, and which directory is meant."""

from __future__ import annotations

import pytest

from profilectl.errors import InputRefused, UsageError
from profilectl.people.sources import choose

OKTA = {"url": "https://acme.okta.com", "token_file": "/run/okta"}


def test_the_only_directory_needs_no_name():
    """With what is usual where nothing else is said."""
    source = choose({"okta": OKTA}, None, "config.toml")

    assert ("okta", "https://acme.okta.com", None, 5, {}) == (
        source.kind,
        source.url,
        source.group,
        source.max_deletes,
        source.columns,
    )


@pytest.mark.parametrize(
    ("kind", "url"), [("entra", "https://graph.microsoft.com"), ("google", "https://admin.googleapis.com")]
)
def test_two_have_one_address_for_everybody(kind, url):
    """So none needs to be given."""
    assert url == choose({kind: {}}, kind, "config.toml").url


@pytest.mark.parametrize(
    ("tables", "kind", "message"),
    [
        ({}, None, "no directory is set up in config.toml"),
        ({"okta": OKTA}, "entra", "no directory is set up in config.toml"),
        ({"okta": OKTA}, "octa", 'no directory is called "octa", did you mean "okta"?'),
        ({"okta": OKTA, "entra": {}}, None, "which directory isn't clear"),
    ],
)
def test_a_directory_that_is_not_there(tables, kind, message):
    """A slip of the command line, with what there is."""
    with pytest.raises(UsageError) as error:
        choose(tables, kind, "config.toml")

    assert error.value.message.startswith(message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "url is missing"),
        ({**OKTA, "tokn_file": "x"}, 'unknown key tokn_file, did you mean "token_file"?'),
        ({**OKTA, "token": "x"}, "unknown key token"),
        ({**OKTA, "token_command": ["pass"]}, "has both token_file and token_command"),
        ({"url": "https://x.okta.com", "token_command": "pass x"}, "token_command must be a list of strings"),
        ({**OKTA, "max_deletes": -1}, "max_deletes must be a whole number"),
        ({**OKTA, "max_deletes": True}, "max_deletes must be a whole number"),
        ({**OKTA, "group": ""}, "group must be a string with something in it"),
        ({**OKTA, "map": {"nam": "x"}}, 'map: no field is called nam, did you mean "name"?'),
        ({**OKTA, "map": {"name": 1}}, "map must be a table"),
    ],
)
def test_what_cannot_be_used_is_named(table, message):
    """With its table; a token itself has no place there."""
    with pytest.raises(InputRefused) as error:
        choose({"okta": table}, "okta", "config.toml")

    assert f"[people.okta]{'' if message.startswith('has') else ':'} {message}" in error.value.message


@pytest.mark.parametrize("url", ["http://acme.okta.com", "https://acme.okta.com/api", "https://u:p@acme.okta.com"])
def test_a_token_is_sent_over_tls_only(url):
    """And to a plain address."""
    with pytest.raises(UsageError):
        choose({"okta": {"url": url}}, "okta", "config.toml")
