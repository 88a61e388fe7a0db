"""A login that fails, at any step, leaves what was there before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from profilectl.config import Config, LoggedIn, read_config, write_config
from profilectl.credentials.formats import from_entry
from profilectl.credentials.login import login
from profilectl.credentials.logout import logout
from profilectl.errors import CredentialsError, CredentialsRefused, InputRefused, Unreachable, WrongAccount
from profilectl.model import Account
from profilectl.secret import Secret

HOST = "api.x.com"
ACCOUNT = Account("42", "AcmeCare", HOST, "read-write-directmessages")
LISTED = LoggedIn("AcmeCare", "42", HOST)


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path / "config" / "config.toml")


@pytest.fixture
def log_in(keychain, config, credentials):
    """Log in, with some of the parts replaced."""

    def run(**parts):
        usual = {
            "host": HOST,
            "expected": None,
            "read": lambda: credentials,
            "verify": lambda _: ACCOUNT,
            "store": keychain,
            "config": config,
            "now": datetime(2026, 11, 22, 10, tzinfo=UTC),
        }
        return login(**(usual | parts))

    return run


def test_a_login_stores_and_lists(log_in, keychain, config, credentials, document):
    """The entry holds the credentials, the config the account without them."""
    done = log_in(expected="@acmecare")
    assert (done.account, done.replaced, done.warnings) == (LISTED, False, ())
    assert from_entry(keychain.get(HOST, "acmecare"), host=HOST).secrets() == credentials.secrets()
    assert read_config(config.path).accounts == (LISTED,)
    for value in document.values():
        assert value not in config.path.read_text()


def test_a_second_login_replaces(log_in, keychain, config, credentials):
    """Rotation overwrites the one entry; the other choices of the config stay."""
    write_config(replace(config, brand="acme", accounts=(LoggedIn("Other", "7", HOST),)))
    log_in()
    rotated = replace(credentials, token=Secret("another-token"))
    assert log_in(read=lambda: rotated).replaced
    assert from_entry(keychain.get(HOST, "acmecare"), host=HOST).token == Secret("another-token")
    now = read_config(config.path)
    assert (now.brand, [account.handle for account in now.accounts]) == ("acme", ["Other", "AcmeCare"])


def test_nothing_is_asked_when_the_keyring_does_not_work(log_in, backend):
    """The store is tested before the first prompt."""
    backend.set_password = lambda *_: None
    asked = []
    with pytest.raises(CredentialsError, match=r"doesn't keep .* \(while testing the keyring\)"):
        log_in(read=lambda: asked.append(1))
    assert asked == []


@pytest.mark.parametrize(
    "error", [CredentialsRefused("401", status=401), Unreachable("no route"), CredentialsError("x")]
)
def test_what_x_refuses_is_not_stored(log_in, backend, config, error):
    """The error comes through as it is, with its own class and exit code."""

    def verify(_):
        raise error

    with pytest.raises(type(error)) as caught:
        log_in(verify=verify)
    assert caught.value is error
    assert (backend.entries, config.path.exists()) == ({}, False)


def test_another_account_is_refused(log_in, backend):
    """The credentials must be those of the brand that was named."""
    with pytest.raises(WrongAccount, match="belong to @AcmeCare, not to @other"):
        log_in(expected="@Other")
    assert backend.entries == {}


@pytest.mark.parametrize("level", ["read", "read-write", "x\x1b[2J"])
def test_a_token_that_may_not_write_messages_is_refused(log_in, backend, level):
    """The hint says where the permission is, and that the token must be made anew."""
    with pytest.raises(CredentialsError, match="may only") as caught:
        log_in(verify=lambda _: replace(ACCOUNT, access_level=level))
    assert "regenerate the access token" in caught.value.hint
    assert "\x1b" not in caught.value.message
    assert backend.entries == {}


def test_an_unknown_access_level_is_a_warning(log_in):
    """X may leave the header out; the other spelling of the level is fine."""
    assert len(log_in(verify=lambda _: replace(ACCOUNT, access_level=None)).warnings) == 1
    assert log_in(verify=lambda _: replace(ACCOUNT, access_level="read-write-privatemessages")).warnings == ()


def garble(backend, config):
    """The store changes what it is given, from the second login on."""
    original = type(backend).set_password

    def set_password(service, username, password):
        original(backend, service, username, password.replace("another-token", "garbled"))

    backend.set_password = set_password


def break_config(backend, config):
    """The list of accounts is damaged while the entry is stored."""

    def set_password(service, username, password):
        type(backend).set_password(backend, service, username, password)
        if "another-token" in password:
            config.path.write_text("broken")

    backend.set_password = set_password


def interrupt(backend, config):
    """Ctrl-C between storing and reading back."""
    reads = []

    def get_password(service, username):
        reads.append(username)
        if reads.count("@acmecare") == 2:
            raise KeyboardInterrupt
        return type(backend).get_password(backend, service, username)

    backend.get_password = get_password


@pytest.mark.parametrize(
    ("damage", "error"), [(garble, CredentialsError), (break_config, InputRefused), (interrupt, KeyboardInterrupt)]
)
@pytest.mark.parametrize("first", [True, False], ids=["first login", "rotation"])
def test_a_late_failure_puts_the_old_entry_back(log_in, backend, config, credentials, damage, error, first):
    """Whatever happens after storing, the earlier credentials still work, or none are left."""
    if not first:
        log_in()
    config.path.parent.mkdir(exist_ok=True)
    before = dict(backend.entries)
    damage(backend, config)
    with pytest.raises(error):
        log_in(read=lambda: replace(credentials, token=Secret("another-token")))
    assert backend.entries == before


def test_what_can_not_be_put_back_is_said(log_in, backend, config):
    """Two failures at once: the message is about the one that hurts."""
    log_in()
    original, calls = backend.set_password, []

    def set_password(service, username, password):
        calls.append(username)
        if calls.count("@acmecare") == 2:
            raise RuntimeError("gone")
        original(service, username, password)
        if username == "@acmecare":
            config.path.write_text("broken")

    backend.set_password = set_password
    with pytest.raises(CredentialsError, match="earlier credentials of @AcmeCare couldn't be put back"):
        log_in()


def test_logout_removes_entry_and_line(log_in, keychain, backend, config):
    """Both go; doing it again is fine and says that nothing was there."""
    log_in()
    done = logout("@ACMECARE", HOST, store=keychain, config=config)
    assert (done.entry, done.listed) == (True, True)
    assert (backend.entries, read_config(config.path).accounts) == ({}, ())
    done = logout("acmecare", HOST, store=keychain, config=config)
    assert (done.entry, done.listed) == (False, False)


def test_logout_keeps_the_line_when_the_keyring_fails(log_in, keychain, backend, config):
    """As long as the entry may exist, the account stays listed."""
    log_in()
    backend.get_password = lambda *_: 1 / 0
    with pytest.raises(CredentialsError):
        logout("acmecare", HOST, store=keychain, config=config)
    assert read_config(config.path).accounts == (LISTED,)


def test_a_token_is_revoked_before_it_is_forgotten(log_in, keychain, backend, config, credentials):
    """What X refuses to end is kept, so that it can be tried again; without an entry X isn't asked."""
    log_in()
    before, asked = dict(backend.entries), []

    def refuse(given):
        raise Unreachable("no route")

    with pytest.raises(Unreachable):
        logout("acmecare", HOST, store=keychain, config=config, revoke=refuse)
    assert (backend.entries, read_config(config.path).accounts) == (before, (LISTED,))
    done = logout("acmecare", HOST, store=keychain, config=config, revoke=asked.append)
    assert (done.entry, done.revoked) == (True, True)
    assert [revoked.secrets() for revoked in asked] == [credentials.secrets()]
    assert not logout("acmecare", HOST, store=keychain, config=config, revoke=refuse).revoked


def test_a_renamed_account_may_log_in_as_the_brand(log_in, backend):
    """The roster still has the old handle, so that stays the entry's name; the user id says who it is."""
    log_in()
    for words in ({"expected": "acmecare"}, {"claimed": ["AcmeCare", "beta"]}):
        done = log_in(**words, verify=lambda _: replace(ACCOUNT, handle="AcmeHelp"))
        assert done.warnings == ("@AcmeCare is called @AcmeHelp at X now: change the handle in the roster",)
        assert (done.account, done.replaced) == (LISTED, True)
        assert [user for _, user in backend.entries] == ["@acmecare"]


@pytest.mark.parametrize("words", [{}, {"expected": "acmehelp"}, {"claimed": ["beta", "acmehelp", "acmecare"]}])
def test_a_renamed_account_moves_when_its_old_handle_is_not_asked_for(log_in, backend, config, words):
    """One entry, one line, under the handle that X has."""
    log_in()
    done = log_in(**words, verify=lambda _: replace(ACCOUNT, handle="AcmeHelp"))
    assert (done.warnings, done.replaced) == ((), True)
    assert [user for _, user in backend.entries] == ["@acmehelp"]
    assert [account.handle for account in read_config(config.path).accounts] == ["AcmeHelp"]
