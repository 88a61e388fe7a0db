"""The examples of each command's help, which the manual and the reference show as well."""

from __future__ import annotations

EXAMPLES = {
    "demo": ("profilectl demo",),
    "init": (
        "profilectl init --handle acmecare",
        "profilectl init --csv people.csv --photos faces --handle acmecare",
        "profilectl init --from-live --handle acmecare",
    ),
    "diff": ("profilectl diff", "profilectl diff --out plan.json --exit-code"),
    "sync": ("profilectl sync --sandbox", "profilectl sync --plan plan.json --yes"),
    "send": (
        'profilectl send --as alice --to @customer "Your refund is on its way."',
        "profilectl send --to - --edit",
    ),
    "thread": ("profilectl thread @customer", "profilectl thread @customer --limit 100 --json"),
    "inbox": ("profilectl inbox", "profilectl inbox --waiting --json"),
    "preview": ("profilectl preview alice", "profilectl preview --html faces.html"),
    "offboard": ("profilectl offboard alice", "profilectl offboard alice --undo"),
    "recover": ("profilectl recover", "profilectl recover --brand acme --yes"),
    "doctor": ("profilectl doctor", "profilectl doctor --wait 2h"),
    "roster check": ("profilectl roster check", "profilectl roster check --strict --format github"),
    "roster list": ("profilectl roster list", "profilectl roster list -l team=night --json"),
    "roster show": ("profilectl roster show alice", "profilectl roster show alice --explain"),
    "roster add": (
        'profilectl roster add alice --name "Alice F." --photo ~/alice.jpg',
        'profilectl roster add helper --kind bot --name "Acme Helper (bot)" --avatar avatars/helper.png',
    ),
    "roster set": (
        "profilectl roster set alice title='Team Lead' until=2027-01-31",
        "profilectl roster set alice --brand acme --unset name",
    ),
    "roster remove": ("profilectl roster remove alice",),
    "roster rename": ("profilectl roster rename afast alice",),
    "roster fmt": ("profilectl roster fmt", "profilectl roster fmt --check"),
    "roster import": (
        "profilectl roster import people.csv --dry-run",
        "profilectl roster import people.csv --map name=display_name,avatar=photo --photos faces",
    ),
    "roster export": ("profilectl roster export > people.csv", "profilectl roster export -l team=night --format jsonl"),
    "roster pull": ("profilectl roster pull --dry-run", "profilectl roster pull okta --yes"),
    "feedback report": ("profilectl feedback report", "profilectl feedback report --since 2026-11-01 --json"),
    "profiles list": ("profilectl profiles list", "profilectl profiles list --brand acme --json"),
    "profiles adopt": ("profilectl profiles adopt alice 100044",),
    "profiles forget": ("profilectl profiles forget alice",),
    "profiles destroy": ("profilectl profiles destroy 100044",),
    "ledger show": ("profilectl ledger show", "profilectl ledger show --json"),
    "ledger export": ("profilectl ledger export ledger.jsonl", "profilectl ledger export | gzip > ledger.jsonl.gz"),
    "ledger import": ("profilectl ledger import ledger.jsonl", "zcat ledger.jsonl.gz | profilectl ledger import -"),
    "ledger backup": ("profilectl ledger backup ~/backup/acme-$(date +%F).db",),
    "ledger migrate": (
        "profilectl ledger migrate /srv/acme/ledger.db",
        "profilectl ledger migrate postgresql://cron@db.example.com/acme",
    ),
    "ledger unlock": ("profilectl ledger unlock",),
    "ledger accept-restore": ("profilectl ledger accept-restore",),
    "ledger grants": (
        "profilectl ledger grants | psql --set ON_ERROR_STOP=1 acme",
        "profilectl ledger grants --agent acme_desk",
    ),
    "audit log": (
        "profilectl audit log --since 2026-11-01",
        "profilectl audit log --event denied --actor ann --csv",
    ),
    "audit who": ('profilectl audit who "Alice F." --at 2026-05-03', 'profilectl audit who "Alice F." --json'),
    "audit sent": (
        "profilectl audit sent --as alice --since 2026-11-01",
        "profilectl audit sent --to 4913317101 --csv",
    ),
    "audit verify": ("profilectl audit verify", "profilectl audit verify --against /srv/audit/acme"),
    "audit checkpoint": ("profilectl audit checkpoint", "profilectl audit checkpoint --make-key"),
    "audit reconcile": ("profilectl audit reconcile", "profilectl audit reconcile --days 7 --json"),
    "audit export": ("profilectl audit export --since 2026-04-01 --until 2026-06-30 ~/audit",),
    "audit prune": ("profilectl audit prune --before 2026-01-01",),
    "auth login": (
        "profilectl auth login",
        "profilectl auth login --pin",
        "profilectl auth login --with-token < acme.json",
    ),
    "auth import": ("profilectl auth import --list", "profilectl auth import --account acmecare"),
    "auth status": ("profilectl auth status", "profilectl auth status --json"),
    "auth list": ("profilectl auth list",),
    "auth default": ("profilectl auth default acme", "profilectl auth default --clear"),
    "auth logout": ("profilectl auth logout --handle acmecare", "profilectl auth logout --revoke"),
    "sandbox serve": (
        "profilectl --sandbox sandbox serve",
        "profilectl sandbox serve --handle acmecare --handle betacare --port 0",
    ),
    "sandbox reset": ("profilectl sandbox reset", "profilectl sandbox reset --url http://127.0.0.1:8787"),
    "sandbox faults": (
        """profilectl sandbox faults '{"call": "create", "kind": "drop-after", "times": 1}'""",
        "profilectl sandbox faults --clear",
    ),
}
"""What a person might type, by the words behind `profilectl`; what a shell does with the rest is the shell's."""


def help_with_examples(words: str, text: str) -> str:
    """Return a command's help with its examples below it, in lines that stay as they are."""
    lines = EXAMPLES.get(words, ())
    if not lines:
        return text
    title = "Example:" if len(lines) == 1 else "Examples:"
    # Typer keeps the lines of a paragraph behind a backspace as they are.
    return f"{text}\n\n\b\n{title}\n" + "\n".join(f"  {line}" for line in lines)
