"""The profiles that welcome messages carry: none of them is destroyed while customers are greeted with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from profilectl.errors import CredentialsError, PersonNeeded, Refused, RemoteError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WelcomeProfiles:
    """One brand's, asked for once in a run, when the first profile is about to be destroyed.

    X doesn't let every app read them, and destroying a leaver's profile matters more than a greeting: a call that fails
    stops nothing.
    """

    read: Callable[[], frozenset[str]]  # asks X for their ids; RemoteError when it can't be asked
    warn: Callable[[str], None]  # called with a sentence when X couldn't be asked, unless it refuses such calls
    ids: frozenset[str] | None = None  # None before X was asked

    def refusal(self, profile_id: str) -> PersonNeeded | None:
        """Return why a profile mustn't be destroyed now, or None."""
        if self.ids is None:
            self.ids = self._ask()
        if profile_id not in self.ids:
            return None
        return PersonNeeded(
            f"profile {profile_id} isn't destroyed: a welcome message of the brand's carries it",
            hint="give that message another profile or none, then run the same command again",
        )

    def _ask(self) -> frozenset[str]:
        try:
            return self.read()
        except (Refused, CredentialsError) as error:
            _log.debug("welcome messages: %s", error)
        except RemoteError as error:
            self.warn(
                f"X's welcome messages couldn't be looked through before profiles were destroyed: {error.message}"
            )
        return frozenset()
