"""Every environment variable that profilectl looks at, with one sentence each: the manual and the README show this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable, or several that one sentence explains; the sentence has no full stop, and code in backticks."""

    names: tuple[str, ...]
    meaning: str


VARIABLES: Final = (
    Variable(("PROFILECTL_ROSTER",), "the roster; else `./roster.toml`"),
    Variable(("PROFILECTL_BRAND",), "the brand that is meant where `--brand` names none"),
    Variable(
        ("PROFILECTL_LEDGER",),
        "the ledger's file; else `profilectl/HOST/ledger.db` in `XDG_STATE_HOME`, for X's host",
    ),
    Variable(("PROFILECTL_API_URL",), "where X is, `https://api.x.com`; `http://` only on loopback"),
    Variable(("PROFILECTL_SANDBOX",), "`1` means `--sandbox`; `0` or nothing the real X"),
    Variable(("PROFILECTL_CREDENTIALS_FILE",), "the four credentials as JSON, in a file that only its owner can read"),
    Variable(
        (
            "PROFILECTL_CONSUMER_KEY",
            "PROFILECTL_CONSUMER_SECRET",
            "PROFILECTL_ACCESS_TOKEN",
            "PROFILECTL_ACCESS_TOKEN_SECRET",
        ),
        "the four credentials themselves; all or none",
    ),
    Variable(("CREDENTIALS_DIRECTORY",), "where systemd lays credentials ready: `profilectl.HANDLE` or `profilectl`"),
    Variable(("PYTHON_KEYRING_BACKEND",), "the keyring, by its class: one that profilectl knows to keep secrets"),
    Variable(
        ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"), "where the Secret Service is; else `/run/user/UID` is tried"
    ),
    Variable(("HOME",), "the folder that `~` stands for"),
    Variable(("XDG_CONFIG_HOME",), "where `profilectl/config.toml` is; else `~/.config` or this system's like of it"),
    Variable(("XDG_CACHE_HOME",), "where caches are kept, in `profilectl/`; else `~/.cache`"),
    Variable(
        ("XDG_STATE_HOME",),
        "where the ledger and the log of an unexpected failure are; else `~/.local/state`",
    ),
    Variable(("VISUAL", "EDITOR"), "the editor of `send --edit`; the first that is set, with its arguments"),
    Variable(
        ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        "the proxy between here and X, and the hosts without one; lower case works, too, and loopback has none",
    ),
    Variable(("SSL_CERT_FILE", "SSL_CERT_DIR"), "certificates to trust in place of the built-in ones"),
    Variable(("NO_COLOR",), "anything means no colours"),
    Variable(("COLUMNS",), "the terminal's width; else the terminal is asked"),
    Variable(("TERM",), "`dumb` means no tables, colours or progress"),
    Variable(
        ("KITTY_WINDOW_ID", "TERM_PROGRAM", "TMUX", "STY"),
        "which terminal this is, and so whether `preview` can draw real pictures",
    ),
)
