"""What a person saw beside a message in X's apps, which no call of X tells: the questions, and the dated answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

APPS: Final = {"ios": "iOS", "android": "Android", "web": "web", "xchat": "XChat"}
"""Where a customer may read a message, by the word of the record; XChat is X's new messenger, inside of its apps."""

SEEN: Final = {"both": "yes", "name": "name only", "picture": "picture only", "nothing": "no"}
"""What a person may see of the agent's face, by the word that is typed and recorded, and how it is summed up."""

UNKNOWN: Final = (
    "many customers read in XChat by now, and X doesn't publish whether it shows agents' names and pictures: "
    "`profilectl doctor --face-check --to @YOUR_TEST_ACCOUNT` sends one message and records what you see"
)


def question(app: str) -> str:
    """Return what a person is asked about one of `APPS`."""
    return f"{APPS[app]}: what do you see beside the message? {', '.join(SEEN)}; Enter where you can't look"


def answer_of(text: str) -> str | None:
    """Return what somebody typed as one of `SEEN`, of which the beginning will do; None for anything else."""
    typed = text.strip().casefold()
    fitting = [word for word in SEEN if typed and word.startswith(typed)]
    return fitting[0] if len(fitting) == 1 else None


def describe(at_ms: int, answers: Mapping[str, object]) -> str:
    """Return when a person looked last, epoch milliseconds, and what they saw, by app."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
    seen = ", ".join(
        f"{name} {SEEN.get(str(answers[app]), 'unknown')}" for app, name in APPS.items() if answers.get(app)
    )
    return f"last seen by a person on {day}: {seen}"
