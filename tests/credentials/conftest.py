"""Made-up credentials, and a store in memory that behaves like a `Keychain`."""

from __future__ import annotations

import secrets

import pytest

from profilectl.credentials.keyring import Keychain
from profilectl.secret import Credentials, Secret


class MemoryBackend:
    """The least that keyring asks of a backend."""

    def __init__(self):
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        del self.entries[service, username]


@pytest.fixture
def backend():
    return MemoryBackend()


@pytest.fixture
def keychain(backend):
    return Keychain(backend=backend)


@pytest.fixture
def document():
    """The four values as people hand them to us: new ones every time."""
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    return {name: f"{name}-{secrets.token_urlsafe(12)}" for name in names}


@pytest.fixture
def credentials(document):
    return Credentials(*map(Secret, document.values()), source="test")


@pytest.fixture
def shows_no_secret(document):
    """A check that an exception, with everything that hangs on it, holds no value."""

    def check(error):
        seen = []
        while error is not None:
            seen += [str(error), repr(error), repr(vars(error)), str(getattr(error, "hint", ""))]
            error = error.__cause__ or error.__context__
        for value in document.values():
            assert not [text for text in seen if value in text]

    return check
