"""One message as an agent: composed offline, checked, agreed to, sent at most once, and followed by a feedback card."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import (
    InputRefused,
    NotAllowlisted,
    NotFound,
    OutcomeUnknown,
    PartlyDone,
    ProfilectlError,
    RemoteError,
)
from profilectl.ledger.accounts import is_refusal
from profilectl.messaging.compose import (
    NoProfile,
    OldProfile,
    SendStatus,
    compose,
    compose_signed,
    fingerprint,
    require_sendable,
    require_text,
    signed_text,
)
from profilectl.messaging.identity import ProfileGone, require_live_profile, verify_account
from profilectl.messaging.send_rules import SendContext, is_honest, require_honesty, sign_off
from profilectl.model import Account, Binding, Detail, LedgerState, Message, Move, Policy, Survey
from profilectl.plan.moves import follow
from profilectl.roster.moves import first_key
from profilectl.system import host

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.feedback.cards import Question
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.messaging.compose import Contents
    from profilectl.messaging.delivery import Delivery, Idempotency, Receipt
    from profilectl.messaging.identity import Sender
    from profilectl.messaging.typing import Typing
    from profilectl.pictures.attachments import Attachment
    from profilectl.secret import Credentials


class SendResult(Struct, frozen=True):
    """What became of a message; its recipient is an id."""

    message: Message
    receipt: Receipt | None  # None when nobody knows whether it is out
    card: Survey | None = None  # what X's feedback card asks after it
    error: ProfilectlError | None = None  # why the receipt or the card is missing
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> SendStatus:
        """How far the message has come."""
        return SendStatus.UNKNOWN if self.receipt is None else self.receipt.status


class PreparedSend(Struct, frozen=True):
    """All that a message needs beside its text, found before that is written or agreed to."""

    client: XClient
    ledger: Ledger
    account: Account
    typed: str  # the recipient as the command line names them
    recipient_id: str
    has_profile: bool  # False: X allows the brand none yet, so the message is signed
    question: Question | None  # what a feedback card asks after it


class MessageSender(Struct, frozen=True, dict=True):
    """Sends one message.

    Attributes:
        uid: of the OS user who runs this, for the audit trail.
        attachment: the picture whose digest `contents` has.
        key: under which the message is sent at most once, None for the key that its words make.
        survey: what a feedback card asks after it, None for no card.
        known: the ledger as it is read before anything is written.
        moves: the keys that the roster has changed; the ledger may not have followed yet.
    """

    sender: Sender
    uid: int
    contents: Contents
    attachment: Attachment | None
    key: str | None
    context: SendContext
    survey: Survey | None
    policy: Policy
    known: LedgerReader
    moves: tuple[Move, ...] = ()

    @cached_property
    def account(self) -> Account | None:
        """The account that the ledger has for the brand, None for a brand that it doesn't know."""
        return self.known.account_of(self.sender.brand.key)

    @cached_property
    def ledger_state(self) -> LedgerState:
        """What the ledger knows of that account."""
        return follow(self.known.state_of("" if self.account is None else self.account.user_id), self.moves).state

    def require_sendable(self) -> None:
        """Raise InputRefused where the agent can't send today, whatever the message will be; X isn't asked."""
        try:
            require_sendable(self.sender.agent, self.ledger_state, host.today(self.policy.timezone))
        except (NoProfile, OldProfile) as error:
            self._require_fallback(error)

    def compose(self, recipient: str) -> Message:
        """Return the message, made offline; without a profile only where the brand or the policy has a fallback.

        Raises:
            InputRefused: the agent can't send, or not this, see `compose.compose`.
        """
        agent, today = self.sender.agent, host.today(self.policy.timezone)
        try:
            return compose(agent, self.ledger_state, recipient_id=recipient, contents=self.contents, today=today)
        except (NoProfile, OldProfile) as error:
            self._require_fallback(error)
            return self._signed(recipient)

    def _require_fallback(self, error: NoProfile | OldProfile) -> None:
        """Raise the error, unless messages are signed: the brand has no profiles yet, or X has taken them away."""
        is_new = isinstance(error, NoProfile)
        if (is_new and self.sender.brand.fallback == "sign-off") or self._is_withdrawn:
            return
        if self.account is not None or not is_new:
            raise error
        hint = "run `profilectl sync` first; it says what to do if this isn't the account's ledger"
        raise error.with_hint(hint) from None

    @property
    def _is_withdrawn(self) -> bool:
        """Whether the ledger has X's refusal of custom profiles that worked, and the policy lets sending go on."""
        if self.policy.when_withdrawn != "sign-off" or self.account is None:
            return False
        return self.known.refused_since(self.account.user_id) is not None

    def foresee(self, message: Message) -> Message:
        """Return what a message becomes when it is sent, as far as the ledger knows: X isn't asked."""
        return self._signed(message.recipient_id) if message.profile_id and self._is_withdrawn else message

    def _signed(self, recipient: str) -> Message:
        signature = sign_off(self.sender.agent)
        return compose_signed(self.sender.agent, recipient_id=recipient, contents=self.contents, sign_off=signature)

    def send(
        self,
        message: Message,
        *,
        connect: Callable[[], tuple[XClient, Credentials]],
        open_ledger: Callable[[], Ledger],
        typing: Typing | None = None,
    ) -> SendResult:
        """Send what `compose` returned without a question; see `prepare` and `deliver`."""
        prepared = self.prepare(message.recipient_id, connect=connect, open_ledger=open_ledger)
        return self.deliver(prepared, self.compose_for(prepared), typing=typing)

    def prepare(
        self,
        recipient: str,
        *,
        connect: Callable[[], tuple[XClient, Credentials]],
        open_ledger: Callable[[], Ledger],
    ) -> PreparedSend:
        """Make sure, whatever the text will be, that the agent may write to a recipient, and that X has their profile.

        Args:
            recipient: an id, or a handle behind @.
            connect: returns a client for the brand, and the credentials that it has.
            open_ledger: opens the ledger for writing.

        Raises:
            InputRefused: the profile isn't at X as it should be, or a script would write as a person.
            NotFound: X knows no such user.
            ProfilectlError: X or the ledger can't be asked.
        """
        self.require_honesty(recipient)  # before a keyring asks its owner for anything
        client, credentials = connect()
        account = verify_account(client, credentials, self.sender.brand, self.account, self.known)
        self.require_honesty(recipient, client)
        # the ledger and X's events know ids only, and a handle may pass on
        recipient_id = client.find_user(recipient[1:]) if recipient.startswith("@") else recipient
        ledger = open_ledger()  # not before the credentials are known to be the brand's
        if self.account is None:
            ledger.register_account(self.sender.brand.key, account, client.now_ms())
        has_profile = self._has_live_profile(client, ledger, account.user_id)
        question = self.card_question(recipient_id, client)
        return PreparedSend(client, ledger, account, recipient, recipient_id, has_profile, question)

    def compose_for(self, prepared: PreparedSend) -> Message:
        """Return the message as it will leave.

        Raises:
            InputRefused: it can't be sent, see `compose.compose`.
        """
        if prepared.has_profile:
            return self.compose(prepared.recipient_id)
        require_text(self.contents)
        return self._signed(prepared.recipient_id)

    def find_repeat(self, prepared: PreparedSend, message: Message) -> SendResult | None:
        """Return what became of the same message where it was sent earlier; None where it would be sent now.

        Raises:
            ProfilectlError: see `delivery.Delivery.carry_out`; of these OutcomeUnknown comes back in the result.
        """
        try:
            receipt = self._delivery(prepared, message).repeat()
        except OutcomeUnknown as error:
            return SendResult(message, None, error=error)
        return None if receipt is None else self._followed_by_card(prepared, SendResult(receipt.message, receipt))

    def deliver(self, prepared: PreparedSend, message: Message, *, typing: Typing | None = None) -> SendResult:
        """Send what `compose_for` returned, and return what became of it.

        With `typing` the customer sees first that somebody types.

        Raises:
            ProfilectlError: see `delivery.Delivery.carry_out`; of these OutcomeUnknown comes back in the result.
        """
        warnings: list[str] = []

        def make_ready(ready: Message) -> Message:
            picture = self.attachment
            if picture is not None:
                media_id = prepared.client.upload_for_message(picture.content, picture.media_type, picture.category)
                ready = replace(ready, media_id=media_id)
            if typing is not None:  # last of all, because it lasts for three seconds only
                warnings.extend(_show_typing(prepared, typing))
            return ready

        try:
            receipt = self._delivery(prepared, message).carry_out(make_ready)
        except OutcomeUnknown as error:
            return SendResult(message, None, error=error, warnings=tuple(warnings))
        return self._followed_by_card(prepared, SendResult(receipt.message, receipt, warnings=tuple(warnings)))

    def _followed_by_card(self, prepared: PreparedSend, result: SendResult) -> SendResult:
        question, receipt = prepared.question, result.receipt
        if question is None or receipt is None:
            return result
        return _ask(question, receipt, prepared.account.user_id, prepared.client, prepared.ledger, result)

    def require_honesty(self, recipient: str, client: XClient | None = None) -> None:
        """Raise InputRefused where a script would write to a customer as a person, as far as that is known."""
        if is_honest(self.sender.agent, self.context):
            return
        is_test = self._is_test(recipient, client)
        if is_test is not None:
            require_honesty(self.sender.agent, replace(self.context, is_test=is_test))

    def _is_test(self, recipient: str, client: XClient | None) -> bool | None:
        """Return whether somebody is a test recipient; None when only X could tell, and there is no client to ask."""
        # The roster may name a handle and the command line its id, or the other way round.
        typed, testers = recipient.casefold(), {tester.casefold() for tester in self.policy.test_recipients}
        written_otherwise = {tester for tester in testers if tester.startswith("@") != typed.startswith("@")}
        if typed in testers or not written_otherwise:
            return typed in testers
        if client is None:
            return None
        user_id = _id_of(typed, client)
        return user_id in {_id_of(tester, client) for tester in written_otherwise} - {None}

    def _has_live_profile(self, client: XClient, ledger: Ledger, user_id: str) -> bool:
        """Say whether the agent's profile is at X; False only where X allows none, and messages are signed then."""
        binding = self.ledger_state.binding(self.sender.agent.key)
        try:
            if binding is None or self._is_withdrawn:
                client.list_profiles()  # for its refusal only: X says in no other way whether profiles are allowed
            if binding is not None and binding.name == self.sender.agent.name:
                self._require_live_profile(client, ledger, user_id, binding)
                return True
        except RemoteError as error:
            if not self._may_sign_after(error, ledger, user_id):
                raise
            return False
        if binding is not None:
            hint = "run `profilectl sync` first: it gives the profile the roster's name"
            raise InputRefused(f"X allows brand {self.sender.brand.key} to use profiles again", hint=hint)
        raise InputRefused(
            f"X allows brand {self.sender.brand.key} to use profiles, and {self.sender.agent.key} has none yet",
            hint="run `profilectl sync` first: a sign-off is for the time before",
        )

    def _require_live_profile(self, client: XClient, ledger: Ledger, user_id: str, binding: Binding) -> None:
        try:
            require_live_profile(client, ledger, user_id, binding)
        except ProfileGone:
            # X says the same of a profile that is gone and of an endpoint that is: the list tells them apart
            if self.policy.when_withdrawn == "sign-off":
                client.list_profiles()
            raise

    def _may_sign_after(self, error: RemoteError, ledger: Ledger, user_id: str) -> bool:
        """Say whether a message may go out under the brand after X's refusal of the list, or of the agent's profile."""
        has_profile = self.ledger_state.binding(self.sender.agent.key) is not None
        if isinstance(error, NotAllowlisted) and self.sender.brand.fallback == "sign-off" and not has_profile:
            return True  # the fallback is for the time before X allows profiles
        return self.policy.when_withdrawn == "sign-off" and is_refusal(error) and ledger.knows(user_id)

    def card_question(self, recipient_id: str, client: XClient | None = None) -> Question | None:
        """Return what a feedback card asks after the message, None without one; InputRefused if it can't be asked."""
        if self.survey is None:
            return None
        from profilectl.feedback.cards import prepare

        # Before the message leaves: a card that is refused afterwards could only be missing.
        is_test = self._is_test(recipient_id, client) or False
        return prepare(self.survey, self.sender.agent, self.sender.brand, is_test=is_test)

    def _delivery(self, prepared: PreparedSend, message: Message) -> Delivery:
        from profilectl.messaging.correspondence import handles
        from profilectl.messaging.delivery import Delivery

        user_id = prepared.account.user_id
        detail = self._detail(prepared.typed, message, prepared.ledger, user_id)
        idempotency = self._idempotency(message, user_id, detail)

        def known_handle(recipient_id: str) -> str | None:  # read where a sentence names somebody, which few do
            return handles(prepared.ledger, user_id).get(recipient_id)

        return Delivery(message, idempotency, prepared.client, prepared.ledger, known_handle)

    def _detail(self, typed: str, message: Message, ledger: Ledger, user_id: str) -> Detail:
        """Return what the record holds of a message; `typed` is the recipient as the command line named them."""
        from profilectl.messaging.facts import facts

        # X isn't asked for the record's sake: where it mattered who that is, it was
        is_test = not is_honest(self.sender.agent, self.context) or bool(self._is_test(typed, None))
        binding = None if message.profile_id is None else self.ledger_state.binding(message.agent)
        plan = _plan_of(binding, ledger, user_id)
        return {
            **facts(self.sender, binding, self.context, self.policy, is_test=is_test, plan=plan),
            "first_contact": not ledger.has_contact(user_id, message.recipient_id),
            "uid": self.uid,
            "attachment": self.contents.attachment,
            **({"recipient_handle": typed[1:]} if typed.startswith("@") else {}),
            **({"text": message.text} if self.policy.audit_text else {}),
        }

    def _idempotency(self, message: Message, user_id: str, detail: Detail) -> Idempotency:
        import secrets  # as what is imported with it, nothing that a dry run needs to load

        from profilectl.messaging.delivery import Idempotency

        # a repeat is the same message also when the agent's key was changed in between
        digest = fingerprint(replace(message, agent=first_key(message.agent, self.moves)), self.contents)
        return Idempotency(
            user_id,
            self.key or f"auto:{digest}",
            secrets.token_hex(8),
            was_named=self.key is not None,
            fingerprint=digest,
            settle_after=self.policy.settle_after,
            # An earlier run may have sent either form: X's allowlist can have changed since.
            wordings=(self.contents.text, signed_text(self.contents, sign_off(self.sender.agent))),
            detail=detail,
        )


def _plan_of(binding: Binding | None, ledger: LedgerReader, user_id: str) -> str | None:
    """Return the digest of the plan that made a profile, None for one of an earlier version, or adopted by hand."""
    origin = None if binding is None else ledger.origin_of(user_id, binding.profile_id)
    plan = None if origin is None else origin.detail.get("plan")
    return plan if isinstance(plan, str) else None


def _show_typing(prepared: PreparedSend, typing: Typing) -> list[str]:
    """Show for a while that somebody types, and return a warning where X doesn't."""
    try:
        prepared.client.indicate_typing(prepared.recipient_id)
    except RemoteError as error:  # a courtesy that mustn't cost the message
        return [f"warning: {error.message}"]
    typing.pause(typing.seconds)
    return []


def _ask(
    question: Question, receipt: Receipt, user_id: str, client: XClient, ledger: Ledger, result: SendResult
) -> SendResult:
    from profilectl.feedback.cards import ask

    # The message is out, so what goes wrong here must never call for sending it again.
    if receipt.is_repeat:
        return replace(result, warnings=(*result.warnings, "no card was issued: the message went out earlier"))
    try:
        ask(question, receipt.message, receipt.event_id, user_id, client, ledger)
    except ProfilectlError as error:
        message = f"the message was sent, but no feedback card can be confirmed: {error.message}"
        return replace(result, error=PartlyDone(message, hint="the message is out: don't send it again"))
    return replace(result, card=question.survey)


def _id_of(recipient: str, client: XClient) -> str | None:
    """Return the id of a handle, None for one that X doesn't know; an id is what it is."""
    if not recipient.startswith("@"):
        return recipient
    try:
        return client.find_user(recipient[1:])
    except NotFound:
        return None
