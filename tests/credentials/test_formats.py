"""Credentials as JSON: what is accepted, and that what isn't never shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from profilectl.credentials.formats import account_name, from_entry, parse, secret_value, to_entry
from profilectl.errors import CredentialsError
from profilectl.secret import Secret

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_four_values_are_enough(document, credentials):
    """The four keys make credentials; where they come from is remembered."""
    parsed = parse(json.dumps(document), "stdin")
    assert parsed.secrets() == credentials.secrets()
    assert (parsed.source, parsed.handle, parsed.user_id) == ("stdin", None, None)


def test_the_names_of_oauth_libraries_are_accepted(document, credentials):
    """`token` and `token_secret` mean the same as with `access_` in front."""
    document["token"] = document.pop("access_token")
    document["token_secret"] = document.pop("access_token_secret")
    assert parse(json.dumps(document), "stdin").secrets() == credentials.secrets()


def test_the_account_may_be_named(document):
    """Handle (with or without @) and user id are kept; keys of other programs are ignored."""
    parsed = parse(b"\xef\xbb\xbf" + json.dumps(document | {"handle": "@Acme", "user_id": "42", "x": 1}).encode(), "f")
    assert (parsed.handle, parsed.user_id) == ("Acme", "42")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_last_newline_is_cut(ending):
    """Editors and `echo` leave one."""
    assert secret_value("0123456789" + ending, "access_token", "x") == Secret("0123456789")


@pytest.mark.parametrize("broken", ["\x16{}", "{} {}", "{}\n\n", "\u200b{}", "{}\x00", " {}"])
def test_control_characters_and_blanks_are_refused(broken, document, shows_no_secret):
    """A value that was pasted with Ctrl-V is refused by name, and not shown."""
    value = broken.replace("{}", document["access_token"])
    with pytest.raises(CredentialsError, match="access_token from stdin holds a blank") as caught:
        parse(json.dumps(document | {"access_token": value}), "stdin")
    shows_no_secret(caught.value)


def test_short_values_are_refused(document):
    """Seven characters are no token."""
    with pytest.raises(CredentialsError, match="consumer_key from stdin is shorter than 8 characters"):
        parse(json.dumps(document | {"consumer_key": "1234567"}), "stdin")


def test_missing_values_are_named(document, shows_no_secret):
    """The error lists what is missing, or isn't a string."""
    del document["consumer_secret"]
    with pytest.raises(CredentialsError, match=r"stdin lacks consumer_secret, access_token_secret$") as caught:
        parse(json.dumps(document | {"access_token_secret": 7}), "stdin")
    shows_no_secret(caught.value)


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", '{"consumer_key": "%s"', "%s", "\udcff", "[" * 60_000, b"\xff\xfe%s"], ids=ascii
)
def test_what_is_no_object_is_refused_unseen(text, document, shows_no_secret):
    """Broken JSON isn't quoted, not even in what hangs on the exception."""
    mark = document["access_token"]
    text = text.replace(b"%s", mark.encode()) if isinstance(text, bytes) else text.replace("%s", mark)
    with pytest.raises(CredentialsError, match="file x holds no JSON object") as caught:
        parse(text, "file x")
    shows_no_secret(caught.value)


def test_long_texts_are_refused():
    """Nobody's credentials are longer than 64 KiB."""
    with pytest.raises(CredentialsError, match="more than 64 KiB"):
        parse(b" " * (64 * 1024 + 1), "stdin")


def test_an_entry_is_made_and_read(credentials):
    """The keyring entry gives back what went in, and fits Windows' 1,280 characters several times."""
    entry = to_entry(credentials, host="api.x.com", handle="Acme", user_id="42", created=NOW)
    parsed = from_entry(entry, host="api.x.com")
    assert parsed.secrets() == credentials.secrets()
    assert (parsed.source, parsed.handle, parsed.user_id) == ("keyring", "Acme", "42")
    assert len(entry.reveal()) < 600
    plain = json.loads(entry.reveal())
    assert plain | {"v": 1, "kind": "oauth1", "created": "2026-11-22T10:00:00+00:00"} == plain


def test_an_entry_is_for_one_host(credentials, shows_no_secret):
    """A test server never gets a production token, even if somebody renames the entry."""
    entry = to_entry(credentials, host="api.x.com", handle="Acme", user_id="42", created=NOW)
    with pytest.raises(CredentialsError, match="for another host") as caught:
        from_entry(entry, host="127.0.0.1:8080")
    shows_no_secret(caught.value)


@pytest.mark.parametrize("text", ["junk-junk", "{}", '{"v": 2, "kind": "oauth1"}', '{"v": 1, "kind": "oauth2"}'])
def test_unknown_entries_are_refused(text):
    """An entry of another version or kind isn't guessed at."""
    with pytest.raises(CredentialsError, match="damaged or was written by a newer"):
        from_entry(Secret(text), host="api.x.com")


@pytest.mark.parametrize("handle", ["acme", "@acme", "ACME", "@AcMe"])
def test_an_account_has_one_name(handle):
    """Entries don't depend on how a handle was typed."""
    assert account_name(handle) == "acme"


@pytest.mark.parametrize("handle", ["", "@", "../x", "a b", "a/b", "-rf;", "ａcme", "x" * 51, "a\n"])
def test_what_is_no_handle_names_nothing(handle):
    """A handle becomes part of a file name and of a command, so it must be one."""
    with pytest.raises(CredentialsError, match="is no handle"):
        account_name(handle)
