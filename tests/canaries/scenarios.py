"""What is run of every command, so that none can be forgotten: a new command needs a scenario here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Scenario:
    """Command lines of one command, run one after the other on the scene that `conftest` sets.

    Attributes:
        code: how each of them ends while X behaves.
        asks_x: it speaks to X, so it also has to bear every answer that X may give.
        is_server: it never ends by itself.
    """

    lines: tuple[str, ...]
    code: int = 0
    asks_x: bool = False
    is_server: bool = False


def _offline(*lines: str, code: int = 0) -> Scenario:
    return Scenario(lines, code)


def _online(*lines: str) -> Scenario:
    return Scenario(lines, asks_x=True)


STRANGER = "100004"  # the profile that the scene's ledger doesn't know

SCENARIOS: dict[str, Scenario] = {
    "audit export": _offline("audit export --since 2026-01-01 --until 2099-12-31"),
    "audit log": _offline("audit log", "audit log --json", "audit log --csv"),
    "audit checkpoint": _offline("audit checkpoint", "audit checkpoint --json", code=2),  # no key here
    "audit prune": _offline(
        "audit prune --before 2020-01-01 --yes", f"audit prune --before {datetime.now(UTC):%Y-%m-%d} --yes --json"
    ),
    "audit reconcile": _online("audit reconcile", "audit reconcile --json"),
    "audit sent": _offline("audit sent", "audit sent --json"),
    "audit verify": _offline("audit verify", "audit verify --json", "audit verify --accept-break --yes"),
    "audit who": _offline("audit who Alice --brand acme", "audit who Alice --brand acme --json"),
    "auth default": _offline("auth default acme", "auth default --clear --json"),
    "auth import": _offline("auth import --list", "auth import --list --json"),
    "auth list": _offline("auth list", "auth list --json"),
    "auth login": _offline("auth login --with-token", "auth login --with-token --json", code=4),  # there is no keyring
    "auth logout": _offline("auth logout", code=4),
    "auth status": _offline("auth status", "auth status --json"),
    "completion": _offline("completion bash", "completion fish"),
    "demo": _offline("demo"),
    "diff": _online("diff", "diff --json"),
    "doctor": _online("doctor", "doctor --json"),
    "feedback report": _online("feedback report", "feedback report --json"),
    "init": _offline("init --roster new/roster.toml --handle acmecare"),
    "ledger accept-restore": _offline("ledger accept-restore --yes", "ledger accept-restore --json --yes"),
    "ledger backup": _offline("ledger backup copy.db", "ledger backup copy.db --force --json"),
    "ledger export": _offline("ledger export", "ledger export copy.jsonl --json"),
    "ledger grants": _offline("ledger grants", "ledger grants --json"),
    "ledger import": _offline("ledger import -", "ledger import - --json", code=5),  # stdin holds credentials
    "ledger migrate": _offline("ledger migrate moved.db --yes"),
    "ledger show": _offline("ledger show", "ledger show --json"),
    "ledger unlock": _offline("ledger unlock --yes", "ledger unlock --yes --json"),
    "offboard": _online("offboard bob --yes"),
    "preview": _offline("preview alice", "preview --html preview.html"),
    "profiles adopt": _online(f"profiles adopt dora {STRANGER} --yes"),
    "profiles destroy": _online(f"profiles destroy {STRANGER} --yes"),
    "profiles forget": _offline("profiles forget alice --yes"),
    "profiles list": _online("profiles list", "profiles list --json"),
    "recover": _online("recover --yes --roster lost/roster.toml"),
    "roster add": _offline("roster add fay --name Fay", "roster add gus --name Gus --avatar avatars/face.png --json"),
    "roster check": _offline("roster check", "roster check --json"),
    "roster fmt": _offline("roster fmt --json", "roster fmt --check"),
    "roster list": _offline("roster list"),
    "roster remove": _offline("roster remove emil", "roster remove dora --json"),
    "roster rename": _offline("roster rename emil emilio", "roster rename dora dorothea --json"),
    "roster set": _offline("roster set emil title=Care", "roster set emil --unset title --json"),
    "roster show": _offline("roster show emil --explain", "roster show emil --json"),
    "roster export": _offline("roster export", "roster export --format jsonl"),
    "roster import": _offline("roster import /dev/stdin", "roster import /dev/stdin --dry-run", code=5),  # as above
    "roster pull": _offline("roster pull", "roster pull okta --json", code=2),  # none is set up
    "sandbox faults": _offline("sandbox faults --sandbox", "sandbox faults --clear --sandbox"),
    "sandbox reset": _offline("sandbox reset --sandbox"),
    "sandbox serve": Scenario(("sandbox serve --port 0",), code=143, is_server=True),
    "send": _online("send --as emil --to @customer Hello", "send --as emil --to 7007 Hello --json"),
    "thread": _online("thread @customer", "thread @customer --json"),
    "inbox": _online("inbox", "inbox --json"),
    "sync": _online("sync --yes", "sync --yes --json"),
}
