"""An account that was renamed at X keeps one entry and one line; nobody else's entry is overwritten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from profilectl.config import Config, LoggedIn, read_config, write_config
from profilectl.credentials.formats import from_entry, to_entry
from profilectl.credentials.login import store_entry
from profilectl.credentials.renamed_accounts import find_or_repair, repair
from profilectl.credentials.sources import Sources
from profilectl.errors import CredentialsError, CredentialsRefused, Unreachable, WrongAccount
from profilectl.model import Account
from profilectl.secret import Secret

HOST = "api.x.com"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OLD, NEW = LoggedIn("OldName", "42", HOST), LoggedIn("NewName", "42", HOST)


@pytest.fixture
def config(tmp_path):
    empty = Config(tmp_path / "config" / "config.toml")
    empty.path.parent.mkdir()
    return empty


@pytest.fixture
def put(keychain, config, credentials):
    """Store an account's entry, perhaps with another token."""

    def run(account, token=None):
        given = replace(credentials, token=Secret(token)) if token else credentials
        entry = to_entry(given, host=HOST, handle=account.handle, user_id=account.user_id, created=NOW)
        return store_entry(account, entry, store=keychain, config=config)

    return run


def listed(config):
    return read_config(config.path).accounts


def test_a_new_handle_takes_entry_and_line_along(put, backend, config):
    """The user id says that it is the same account."""
    assert [put(OLD), put(NEW, "another-token")] == [False, True]
    assert list(backend.entries) == [(f"profilectl:{HOST}", "@newname")]
    assert listed(config) == (NEW,)


def test_a_failure_puts_both_handles_back(put, backend, config):
    """The old entry is there again, and the new one isn't."""
    put(OLD)
    before = dict(backend.entries)

    def break_index(service, username, password):
        backend.entries[service, username] = password
        if username == "@newname":
            config.path.write_text("broken")

    backend.set_password = break_index
    with pytest.raises(Exception, match=r"while listing the account"):
        put(NEW, "another-token")
    assert backend.entries == before


def test_the_entry_of_a_renamed_account_is_not_overwritten(put, keychain, config):
    """Somebody else took the handle at X: the token of who had it before is kept until a person lets it go."""
    put(OLD)
    with pytest.raises(WrongAccount, match=r"another account \(id 42\), which was renamed") as caught:
        put(LoggedIn("OldName", "7", HOST))
    assert "auth logout --handle OldName" in caught.value.hint
    assert from_entry(keychain.get(HOST, "oldname"), host=HOST).user_id == "42"
    assert listed(config) == (OLD,)


def test_a_damaged_entry_may_be_overwritten(put, keychain):
    """There is nothing in it that could be lost."""
    keychain.set(HOST, "newname", Secret("damaged"))
    assert put(NEW)
    assert from_entry(keychain.get(HOST, "newname"), host=HOST).user_id == "42"


@pytest.fixture
def look(keychain, config):
    """Look for @newname, with X answering by token."""

    def run(answers, claimed=("NewName",), handle="NewName"):
        asked = []

        def ask(credentials):
            asked.append(credentials.token.reveal())
            answer = answers[credentials.token.reveal()]
            if isinstance(answer, Exception):
                raise answer
            return answer

        known = read_config(config.path)
        former = repair(handle, Sources(HOST, known, keychain), claimed=claimed, ask=ask, now=NOW)
        return former, asked

    return run


def account(user_id, handle):
    return Account(user_id, handle, HOST, None)


def test_a_renamed_account_is_recognised_and_moved(put, look, keychain, config):
    """X says that its token belongs to the new handle, and the user id is the one of the login."""
    put(LoggedIn("Other", "7", HOST), "other-token")
    put(OLD, "old-token")
    former, asked = look({"other-token": account("7", "Other"), "old-token": account("42", "NewName")})
    assert (former, asked) == (OLD, ["other-token", "old-token"])
    entry = from_entry(keychain.get(HOST, "newname"), host=HOST)
    assert (entry.handle, entry.token.reveal()) == ("NewName", "old-token")
    assert keychain.get(HOST, "oldname") is None
    assert NEW in listed(config)
    assert OLD not in listed(config)


@pytest.mark.parametrize(
    "answer",
    [account("42", "OldName"), account("43", "NewName"), CredentialsRefused("401", status=401)],
    ids=["not renamed", "another user id", "refused"],
)
def test_nothing_is_guessed(put, look, config, answer):
    """A token of another account is never taken for the brand's."""
    put(OLD, "old-token")
    assert look({"old-token": answer})[0] is None
    assert listed(config) == (OLD,)


def test_accounts_of_other_brands_and_hosts_are_not_asked(put, look, keychain, config):
    """What the roster names stands for itself; what has no entry can't be asked; a damaged one neither."""
    put(OLD, "old-token")
    known = read_config(config.path)
    more = (LoggedIn("Elsewhere", "1", "other.example"), LoggedIn("Gone", "2", HOST), LoggedIn("Broken", "3", HOST))
    write_config(replace(known, accounts=(*known.accounts, *more)))
    keychain.set(HOST, "broken", Secret("damaged"))
    assert look({}, claimed=["NewName", "oldname"]) == (None, [])


def test_an_unreachable_x_is_said(put, look):
    """Whether it was renamed isn't known then."""
    put(OLD, "old-token")
    with pytest.raises(Unreachable):
        look({"old-token": Unreachable("no route")})


def test_a_keyring_that_fails_is_said(put, look, backend):
    """It isn't an account that wasn't renamed."""
    put(OLD)
    backend.get_password = lambda *_: 1 / 0
    with pytest.raises(CredentialsError):
        look({})


@pytest.fixture
def find(keychain, config):
    """Look for the credentials of @newname, which X says the account of the login bears now."""

    def run(**environ):
        return find_or_repair(
            "NewName",
            Sources(HOST, read_config(config.path), keychain, environ=environ),
            claimed=["NewName"],
            ask=lambda _: account("42", "NewName"),
            now=NOW,
        )

    return run


def test_credentials_of_a_renamed_account(put, find):
    """They come with the account as it was listed before; the second time there is nothing to repair."""
    put(OLD, "old-token")
    credentials, former = find()
    assert (credentials.token.reveal(), former) == ("old-token", OLD)
    assert find()[1] is None


def test_nothing_is_repaired_for_another_source(put, find, config):
    """Only a keyring without an entry makes X a question: other sources fail as they are."""
    put(OLD, "old-token")
    with pytest.raises(CredentialsError, match="1 of the four credential variables"):
        find(PROFILECTL_CONSUMER_KEY="12345678")
    assert listed(config) == (OLD,)
