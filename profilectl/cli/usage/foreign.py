"""The words of other tools, and what does here what they do there."""

from __future__ import annotations

_REPLY = (
    '`profilectl send --as AGENT --to @HANDLE "text"` answers a customer, '
    "`profilectl thread @HANDLE` shows what they wrote"
)
_DRAFTS = "`profilectl send --as AGENT --to @HANDLE --edit` opens the draft to that customer, and names all others"

COMMANDS = {
    "answer": _REPLY,
    "apply": "`profilectl sync` makes X equal to the roster",
    "configure": "`profilectl auth login` keeps credentials, `profilectl init` writes a roster",
    "delete": "`profilectl offboard AGENT` removes a person, `profilectl profiles destroy ID` one profile at X",
    "deploy": "`profilectl sync` makes X equal to the roster",
    "dm": '`profilectl send --as AGENT --to @HANDLE "text"` sends a message',
    "draft": _DRAFTS,
    "drafts": _DRAFTS,
    "help": "`profilectl --help` shows all commands",
    "lint": "`profilectl roster check` looks for mistakes in the roster",
    "log": "`profilectl audit log` shows who changed and sent what",
    "logs": "`profilectl audit log` shows who changed and sent what",
    "ls": "`profilectl profiles list` shows the profiles at X, `profilectl roster list` the agents",
    "message": '`profilectl send --as AGENT --to @HANDLE "text"` sends a message',
    "new": "`profilectl init` writes a roster to start from",
    "plan": "`profilectl diff` shows what sync would do",
    "post": '`profilectl send --as AGENT --to @HANDLE "text"` sends a message',
    "pull": "`profilectl init --from-live` writes a roster from what is at X",
    "push": "`profilectl sync` makes X equal to the roster",
    "remove": "`profilectl offboard AGENT` removes a person, `profilectl profiles destroy ID` one profile at X",
    "reply": _REPLY,
    "rm": "`profilectl offboard AGENT` removes a person, `profilectl profiles destroy ID` one profile at X",
    "status": "`profilectl auth status` shows the credentials, `profilectl doctor` whether all works",
    "test": "`profilectl roster check` looks for mistakes in the roster, `profilectl doctor` for those of the machine",
    "update": "`profilectl sync` makes X equal to the roster",
    "validate": "`profilectl roster check` looks for mistakes in the roster",
    "version": "`profilectl --version` prints the version",
    "whoami": "`profilectl auth status` shows the accounts whose credentials are here",
}
"""What to type instead of another tool's command, by that command."""

SYNONYMS = {
    "add": ("adopt", "login"),
    "cat": ("show",),
    "create": ("add", "init"),
    "delete": ("remove", "destroy", "logout"),
    "describe": ("show",),
    "dump": ("export",),
    "edit": ("set",),
    "get": ("show", "list"),
    "lint": ("check",),
    "load": ("import",),
    "ls": ("list",),
    "new": ("add", "init"),
    "remove": ("forget", "destroy", "logout"),
    "restore": ("import", "accept-restore"),
    "rm": ("remove", "destroy", "logout"),
    "run": ("serve",),
    "start": ("serve",),
    "update": ("set",),
    "validate": ("check", "verify"),
    "view": ("show",),
    "whoami": ("status",),
}
"""The commands of a group that other tools call otherwise, the likeliest first."""

_YES = (("", "--yes", "--yes agrees without being asked"),)
_DRY_RUN = (
    ("", "--dry-run", "--dry-run shows what would be sent"),
    ("sync", "", "`profilectl diff` shows what sync would do"),
    ("diff", "", "leave it out: diff changes nothing"),
)
_BRAND = (("", "--brand", "--brand BRAND names the account"),)
_MOMENT = (("who", "--at", "did you mean --at?"),)
_JSON = (("", "--json", "--json prints one JSON document"),)


def _field(example: str) -> tuple[tuple[str, str, str], ...]:
    """Return the hint for an option of `roster add` that `roster set` has as a field."""
    return (("set", "--unset", f"fields are typed without dashes: {example}"),)


OPTIONS = {
    "--account": _BRAND,
    "--agent": (("sent", "--as", "did you mean --as?"),),
    "--as": (("log", "--agent", "did you mean --agent?"),),
    "--assume-yes": _YES,
    "--auto-approve": _YES,
    "--avatar": _field("avatar=avatars/alice.png"),
    "--check": _DRY_RUN,
    "--config": (("", "--roster", "--roster PATH names the roster"),),
    "--debug": (("", "--verbose", "--verbose tells about every call"),),
    "--dry-run": _DRY_RUN,
    "--first": _field("first=Alice"),
    "--force": _YES,
    "--from": _field("from=2026-12-01"),
    "--kind": _field("kind=bot"),
    "--label": _field("labels.team=night"),
    "--last": _field("last=Fast"),
    "--name": _field("name='Alice F.'"),
    "--no-color": (("", "", "the variable NO_COLOR=1 turns colours off"),),
    "--non-interactive": (("", "--no-input", "--no-input never asks"),),
    "--noop": _DRY_RUN,
    "--on": _MOMENT,
    "--operators": _field("operators=ann,bob"),
    "--output": _JSON,
    "--plan-only": _DRY_RUN,
    "--preview": _DRY_RUN,
    "--profile": _BRAND,
    "--simulate": _DRY_RUN,
    "--since": _MOMENT,
    "--title": _field("title='Care Specialist'"),
    "--until": (*_MOMENT, *_field("until=2027-01-31")),
    "--whatif": _DRY_RUN,
    "-V": (("", "", "`profilectl --version` prints the version"),),
    "-f": _YES,
    "-l": _field("labels.team=night"),
    "-n": _DRY_RUN,
    "-o": _JSON,
    "-y": _YES,
}
"""What to type instead of another tool's option: for which command (empty: any), the option that this command must have
(empty: none), and the hint.
"""
