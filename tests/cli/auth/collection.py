"""A desktop's default keyring as another program sees it: what is in it, and how to lock it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial

import jeepney.io.blocking
import secretstorage

from tests.patience import LONGEST, until

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
    """Open the default keyring on the bus at an address; none is made where it is missing."""
    with connected(address) as bus:
        yield secretstorage.get_collection_by_alias(bus, "default")


def settle(address):
    """Wait until the keyring has done with all programs that have ended, killed ones included.

    gnome-keyring 42 answers wrongly, or crashes, now and then when two programs ask it at once; the bus starts another
    one then, which is locked.
    """
    names = jeepney.message_bus
    with connected(address) as bus:
        (keyring,) = bus.send_and_get_reply(names.GetNameOwner("org.freedesktop.secrets")).body
        ours = {bus.unique_name, keyring}

        def is_alone():
            (present,) = bus.send_and_get_reply(names.ListNames()).body
            return {name for name in present if name.startswith(":")} <= ours

        until(is_alone, "the keyring to be left alone")
        secretstorage.get_collection_by_alias(bus, "default")  # answered after what came before


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
