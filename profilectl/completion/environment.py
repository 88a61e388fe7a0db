"""Every environment variable that profilectl looks at, in one sentence each, for the manual and docs/output.md."""

from __future__ import annotations

from typing import Final

# Names that one sentence explains stand together. Its full stop is the manual's: the page's table has none.
VARIABLES: Final = {
    "PROFILECTL_ROSTER": "the roster; else `./roster.toml`",
    "PROFILECTL_BRAND": "the brand that is meant where `--brand` names none",
    "PROFILECTL_LEDGER": (
        "the ledger, a file or `postgresql://...`; else `ledger` in config.toml; "
        "else `profilectl/HOST/ledger.db` in `XDG_STATE_HOME`, for X's host"
    ),
    "PROFILECTL_AUDIT_ANCHOR": "the folder that gets a signed checkpoint of the record after every sync",
    "PROFILECTL_API_URL": "where X is, `https://api.x.com`; `http://` only on loopback",
    "PROFILECTL_SANDBOX": "`1` means `--sandbox`; `0` or nothing the real X",
    "PROFILECTL_CREDENTIALS_FILE": "the four credentials as JSON, in a file that only its owner can read",
    "PROFILECTL_CONSUMER_KEY, PROFILECTL_CONSUMER_SECRET, PROFILECTL_ACCESS_TOKEN, PROFILECTL_ACCESS_TOKEN_SECRET": (
        "the four credentials themselves; all or none"
    ),
    "CREDENTIALS_DIRECTORY": "where systemd lays credentials ready: `profilectl.HANDLE` or `profilectl`",
    "PYTHON_KEYRING_BACKEND": "the keyring, by its class: one that profilectl knows to keep secrets",
    "DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR": "where the Secret Service is; else `/run/user/UID` is tried",
    "PGHOST, PGHOSTADDR, PGSERVICE, PGSSLROOTCERT": (
        "the ledger's database, as all clients of PostgreSQL read them; `PGPASSWORD` and `PGPASSFILE` work as well"
    ),
    "HOME": "the folder that `~` stands for",
    "XDG_CONFIG_HOME": "where `profilectl/config.toml` is; else `~/.config` or this system's like of it",
    "XDG_CACHE_HOME": "where caches are kept, in `profilectl/`; else `~/.cache`",
    "XDG_STATE_HOME": "where the ledger and the log of an unexpected failure are; else `~/.local/state`",
    "VISUAL, EDITOR": "the editor of `send --edit`; the first that is set, with its arguments; else `editor` or `vi`",
    "PATH": "the folders in which `editor`, `vi` and other programs are looked for",
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY": (
        "the proxy between here and X, and the hosts without one, as curl reads them: `*`, domains, addresses, "
        "networks; lower case works, too, and loopback has none"
    ),
    "SSL_CERT_FILE, SSL_CERT_DIR": "certificates to trust in place of the built-in ones",
    "NO_COLOR": "anything means no colours",
    "COLUMNS": "the terminal's width; else the terminal is asked",
    "TERM": "`dumb` means no tables, colours or progress",
    "KITTY_WINDOW_ID, TERM_PROGRAM, TMUX, STY": (
        "which terminal this is, and so whether `preview` can draw real pictures"
    ),
}
