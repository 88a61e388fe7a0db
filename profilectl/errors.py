"""What can go wrong, and the exit code that says so.

::

    ProfilectlError                      1   what happened, to whom, what to do next
    ├── UsageError                       2   a command line that can't be obeyed
    ├── CredentialsError                 4   absent, locked, or refused
    ├── InputRefused                     5
    │   ├── RosterRefused                    every problem of a roster at once
    │   ├── AvatarRefused                    a picture that can't be used, with the reason
    │   │   └── BadgeRefused                 likewise, of a picture that a brand draws on every other
    │   ├── LedgerRefused                    damaged, too new, or unsafe to open
    │   │   └── LedgerConflict               one change can't be made any more; nothing of it was written
    │   ├── GuardRefused                     a plan that looks like an accident
    │   ├── StalePlan                        a saved plan that isn't what would be done now
    │   └── WrongAccount                     credentials of one account, ledger of another
    ├── PersonNeeded                     7   only a person can decide what is true
    │   └── IdentityNotEchoed                a message went out, but not with the agent's profile
    ├── PartlyDone                       6   what matters most was done, and what was to follow wasn't
    ├── TryLater                        75   nothing is wrong with what was asked
    ├── Declined                       130   a person was asked, and didn't agree
    │   └── Stopped                    143   SIGTERM ended the command
    │       └── HungUp                 129   SIGHUP did: its terminal has gone
    └── RemoteError                          what X answered, or didn't; knows its `Fate`
        ├── Unreachable (TryLater)      75   no connection, or a reading call that kept failing
        ├── RateLimited (TryLater)      75   429; says when to come back
        │   └── CreditsUsedUp           75   402: nothing is paid for any more, until somebody adds credits
        ├── Refused (InputRefused)       5   X understood, and said no
        │   └── NotFound                 5
        ├── CredentialsRefused (CredentialsError) 4  401 and its kin
        │   └── NotAllowlisted           4   code 87: X hasn't given this brand custom profiles yet
        │       └── ProfilesWithdrawn    4   it had, and gives none any more
        └── OutcomeUnknown (PersonNeeded) 7  sent, and nobody knows whether it was applied

A base class exists because somebody catches it: the boundary in ``cli.main`` maps every class to its exit code,
``sync`` asks a `RemoteError` for its `Fate`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Self

from profilectl.model import Problem


class ExitCode(enum.IntEnum):
    """What a script learns from the process; the tables of the documents are made from it."""

    DONE = 0, "done, or nothing to do", "nothing"
    UNEXPECTED = 1, "unexpected failure; a log file is named", "report it, with the log file that is named"
    USAGE = 2, "usage", "mend the command line, as the hint says"
    DIFFERENCES = 3, "differences found (`diff --exit-code`)", "review them; `profilectl sync` applies them"
    CREDENTIALS = (
        4,
        "no usable credentials: absent, locked, refused",
        "mend the credentials: `profilectl doctor` says what is wrong; until then every run ends so",
    )
    REFUSED = (
        5,
        "input refused: roster, avatar, ledger, guard, stale plan, wrong brand",
        "mend what was printed",
    )
    PARTIAL = 6, "partly applied", "mend what was printed; the next run does the rest"
    PERSON = (
        7,
        "a person must look: outcome unknown, namesake, identity not echoed",
        "decide, with the commands that were printed; other agents aren't held up by it",
    )
    # EX_TEMPFAIL of sysexits.h; a shell's 128 and the signal's number for the three below
    TRY_LATER = (
        75,
        "try again later: locked, rate limited, over quota, out of credits, network",
        "nothing: the next run goes on; where it comes again for a day, read why: only a person can add credits at X",
    )
    HUNG_UP = 129, "the terminal has gone (SIGHUP)", "run it again when you like"
    INTERRUPTED = 130, "interrupted (Ctrl-C), or no to a question", "run it again when you like"
    TERMINATED = 143, "terminated (SIGTERM)", "run it again when you like"

    meaning: str
    advice: str  # what whoever is called by it does next

    def __new__(cls, value: int, meaning: str, advice: str) -> Self:
        """Keep the sentences beside the number."""
        # an enum's `__init__` couldn't: `int` takes the whole tuple for its own arguments
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning, member.advice = meaning, advice
        return member

    @classmethod
    def gravest(cls, codes: Iterable[ExitCode]) -> ExitCode:
        """Return the code of a run whose parts ended with these: the first of `PRECEDENCE`; DONE for no part."""
        return min(codes, key=PRECEDENCE.index, default=cls.DONE)


# By what has to be done first, not by how much was done, which the output tells: after a signal nothing is known to be
# wrong; refused credentials stop every later run; what a person must decide stays as it is however often cron tries; a
# partial result may mend itself, and "later" does.
PRECEDENCE = (
    *(ExitCode.TERMINATED, ExitCode.HUNG_UP, ExitCode.INTERRUPTED, ExitCode.UNEXPECTED, ExitCode.USAGE),
    *(ExitCode.CREDENTIALS, ExitCode.REFUSED, ExitCode.PERSON, ExitCode.PARTIAL, ExitCode.TRY_LATER),
    *(ExitCode.DIFFERENCES, ExitCode.DONE),
)
"""The codes in the order in which one outweighs another where several fit a run."""


class Fate(enum.Enum):
    """What is known about a request that failed: the only ground on which anything is repeated."""

    NOT_APPLIED = "not applied"  # it surely didn't happen, so it may be repeated
    REFUSED = "refused"  # it surely didn't happen, and repeating won't help
    UNKNOWN = "unknown"  # it may have happened: look before anything is repeated


class ProfilectlError(Exception):
    """An expected failure, which a person reads.

    Args:
        message: what happened and to whom; one line, lower case, no full stop.
        hint: what to do next, when there is something to do.
        retry_at: when trying again makes sense (aware, UTC).
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    kind: ClassVar[str] = "unexpected"

    def __init__(self, message: str, *, hint: str | None = None, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retry_at = retry_at

    def with_message(self, message: str) -> Self:
        """Return the same error with another message; its cause is kept."""
        return self._copy(message, self.hint)

    def with_hint(self, hint: str | None) -> Self:
        """Return the same error with another hint; its cause is kept."""
        return self._copy(self.message, hint)

    def _copy(self, message: str, hint: str | None) -> Self:
        other = type(self).__new__(type(self), message)  # `__init__` takes more than this in some classes
        other.__dict__.update(self.__dict__ | {"message": message, "hint": hint})
        other.__cause__ = self.__cause__  # isn't in `__dict__`, and a crash log without it hides the failed call
        return other


class UsageError(ProfilectlError):
    """A command line that can't be obeyed."""

    exit_code = ExitCode.USAGE
    kind = "usage"


class CredentialsError(ProfilectlError):
    """No usable credentials: absent, locked, or refused."""

    exit_code = ExitCode.CREDENTIALS
    kind = "credentials"


class InputRefused(ProfilectlError):
    """Something that was handed to us can't be used as it is.

    `rule` names in a word or two what forbids somebody to send as an agent, for the record; None for other refusals.
    """

    exit_code = ExitCode.REFUSED
    kind = "input"

    def __init__(
        self, message: str, *, hint: str | None = None, retry_at: datetime | None = None, rule: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, retry_at=retry_at)
        self.rule = rule


class RosterRefused(InputRefused):
    """A roster with errors in it; `problems` holds all of them, warnings included, in file order."""

    kind = "roster"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class AvatarRefused(InputRefused):
    """A picture that can't be used, with the reason."""

    kind = "avatar"


class BadgeRefused(AvatarRefused):
    """A brand's badge that can't be used: no picture of the brand can be, and none of them is at fault."""


class LedgerRefused(InputRefused):
    """A ledger that is damaged, too new for this version, or unsafe to open."""

    kind = "ledger"


class LedgerConflict(LedgerRefused):
    """One change that can't be made any more, as the ledger has moved on; it is refused before anything is written."""


class GuardRefused(InputRefused):
    """A plan that looks like an accident; the hint names the flag that allows it.

    `agents` are (brand, agent) of those whom the guard has counted; empty where it isn't about a plan.
    """

    kind = "guard"

    def __init__(self, message: str, *, hint: str | None = None, agents: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message, hint=hint)
        self.agents = tuple(agents)


class StalePlan(InputRefused):
    """A plan that was reviewed isn't the one that would be done now, or its file isn't what ``diff`` wrote."""

    kind = "plan"


class WrongAccount(InputRefused):
    """Credentials of one account meet the ledger or the roster entry of another."""

    kind = "wrong-brand"


class PersonNeeded(ProfilectlError):
    """Only a person can decide what is true."""

    exit_code = ExitCode.PERSON
    kind = "person"


class IdentityNotEchoed(PersonNeeded):
    """A message went out, but X doesn't confirm that it carries the agent's profile."""

    kind = "identity"


class PartlyDone(ProfilectlError):
    """What matters most was done, and what was to follow wasn't."""

    exit_code = ExitCode.PARTIAL
    kind = "partial"


class TryLater(ProfilectlError):
    """Nothing is wrong with what was asked; the moment is."""

    exit_code = ExitCode.TRY_LATER
    kind = "try-later"


class Declined(ProfilectlError):
    """A person was asked and said no, or left the question with Ctrl-C or Ctrl-D."""

    exit_code = ExitCode.INTERRUPTED
    kind = "declined"


class Stopped(Declined):
    """A signal that isn't Ctrl-C ended the command: SIGTERM."""

    exit_code = ExitCode.TERMINATED
    kind = "stopped"


class HungUp(Stopped):
    """SIGHUP ended the command, as its terminal has gone."""

    exit_code = ExitCode.HUNG_UP


class RemoteError(ProfilectlError):
    """What X answered, or didn't.

    Attributes:
        status: HTTP status, None when no answer came.
        code: X's own error code, None when there was none.
        fate: whether the request may have been applied.
        is_lasting: nothing changes by itself, so that asking again at once makes no sense.
        quote: X's status, code and words as they are shown, empty where no answer of X's was understood.
    """

    # The exit code isn't decided here but by the second base of each class below: whatever failed at X, a script has to
    # do the same as for a failure of that kind elsewhere.

    kind = "remote"
    fate: ClassVar[Fate] = Fate.REFUSED

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_at: datetime | None = None,
        status: int | None = None,
        code: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry_at=retry_at)
        self.status = status
        self.code = code
        self.is_lasting = False
        self.quote = ""


class Unreachable(RemoteError, TryLater):
    """No connection, nothing that left in time, or a call that only reads and kept failing."""

    kind = "network"
    fate = Fate.NOT_APPLIED


class RateLimited(RemoteError, TryLater):
    """X wants us to wait (429, code 88); `retry_at` says until when, if X did."""

    kind = "rate-limit"
    fate = Fate.NOT_APPLIED


class CreditsUsedUp(RateLimited):
    """402: the app has no credits left at X; no moment is known at which it has some again.

    Its `fate` isn't that of a limit: an attempt a second later is refused as well.
    """

    kind = "credits"
    fate = Fate.REFUSED


class Refused(RemoteError, InputRefused):
    """X understood the request and said no."""

    kind = "refused"


class NotFound(Refused):
    """X itself says that it knows no such thing (codes 17, 34, 50, 108); a stranger's 404 is none."""

    kind = "not-found"


class CredentialsRefused(RemoteError, CredentialsError):
    """X doesn't accept who we are, or what our app may do."""

    kind = "credentials"


class NotAllowlisted(CredentialsRefused):
    """Code 87: X hasn't allowed this account to use custom profiles."""

    kind = "allowlist"


class ProfilesWithdrawn(NotAllowlisted):
    """X refuses an account custom profiles that it had allowed before, see `ledger.accounts`.

    Attributes:
        user_id: of the account.
        since: when a run of ours saw it first (aware, UTC); None when nobody was told yet.
    """

    kind = "withdrawn"
    user_id: str = ""
    since: datetime | None = None


class OutcomeUnknown(RemoteError, PersonNeeded):
    """A writing request was sent, and nobody knows whether X applied it."""

    kind = "unknown"
    fate = Fate.UNKNOWN
