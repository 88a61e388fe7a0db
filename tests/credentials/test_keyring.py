"""Whatever a keyring does, one of a few clear errors comes out, in time."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from profilectl.credentials.keyring import Keychain, KeychainError, State
from profilectl.errors import CredentialsError
from profilectl.secret import Secret

HOST = "api.x.com"


def failing(error):
    """A backend whose every call raises."""

    class Failing:
        def get_password(self, service, username):
            raise error

        set_password = delete_password = get_password

    return Failing()


def class_named(name, *bases):
    """An exception class like one that can't be imported on this system."""
    return type(name, bases or (Exception,), {})


def zoo():
    """Every kind that the libraries under keyring were seen to raise, and what it means."""
    from jeepney import DBusErrorResponse, HeaderFields
    from keyring import errors
    from secretstorage import exceptions

    odd = SimpleNamespace(fields={HeaderFields.error_name: "org.example.Error.Odd"})
    return [
        (errors.NoKeyringError("x"), State.ABSENT),
        (errors.InitError("canary"), State.ABSENT),
        (errors.KeyringLocked("canary"), State.LOCKED),
        (errors.PasswordSetError("canary"), State.UNUSABLE),
        (errors.PasswordDeleteError("canary"), State.NO_ENTRY),
        (errors.KeyringError("canary"), State.UNUSABLE),
        (exceptions.SecretServiceNotAvailableException("canary"), State.ABSENT),
        (exceptions.LockedException("canary"), State.LOCKED),
        (exceptions.PromptDismissedException("canary"), State.LOCKED),
        (exceptions.ItemNotFoundException("canary"), State.NO_ENTRY),
        (DBusErrorResponse(SimpleNamespace(header=odd, body=("canary",))), State.UNUSABLE),
        (class_named("NotThere")("no bus"), State.ABSENT),
        (class_named("error")(1783, "CredWrite", "canary"), State.UNUSABLE),
        (RuntimeError("canary"), State.UNUSABLE),
        (ValueError("canary"), State.UNUSABLE),
        (ModuleNotFoundError("No module named 'x'"), State.UNUSABLE),
        (ImportError("x"), State.UNUSABLE),
        (AttributeError("canary"), State.UNUSABLE),
        (EOFError("canary"), State.UNUSABLE),
        (FileNotFoundError(2, "gone"), State.ABSENT),
        (ConnectionRefusedError("canary"), State.ABSENT),
        (TimeoutError("canary"), State.TIMED_OUT),
        (UnicodeDecodeError("utf-8", b"canary", 0, 1, "canary"), State.UNUSABLE),
    ]


@pytest.mark.parametrize(("error", "state"), zoo(), ids=lambda value: type(value).__name__)
def test_every_failure_gets_a_state_and_a_hint(error, state):
    """Whatever is raised, exit code 4, one line, a next step, and nothing of what it was about."""
    with pytest.raises(KeychainError) as caught:
        Keychain(backend=failing(error)).get(HOST, "acme")
    assert caught.value.state is state
    assert caught.value.exit_code == 4
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert "canary" not in caught.value.message + caught.value.hint
    assert caught.value.__context__ is None


def test_an_odd_answer_of_the_bus_is_named():
    """The D-Bus error's name helps whoever reads a report; its text may hold anything."""
    with pytest.raises(KeychainError) as caught:
        Keychain(backend=failing(zoo()[10][0])).get(HOST, "acme")
    assert "failed with org.example.Error.Odd" in caught.value.message


def test_entries_are_kept_per_host_and_account(keychain, backend):
    """A handle has one entry per host, however it is written."""
    keychain.set(HOST, "@Acme", Secret("first"))
    keychain.set(HOST, "acme", Secret("second"))
    keychain.set("127.0.0.1:8080", "acme", Secret("other"))
    assert keychain.get(HOST, "ACME") == Secret("second")
    assert set(backend.entries) == {("profilectl:api.x.com", "@acme"), ("profilectl:127.0.0.1:8080", "@acme")}
    assert keychain.delete(HOST, "acme")
    assert not keychain.delete(HOST, "acme")
    assert keychain.get(HOST, "acme") is None
    assert keychain.get("127.0.0.1:8080", "acme") == Secret("other")


def test_an_empty_entry_is_none(keychain, backend):
    """Somebody cleared it by hand."""
    backend.entries["profilectl:api.x.com", "@acme"] = ""
    assert keychain.get(HOST, "acme") is None


def test_a_self_test_leaves_nothing(keychain, backend):
    """The throw-away entry is gone, and others are untouched."""
    keychain.set(HOST, "acme", Secret("kept"))
    keychain.self_test(HOST)
    assert list(backend.entries.values()) == ["kept"]


def test_a_store_that_forgets_is_found_out(backend):
    """A backend like keyring's `null` says yes to everything."""
    backend.set_password = lambda *_: None
    with pytest.raises(KeychainError, match="doesn't keep what is stored in it"):
        Keychain(backend=backend).self_test(HOST)


@pytest.mark.parametrize("value", ["x" * 1281, "😀" * 641])
def test_what_windows_could_not_hold_is_refused_everywhere(keychain, backend, value):
    """1,280 UTF-16 units are the limit, counted before anything is written."""
    keychain.set(HOST, "acme", Secret("x" * 1280))
    with pytest.raises(KeychainError, match="too big") as caught:
        keychain.set(HOST, "acme", Secret(value))
    assert caught.value.state is State.TOO_BIG
    assert keychain.get(HOST, "acme") == Secret("x" * 1280)


@pytest.mark.parametrize(("attended", "state"), [(False, State.TIMED_OUT), (True, State.LOCKED)])
def test_a_hanging_keyring_is_given_up(backend, attended, state):
    """Unattended it is broken; with a person there, it is a dialog that nobody answered."""
    release = threading.Event()
    backend.get_password = lambda *_: release.wait()
    keychain = Keychain(backend=backend, attended=attended, seconds=0.02)
    with pytest.raises(KeychainError) as caught:
        keychain.get(HOST, "acme")
    release.set()
    assert caught.value.state is state


def test_a_keyring_that_hung_once_is_not_asked_again(backend):
    """Ten accounts wait no longer than one."""
    release, calls = threading.Event(), []
    backend.get_password = lambda *_: calls.append(1) or release.wait()
    keychain = Keychain(backend=backend, seconds=0.02)
    messages = set()
    for _ in range(10):
        with pytest.raises(KeychainError) as caught:
            keychain.get(HOST, "acme")
        messages.add(caught.value.message)
    release.set()
    assert messages == {"the keyring didn't answer in time"}
    assert len(calls) == 1


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "keyrings.alt.file.PlaintextKeyring",
        "evil\x1b[2J.Keyring",
    ],
)
def test_an_untrusted_choice_is_named(name):
    """The message names the backend, made visible, and the hint those that are trusted."""
    keychain = Keychain(environ={"PYTHON_KEYRING_BACKEND": name})
    with pytest.raises(KeychainError, match="isn't trusted with secrets") as caught:
        keychain.probe()
    assert caught.value.state is State.UNUSABLE
    assert "keyring.backends.SecretService.Keyring" in caught.value.hint
    assert "\x1b" not in caught.value.message + keychain.backend_name


def test_a_backend_that_is_not_installed_is_named():
    """`pass` is trusted, but its package is somebody else's."""
    keychain = Keychain(environ={"PYTHON_KEYRING_BACKEND": "keyring_pass.PasswordStoreBackend"})
    with pytest.raises(KeychainError, match=r"backend pass isn't installed \(No module named 'keyring_pass'\)"):
        keychain.probe()


def test_an_odd_handle_reaches_no_backend(keychain):
    """A handle that is none is refused before the keyring is asked."""
    with pytest.raises(CredentialsError, match="is no handle"):
        keychain.get(HOST, "../x")


def test_an_error_with_other_words_is_the_same_error():
    """Its class, state and cause stay, the error that was raised stays as it is."""
    error = KeychainError("locked", State.LOCKED)
    error.__cause__ = OSError()
    other = error.with_message("locked (while testing)").with_hint("unlock it")
    assert (type(other), other.state, other.__cause__) == (KeychainError, State.LOCKED, error.__cause__)
    assert (str(other), other.message, other.hint) == ("locked (while testing)", "locked (while testing)", "unlock it")
    assert (str(error), error.hint) == ("locked", State.LOCKED.value)


def test_the_key_that_signs_checkpoints_has_an_entry_of_its_own():
    """Under a service that no host's name can be taken for."""
    kept = {}
    backend = SimpleNamespace(
        get_password=lambda *address: kept.get(address),
        set_password=lambda service, user, value: kept.update({(service, user): value}),
    )
    keychain = Keychain(backend=backend)
    assert keychain.signing_key() is None
    keychain.set_signing_key(Secret("c2VlZA=="))

    assert "c2VlZA==" == keychain.signing_key().reveal()
    assert [("profilectl:audit", "checkpoints")] == list(kept)
