"""What the doctor looks at for each brand: its credentials, and how it stands at X."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from profilectl.cli import auth_accounts
from profilectl.doctor.report import NEEDS, Judgement, Layer, doubtful, failed, fine, judge_access, judge_quota
from profilectl.errors import (
    CredentialsError,
    LedgerRefused,
    NotAllowlisted,
    ProfilectlError,
    TryLater,
    UsageError,
    WrongAccount,
)
from profilectl.ledger.sqlite import open_for_reading
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.api.client import XClient
    from profilectl.cli.read_only_context import ReadOnlyContext
    from profilectl.credentials.sources import AccountStatus
    from profilectl.doctor.machine_checks import Examination
    from profilectl.model import Account, Brand
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
_PER_ACCOUNT = frozenset({"command", "stdin"})
"""Sources that can't be asked without a handle, or not twice."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One account that is looked at.

    Attributes:
        label: what its lines are marked with; None when nobody has named it.
        handle: without @; empty when nobody has named it.
        brand: as the roster has it, None when it doesn't.
    """

    label: str | None
    handle: str
    brand: Brand | None = None

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return f"@{visible(self.handle)}" if self.handle else "this account"


class Standing:
    """The look at one brand, each step with what the steps before it have brought."""

    def __init__(self, examination: Examination, patient: Patient, status: AccountStatus | ProfilectlError) -> None:
        self.examination = examination
        self.context: ReadOnlyContext = examination.context
        self.patient = patient
        self.status = status
        self.credentials: Credentials | None = None
        self.account: Account | None = None
        self.refusal: NotAllowlisted | None = None  # X's word that the allowlist is what is missing

    @cached_property
    def client(self) -> XClient:
        """X, as this brand."""
        if self.credentials is None:
            raise CredentialsError(f"no credentials for {self.patient.title}")
        return self.context.client(self.credentials)

    def look(self) -> None:
        """Judge all the layers that are this brand's own."""
        in_keyring = getattr(self.status, "source", None) == "keyring"
        keyring = (Layer.KEYRING,) if in_keyring else NEEDS.get(Layer.CREDENTIALS, ())
        for layer, judge, needs in (
            (Layer.CREDENTIALS, self._judge_credentials, keyring),
            (Layer.TOKEN, self._judge_token, None),
            (Layer.ACCESS, self._judge_access, None),
            (Layer.ALLOWLIST, self._judge_allowlist, None),
            (Layer.QUOTA, self._judge_quota, None),
        ):
            self.examination.look(layer, judge, self.patient.label, needs)

    def _judge_credentials(self) -> Judgement:
        if isinstance(self.status, ProfilectlError):
            raise self.status
        if not self.status.usable:
            raise CredentialsError(self.status.problem or "unusable", hint=self.status.hint)
        if not self.status.handle and self.status.source in _PER_ACCOUNT:
            raise CredentialsError(f"{self.status.source}: nobody says whose credentials are wanted", hint=_WHOSE)
        credentials = self.credentials = self.examination.within(self._fetch)
        place = self.status.backend or credentials.source
        where = f"keyring ({place})" if self.status.source == "keyring" else place
        return fine(f"{where}, token ends in …{credentials.token.tail()}")

    def _fetch(self) -> Credentials:
        """Get the credentials as any command would, except that nobody is asked for the keyring's password."""
        from profilectl.credentials.sources import find

        if self.context.uses_sandbox:
            return self.context.local_x.credentials(self.patient.handle)
        return find(
            self.patient.handle or "unnamed",  # which these sources don't look at
            self.context.api_host,
            credentials_file=self.context.options.credentials_file,
            environ=self.context.environ,
            config=self.context.config,
            keychain=self.examination.keychain,
        )

    def _judge_token(self) -> Judgement:
        account = self.account = self.client.verify_credentials()
        handle = visible(account.handle)
        text = f"@{handle}, user id {visible(account.user_id)}"
        if not self.patient.handle or self.patient.handle.casefold() == account.handle.casefold():
            self._recognise(account)
            return fine(f"accepted by X: {text}")
        if self._is_renamed(account):
            hint = f"the user id is the one that is known, so it was renamed at X: write {handle} into the roster"
            return doubtful(f"accepted by X: {text}, which was {self.patient.title} before", hint)
        hint = f"log in as {self.patient.title}: `profilectl auth login`; or mend the handle in the roster"
        raise WrongAccount(f"these credentials belong to {text}, not to {self.patient.title}", hint=hint)

    def _is_renamed(self, account: Account) -> bool:
        """Tell whether the ledger or the list of logins knew this user id when it had the expected handle."""
        if self._recognise(account) is not None:
            return True
        if self.context.uses_sandbox:
            return False
        known = self.context.config.account_of(account.user_id, self.context.api_host)
        return known is not None and known.handle.casefold() == self.patient.handle.casefold()

    def _recognise(self, account: Account) -> Account | None:
        """Return how the ledger knows the brand; WrongAccount when it is as another account."""
        brand = self.patient.brand
        if brand is None:
            return None
        with suppress(LedgerRefused, TryLater, UsageError), open_for_reading(self.context.ledger_path) as ledger:
            ledger.check_account(brand.key, account)
            return ledger.account_of(brand.key)
        return None  # a ledger that can't be read has a line of its own

    def _judge_access(self) -> Judgement:
        from profilectl.credentials.login import MESSAGE_LEVELS

        level = self.account.access_level if self.account is not None else None
        return judge_access(None if level is None else visible(level), MESSAGE_LEVELS)

    def ask_again(self, context: ReadOnlyContext) -> Judgement:
        """Ask X anew whether the brand may use custom profiles.

        Args:
            context: has a deadline that isn't over.

        Raises:
            RemoteError: X can't be asked, or refuses for another reason.
        """
        self.context = context
        self.__dict__.pop("client", None)  # whose time is over
        try:
            judgement = self._judge_allowlist()
        except NotAllowlisted as error:
            return failed(error)
        self.refusal = None
        return judgement

    def _judge_allowlist(self) -> Judgement:
        try:
            profiles = self.client.list_profiles()
        except NotAllowlisted as error:
            self.refusal = error
            error.message = f"{error.message}; {self._verified()}"
            again = f"`profilectl doctor --wait 2h{self.context.again()}` keeps asking X, and ends when it agrees"
            error.hint = f"{error.hint}\n{self.application()}\n{again}"
            raise
        count = "1 profile" if len(profiles) == 1 else f"{len(profiles):,} profiles"
        return fine(f"X allows custom profiles: it lists {count}; {self._verified()}")

    def _verified(self) -> str:
        return _VERIFIED[self.account.verified if self.account is not None else None]

    def application(self) -> str:
        """Return what X has to be told to allow custom profiles, ready to be sent."""
        account = self.account
        who = f"@{visible(account.handle)} (user id {visible(account.user_id)})" if account else self.patient.title
        return (
            f'Ask for: "Custom Profiles for Direct Messages (/1.1/custom_profiles) for {who}, app id … '
            "(in X's developer console), privacy policy https://…\""
        )

    def _judge_quota(self) -> Judgement:
        limits = self.client.rate_limits()
        resets = {one["reset"] for one in limits.values() if 0 < one.get("reset", 0) < _END_OF_CALENDARS}
        moments = {reset: datetime.fromtimestamp(reset, UTC) for reset in resets}
        return judge_quota(limits, self._creates(self.client.now_ms()), moments)

    def _creates(self, now_ms: int) -> str:
        """Say what the ledger knows of the last day's creates, which X counts but doesn't report."""
        from profilectl.plan.builder import Plan
        from profilectl.plan.fingerprint import Basis
        from profilectl.sync.quota import CALLS_A_DAY, DAY_MS, forecast

        user_id = self.account.user_id if self.account is not None else ""
        try:
            with open_for_reading(self.context.ledger_path) as ledger:
                events = ledger.recent(user_id, now_ms - DAY_MS)
        except (LedgerRefused, TryLater, UsageError):
            return f"X allows {CALLS_A_DAY:,} creates in 24 h"
        nothing = Plan((), Basis("", "", "", ""))  # only what was used before is wanted
        used = forecast(nothing, self.patient.label or "", events, now_ms).creates.used
        return f"{used:,} of {CALLS_A_DAY:,} creates used in 24 h, as far as the ledger knows"


def nobody(examination: Examination) -> Standing:
    """Return the look at nobody, where nobody has set up anything."""
    if examination.context.uses_sandbox:
        message = "the sandbox makes an account for every brand of the roster, and there is none"
        error = CredentialsError(message, hint="`profilectl init` writes a roster to start from")
    else:
        message = f"nobody is logged in at {auth_accounts.host_of(examination.context)}, and no other source is set up"
        error = CredentialsError(message, hint=_LOG_IN)
    return Standing(examination, Patient(None, ""), error)


def patients(examination: Examination) -> Iterator[tuple[Patient, AccountStatus | ProfilectlError]]:
    """Yield the accounts to look at, each with where its credentials would come from, or why that can't be said.

    The roster's brands; without a roster, whoever is logged in, or whose credentials lie ready.
    """
    context = examination.context
    found = [Patient(brand.key, brand.handle, brand) for brand in examination.brands]
    try:
        if not found and not context.uses_sandbox:
            host = auth_accounts.host_of(context)
            found = [Patient(f"@{o.handle}", o.handle) for o in auth_accounts.logged_in(context) if o.host == host]
        if not found and (anonymous := _anonymous(context)) is not None:
            label = f"@{anonymous.handle}" if anonymous.handle else None
            yield Patient(label, anonymous.handle), anonymous
    except ProfilectlError as error:
        yield Patient(None, ""), error
    for patient in found:
        try:
            yield patient, examination.within(partial(_describe, examination, patient))
        except ProfilectlError as error:
            yield patient, error


def _anonymous(context: ReadOnlyContext) -> AccountStatus | None:
    return auth_accounts.describe_anonymous(context, auth_accounts.host_of(context))


def _describe(examination: Examination, patient: Patient) -> AccountStatus:
    context = examination.context
    return auth_accounts.describe(context, patient.handle, auth_accounts.host_of(context), examination.keychain)
