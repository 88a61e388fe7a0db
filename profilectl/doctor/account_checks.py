"""What the doctor checks for each brand: its credentials, and what X lets it do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.credentials.login import MESSAGE_LEVELS
from profilectl.doctor.face_check import describe
from profilectl.doctor.machine_checks import MachineChecks
from profilectl.doctor.report import (
    NEEDS,
    Check,
    CheckResult,
    access_result,
    failed,
    ok,
    profiles_result,
    quota_result,
    warning,
)
from profilectl.errors import (
    CredentialsError,
    LedgerRefused,
    NotAllowlisted,
    ProfilectlError,
    ProfilesWithdrawn,
    RemoteError,
    TryLater,
    UsageError,
    WrongAccount,
)
from profilectl.ledger.accounts import as_withdrawal, require_distinct, unknown_account
from profilectl.model import Account, Brand, LedgerState, Profile
from profilectl.plan.builder import Plan
from profilectl.plan.fingerprint import Basis
from profilectl.plan.intents import Observation, known_ids, missing_bindings
from profilectl.plan.namesakes import find_namesakes
from profilectl.sync.quota import CALLS_A_DAY, forecast
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.config import LoggedIn
    from profilectl.credentials.sources import AccountStatus
    from profilectl.doctor.machine_checks import Machine
    from profilectl.doctor.report import Report
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.secret import Credentials

_END_OF_CALENDARS = 253_402_300_800  # epoch seconds: the year 10000
_LOG_IN = (
    "`profilectl auth login` asks for X's four values; PROFILECTL_CREDENTIALS_FILE, credential_command or the four "
    "variables do without a keyring; `profilectl demo` shows everything without an account"
)
_WHOSE = "name the account: a roster with its handle, as `profilectl init` writes one, says whose they are"
_VERIFIED = {
    True: "the account is verified",
    False: "X doesn't call the account verified",
    None: "X doesn't say whether the account is verified",
}
_PER_ACCOUNT = frozenset({"command", "stdin"})  # sources that can't be asked without a handle, or not twice


class Accounts(Struct, frozen=True):
    """What the checks of accounts look at; a function is called when its check begins, and may raise."""

    host: Callable[[], str]  # with the port
    logged_in: Callable[[], Sequence[LoggedIn]]  # at every host
    describe: Callable[[str], AccountStatus]
    describe_anonymous: Callable[[], AccountStatus | None]
    find_credentials: Callable[[str], Credentials]  # by handle, empty when nobody has named an account
    connect: Callable[[Credentials], XClient]
    wait_command: str  # waits until X allows custom profiles
    options: str = ""  # with which a command means the same roster and X, with a space before them


class AccountTarget(Struct, frozen=True):
    """One account that is checked."""

    label: str | None  # what its lines are marked with; None when nobody has named it
    handle: str  # without @; empty when nobody has named it
    brand: Brand | None = None  # as the roster has it

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return f"@{visible(self.handle)}" if self.handle else "this account"


class AccountChecks:
    """The checks of one account, each with what those before it have brought; `check_profiles` comes after the files'.

    `status` says where its credentials would come from, or is the error because of which that isn't known.
    """

    def __init__(
        self, checks: MachineChecks, accounts: Accounts, target: AccountTarget, status: AccountStatus | ProfilectlError
    ) -> None:
        self.checks = checks
        self.accounts = accounts
        self.target = target
        self.status = status
        self.credentials: Credentials | None = None
        self.client: XClient | None = None
        self.account: Account | None = None
        self.profiles: tuple[Profile, ...] = ()  # as X lists them
        self.refusal: NotAllowlisted | None = None  # X's answer that the allowlist is what is missing
        self.needs_eyes = False  # whether agents have profiles, and nobody has said yet what X's apps show of them
        self.others: dict[str, Account] = {}  # accounts of other brands, by their keys

    def run(self) -> None:
        """Run all the checks that are this account's own."""
        # Only credentials that are in the keyring need it to work.
        in_keyring = getattr(self.status, "source", None) == "keyring"
        keyring = (Check.KEYRING,) if in_keyring else NEEDS.get(Check.CREDENTIALS, ())
        for check, examine, needs in (
            (Check.CREDENTIALS, self._check_credentials, keyring),
            (Check.TOKEN, self._check_token, None),
            (Check.ACCESS, self._check_access, None),
            (Check.ALLOWLIST, self._check_allowlist, None),
            (Check.QUOTA, self._check_quota, None),
        ):
            self.checks.run(check, examine, self.target.label, needs)

    def check_profiles(self) -> None:
        """Check whose the account's profiles are, by roster and ledger."""
        self.checks.run(Check.PROFILES, partial(self.checks.within_deadline, self._check_profiles), self.target.label)

    def _check_profiles(self) -> CheckResult:
        brand, account = self.target.brand, self.account
        if brand is None or account is None:
            return ok("only a roster says whose they are")
        try:
            former = self.checks.machine.former_ledger(account.user_id)
            with self.checks.machine.open_ledger() as ledger:
                state, seen = ledger.state_of(account.user_id), ledger.face_check(account.user_id)
                unknown = unknown_account(
                    account,
                    len(self.profiles),
                    former,
                    is_known=ledger.knows(account.user_id),
                    is_registered=account.user_id in ledger.user_ids(),
                )
        except (LedgerRefused, TryLater, UsageError):  # which has a line of its own
            return ok("only a ledger that can be read says whose they are")
        roster = self.checks.machine.read_roster()
        agents = roster.agents_of(brand.key)
        known = known_ids(state)
        retired = {profile.profile_id for profile in state.retired}
        ours = sum(profile.id in known for profile in self.profiles)
        gone = sum(profile.id in retired for profile in self.profiles)
        counts = f"{ours - gone:,} bound, {gone:,} retired, {len(self.profiles) - ours:,} not ours"
        counts += "" if seen is None else f"; {describe(*seen)}"
        self.needs_eyes = seen is None and ours > gone
        namesakes = tuple(find_namesakes(agents, self.profiles, state))
        if unknown is not None:
            return self._refusal_of(unknown)
        lost = self._count_lost(state, roster.policy.settle_after)
        return profiles_result(brand.key, namesakes, counts, self.accounts.options, lost, len(state.bindings))

    def _refusal_of(self, unknown: UnknownAccount) -> CheckResult:
        """Return what each `sync` says of such an account, with its exit code."""
        machine, place = self.checks.machine, str(self.checks.machine.ledger_place())
        ways_on = unknown.ways_on(self.accounts.options, is_sandbox=machine.uses_sandbox, ledger=place)
        return failed(LedgerRefused(unknown.describe(place), hint=ways_on))

    def _count_lost(self, state: LedgerState, settle_after: int) -> int:
        """Count the bound profiles that X should list and doesn't."""
        if self.client is None:
            return 0
        observation = Observation("", self.profiles, self.client.now_ms(), state)
        return len(missing_bindings(observation, settle_after))

    def _connected(self) -> XClient:
        if self.client is None:
            if self.credentials is None:
                raise CredentialsError(f"no credentials for {self.target.title}")
            self.client = self.accounts.connect(self.credentials)
        return self.client

    def _check_credentials(self) -> CheckResult:
        if isinstance(self.status, ProfilectlError):
            raise self.status
        if not self.status.usable:
            raise CredentialsError(self.status.problem or "unusable", hint=self.status.hint)
        if not self.status.handle and self.status.source in _PER_ACCOUNT:
            raise CredentialsError(f"{self.status.source}: it isn't said whose credentials are meant", hint=_WHOSE)
        credentials = self.checks.within_deadline(partial(self.accounts.find_credentials, self.target.handle))
        self.credentials = credentials
        place = self.status.backend or credentials.source
        where = f"keyring ({place})" if self.status.source == "keyring" else place
        return ok(f"{where}, token ends in …{credentials.token.tail()}")

    def _check_token(self) -> CheckResult:
        account = self.account = self._connected().verify_credentials()
        self.checks.user_ids.append(account.user_id)
        handle = visible(account.handle)
        text = f"@{handle}, user id {visible(account.user_id)}"
        if self.target.brand is not None:
            require_distinct(self.others | {self.target.brand.key: account})
        in_ledger = self._account_in_ledger(account)
        if not self.target.handle or self.target.handle.casefold() == account.handle.casefold():
            return ok(f"accepted by X: {text}")
        # The user id stays when an account is renamed; the ledger and the login know it.
        if in_ledger is not None or self._logged_in_as_target(account):
            hint = f"the user id is the one that is known, so it was renamed at X: write {handle} into the roster"
            return warning(f"accepted by X: {text}, which was {self.target.title} before", hint)
        hint = f"log in as {self.target.title}: `profilectl auth login`; or mend the handle in the roster"
        raise WrongAccount(f"these credentials belong to {text}, not to {self.target.title}", hint=hint)

    def _logged_in_as_target(self, account: Account) -> bool:
        """Say whether the account had the expected handle when it logged in."""
        if self.checks.machine.uses_sandbox:
            return False
        login = account.user_id, self.accounts.host(), self.target.handle.casefold()
        return login in ((entry.user_id, entry.host, entry.handle.casefold()) for entry in self.accounts.logged_in())

    def _account_in_ledger(self, account: Account) -> Account | None:
        """Return how the ledger knows the brand; WrongAccount when it is as another account."""
        brand = self.target.brand
        if brand is None:
            return None
        with suppress(LedgerRefused, TryLater, UsageError), self.checks.machine.open_ledger() as ledger:
            ledger.check_account(brand.key, account)
            return ledger.account_of(brand.key)
        return None  # a ledger that can't be read has a line of its own

    def _check_access(self) -> CheckResult:
        level = self.account.access_level if self.account is not None else None
        return access_result(None if level is None else visible(level), MESSAGE_LEVELS)

    def check_again(self, connect: Callable[[Credentials], XClient]) -> Iterator[tuple[Check, CheckResult]]:
        """Ask X anew whether the account may use custom profiles, and yield what this changes in the report.

        Raises:
            RemoteError: X refuses it for another reason.
        """
        if self.credentials is not None:
            self.client = connect(self.credentials)  # the first one's deadline is over
        try:
            yield Check.ALLOWLIST, self._check_allowlist()
        except NotAllowlisted as error:
            yield Check.ALLOWLIST, failed(error)
        else:
            yield Check.PROFILES, self._check_profiles()

    def _check_allowlist(self) -> CheckResult:
        verified = _VERIFIED[self.account.verified if self.account is not None else None]
        try:
            profiles = self.profiles = self._connected().list_profiles()
        except RemoteError as error:
            withdrawal = self._as_withdrawal(error)
            if withdrawal is not None:
                self.refusal = withdrawal
                raise withdrawal from None
            if not isinstance(error, NotAllowlisted):
                raise
            again = f"`{self.accounts.wait_command}` keeps asking X, and ends when it agrees"
            refusal = error.with_message(f"{error.message}; {verified}")
            self.refusal = refusal.with_hint(f"{error.hint}\n{self.application()}\n{again}")
            raise self.refusal from None
        self.refusal = None
        count = "1 profile" if len(profiles) == 1 else f"{len(profiles):,} profiles"
        return ok(f"X allows custom profiles: it lists {count}; {verified}")

    def _as_withdrawal(self, error: RemoteError) -> ProfilesWithdrawn | None:
        """Return what a refusal of the list means for an account that the ledger has known with profiles, or None."""
        if self.account is None:
            return None
        with suppress(LedgerRefused, TryLater, UsageError), self.checks.machine.open_ledger() as ledger:
            return as_withdrawal(error, self.account, ledger)
        return None  # a ledger that can't be read has a line of its own

    def application(self) -> str:
        """Return the request to X to allow custom profiles, ready to be sent."""
        account = self.account
        who = f"@{visible(account.handle)} (user id {visible(account.user_id)})" if account else self.target.title
        return (
            f'Ask for: "Custom Profiles for Direct Messages (/1.1/custom_profiles) for {who}, app id … '
            "(in X's developer console), privacy policy https://…\""
        )

    def _check_quota(self) -> CheckResult:
        client = self._connected()
        limits = client.rate_limits()
        resets = {limit["reset"] for limit in limits.values() if 0 < limit.get("reset", 0) < _END_OF_CALENDARS}
        moments = {reset: datetime.fromtimestamp(reset, UTC) for reset in resets}
        return quota_result(limits, self._count_creates(client.now_ms()), moments)

    def _count_creates(self, now_ms: int) -> str:
        """Say what the ledger knows of the last day's creates, which X counts but doesn't report."""
        user_id = self.account.user_id if self.account is not None else ""
        try:
            events = self.checks.recent_calls.get(user_id, ())
        except (LedgerRefused, TryLater, UsageError):
            return f"X allows {CALLS_A_DAY:,} creates in 24 h"
        empty = Plan((), Basis("", "", "", ""))  # only what was used before counts here
        used = forecast(empty, self.target.label or "", events, now_ms).creates.used
        return f"{used:,} of {CALLS_A_DAY:,} creates used in 24 h, as far as the ledger knows"


def run_checks(machine: Machine, accounts: Accounts) -> tuple[Report, tuple[AccountChecks, ...]]:
    """Run every check once, and return the report and the checks of the accounts, for `check_allowlists_again`.

    Raises:
        UsageError: a brand was named that the roster doesn't have.
    """
    checks = MachineChecks(machine)
    checks.check_connection()
    described = list(_targets(checks, accounts))
    sources = [getattr(status, "source", None) for _, status in described]
    checks.check_keyring(needed="keyring" in sources if described else None)
    account_checks = tuple(AccountChecks(checks, accounts, target, status) for target, status in described)
    examined = account_checks or (AccountChecks(checks, accounts, *_nobody(machine, accounts)),)
    for account in examined:
        account.others = {
            other.target.brand.key: other.account for other in examined if other.target.brand and other.account
        }
        account.run()
    checks.check_files()
    for account in examined:
        account.check_profiles()
    return checks.report, account_checks


def check_allowlists_again(
    report: Report, checks: Sequence[AccountChecks], connect: Callable[[Credentials], XClient]
) -> Report:
    """Ask X about every account that it hasn't allowed custom profiles yet, and return the report with the results."""
    for account in checks:
        if account.refusal is not None:
            for check, result in account.check_again(connect):
                report = report.with_result(check, account.target.label, result)
    return report


def _nobody(machine: Machine, accounts: Accounts) -> tuple[AccountTarget, CredentialsError]:
    """Return the target and its error where nobody has set up anything."""
    if machine.uses_sandbox:
        message = "the sandbox makes an account for every brand of the roster, and there is none"
        error = CredentialsError(message, hint="`profilectl init` writes a roster to start from")
    else:
        message = f"nobody is logged in at {accounts.host()}, and no other source is set up"
        error = CredentialsError(message, hint=_LOG_IN)
    return AccountTarget(None, ""), error


def _targets(
    checks: MachineChecks, accounts: Accounts
) -> Iterator[tuple[AccountTarget, AccountStatus | ProfilectlError]]:
    """Yield the accounts to check, each with where its credentials would come from, or the error that hides it."""
    # The roster's brands; without a roster, whoever is logged in, or whose credentials are set up.
    targets = [AccountTarget(brand.key, brand.handle, brand) for brand in checks.brands]
    try:
        if not targets and not checks.machine.uses_sandbox:
            host = accounts.host()
            handles = [login.handle for login in accounts.logged_in() if login.host == host]
            targets = [AccountTarget(f"@{handle}", handle) for handle in handles]
        if not targets and (anonymous := accounts.describe_anonymous()) is not None:
            label = f"@{anonymous.handle}" if anonymous.handle else None
            yield AccountTarget(label, anonymous.handle), anonymous
    except ProfilectlError as error:
        yield AccountTarget(None, ""), error
    for target in targets:
        try:
            yield target, checks.within_deadline(partial(accounts.describe, target.handle))
        except ProfilectlError as error:
            yield target, error
