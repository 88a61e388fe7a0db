"""A value of each option, for who has typed one without."""

from __future__ import annotations

VALUES = {
    "--account": "acmecare",
    "--actor": "ann",
    "--admin": "acme_admin",
    "--against": "/srv/audit/acme",
    "--agent": "alice",
    "--agent ROLE": "acme_desk",
    "--allow-deletes": "3",
    "--allow-lost": "3",
    "--as": "alice",
    "--at": "2026-05-03",
    "--avatar": "avatars/alice.png",
    "--before": "2026-01-01",
    "--brand": "acme",
    "--credentials-file": "acme.json",
    "--csv": "people.csv",
    "--cta": "'Your order=https://acme.example/orders/7'",
    "--days": "7",
    "--event": "created",
    "--except": "alice:avatar",
    "--expect": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "--file": "answer.txt",
    "--first": "Alice",
    "--format FORMAT": "csv",
    "--from DAY": "2026-12-01",
    "--from FILE": "~/.twurlrc",
    "--handle": "acmecare",
    "--html": "faces.html",
    "--jobs": "4",
    "--key": "refund-4711",
    "--kind": "bot",
    "--label LABELS": "team=night",
    "--label NAME=VALUE": "team=night",
    "--language": "en",
    "--last": "Fast",
    "--limit": "100",
    "--map": "name=display_name",
    "--max-deletes": "3",
    "--max-wait": "30m",
    "--media": "receipt.png",
    "--name": "'Alice F.'",
    "--operators": "ann,bob",
    "--out": "plan.json",
    "--pages": "5",
    "--photo": "~/alice.jpg",
    "--photos": "faces",
    "--picture-base": "https://github.com/acme/roster/raw/main",
    "--plan": "plan.json",
    "--port": "8787",
    "--quick-reply": "Yes",
    "--reader": "acme_reader",
    "--roster": "teams/roster.toml",
    "--schema": "profilectl",
    "--seed": "7",
    "--sheet": "faces.png",
    "--since": "2026-11-01",
    "--text": "'How can I help?'",
    "--timeout": "60",
    "--timezone": "Europe/Berlin",
    "--title": "'Care Specialist'",
    "--to": "@customer",
    "--trouble": "0.05",
    "--unset": "title",
    "--until": "2027-01-31",
    "--url": "http://127.0.0.1:8787",
    "--wait": "2h",
    "--world": "world.db",
}
"""A value that each option takes, as it is typed; under the option as help declares it where it has several uses."""


def value_of(name: str, metavar: str) -> str:
    """Return a value that an option takes, as a person types it.

    Args:
        name: the option, such as ``--handle``.
        metavar: what help calls its value.
    """
    return VALUES.get(f"{name} {metavar}") or VALUES[name]
