"""A desktop's default keyring as another program sees it: what is in it, and how to lock it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial

import jeepney.io.blocking
import secretstorage

from tests.patience import LONGEST

PROMPTER = "org.gnome.keyring.SystemPrompter"


@contextmanager
def connected(address):
    """Open a connection on which no answer, and no prompt, is waited for without end."""
    with jeepney.io.blocking.open_dbus_connection(bus=address) as bus:
        bus.send_and_get_reply = partial(bus.send_and_get_reply, timeout=LONGEST)
        bus.recv_until_filtered = partial(bus.recv_until_filtered, timeout=LONGEST)
        yield bus


@contextmanager
def default_collection(address):
    """Open the default keyring on the bus at an address."""
    with connected(address) as bus:
        yield secretstorage.get_default_collection(bus)


def lock(address):
    with default_collection(address) as keyring:
        keyring.lock()


def clear(address):
    with default_collection(address) as keyring:
        for item in keyring.get_all_items():
            item.delete()


def entries(address):
    """Return every entry's text, by its user name."""
    with default_collection(address) as keyring:
        return {item.get_attributes()["username"]: item.get_secret().decode() for item in keyring.get_all_items()}


def token(address, user="@acmecare"):
    """Return the access token in an account's entry, None when there is no entry."""
    entry = entries(address).get(user)
    return None if entry is None else json.loads(entry)["token"]


def has_prompt(address):
    """Say whether a window that asks for a password is open, or was."""
    message = jeepney.message_bus.NameHasOwner(PROMPTER)
    with connected(address) as bus:
        return bool(bus.send_and_get_reply(message).body[0])
