"""One message on its way from the command line to X: whom it reaches, with which face, under which terms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from profilectl.cli.prompts import require_consent
from profilectl.errors import (
    InputRefused,
    NotAllowlisted,
    NotFound,
    OutcomeUnknown,
    PartlyDone,
    ProfilectlError,
    RemoteError,
)
from profilectl.messaging.compose import NoFace, compose, compose_signed, fingerprint
from profilectl.messaging.identity import connect, require_live_face
from profilectl.messaging.policy import Occasion, is_honest, require_honesty, sign_off
from profilectl.render.console import info

if TYPE_CHECKING:
    from profilectl.access.policy import Operator
    from profilectl.api.client import XClient
    from profilectl.cli.context import Context
    from profilectl.feedback.cards import Question
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.messaging.compose import Contents
    from profilectl.messaging.delivery import Receipt
    from profilectl.messaging.identity import Speaker
    from profilectl.model import Account, LedgerState, Message, Survey
    from profilectl.pictures.attachments import Attachment


@dataclass
class Sending:
    """One message on its way from the command line to X."""

    context: Context
    speaker: Speaker
    operator: Operator
    contents: Contents
    attachment: Attachment | None
    key: str | None
    occasion: Occasion
    survey: Survey | None

    def compose(self, recipient: str) -> Message:
        """Put the message together, offline; without a face only where the brand has a fallback."""
        self.knowledge: LedgerReader = self.context.ledger_for_reading()
        self.account: Account | None = self.knowledge.account_of(self.speaker.brand.key)
        user_id = self.account.user_id if self.account is not None else ""
        self.ledger_state: LedgerState = self.knowledge.state_of(user_id)
        today = datetime.now().astimezone().date()
        try:
            return compose(
                self.speaker.agent, self.ledger_state, recipient_id=recipient, contents=self.contents, today=today
            )
        except NoFace:
            if self.speaker.brand.fallback != "sign-off":
                raise
            return self._signed(recipient)

    def _signed(self, recipient: str) -> Message:
        signature = sign_off(self.speaker.agent)
        return compose_signed(self.speaker.agent, recipient_id=recipient, contents=self.contents, sign_off=signature)

    def carry_out(self, message: Message, *, typing: bool, yes: bool) -> None:
        """Send, and tell what became of it.

        Args:
            message: as `compose` returned it.
            typing: whether the customer is shown first that somebody types.
            yes: whether a person needn't be asked.

        Raises:
            InputRefused: the face isn't at X as it should be, or a script would speak as a person.
            Declined: a person said no.
            ProfilectlError: see `delivery.Delivery.carry_out`.
        """
        from profilectl.cli.send_output import receipt_document, show_receipt

        self.require_honesty(message)
        client, account = connect(self.context, self.speaker.brand, self.account, self.knowledge)
        self.require_honesty(message, client)
        message = self._addressed(message, client)
        ledger = self.context.ledger_for_writing()
        if self.account is None:
            ledger.register_account(self.speaker.brand.key, account, client.now_ms())
        message = self._faced(message, client, ledger, account.user_id)
        question = self._question(message.recipient_id, client)
        self._confirm(message, yes=yes)
        try:
            receipt = self._deliver(message, client, ledger, account.user_id, typing=typing)
        except OutcomeUnknown as error:
            from profilectl.render import documents

            error.document = documents.send(message, message.recipient_id, status="unknown", error=error)
            raise
        unasked = None if question is None else self._ask(question, receipt, account.user_id, client, ledger)
        if unasked is None or not self.context.wants_json:
            show_receipt(self.context, receipt, self.speaker, self.ledger_state.binding(message.agent))
        if unasked is not None:
            unasked.document = receipt_document(receipt, unasked)
            raise unasked

    def _addressed(self, message: Message, client: XClient) -> Message:
        """Replace a handle by its id."""
        typed = message.recipient_id
        return replace(message, recipient_id=client.find_user(typed[1:])) if typed.startswith("@") else message

    def require_honesty(self, message: Message, client: XClient | None = None) -> None:
        """Refuse to let a script speak to a customer as a person; without a client, as far as that is known offline."""
        if is_honest(self.speaker.agent, self.occasion):
            return
        is_test = self._is_test(message.recipient_id, client)
        if is_test is not None:
            require_honesty(self.speaker.agent, replace(self.occasion, rehearsal=is_test))

    def _is_test(self, recipient: str, client: XClient | None) -> bool | None:
        """Say whether somebody is a test recipient; None when only X could tell, and there is no client to ask."""
        typed, testers = recipient.casefold(), {one.casefold() for one in self._testers()}
        written_otherwise = {one for one in testers if one.startswith("@") != typed.startswith("@")}
        if typed in testers or not written_otherwise:
            return typed in testers
        if client is None:
            return None
        wanted = _id_of(typed, client)
        return wanted in {_id_of(one, client) for one in written_otherwise} - {None}

    def _testers(self) -> tuple[str, ...]:
        """Return whom a rehearsal may write to: the roster's test recipients, and the local X's own customer."""
        from profilectl.api.urls import parse_address
        from profilectl.cli.local_sandbox import CUSTOMER

        testers = self.context.roster.policy.test_recipients
        is_local = self.context.uses_sandbox or parse_address(self.context.api_url).is_loopback
        return (*testers, f"@{CUSTOMER}") if is_local else testers

    def _faced(self, message: Message, client: XClient, ledger: Ledger, user_id: str) -> Message:
        """Make sure of the face; where X hasn't allowed any yet, sign off if the brand does so."""
        binding = self.ledger_state.binding(message.agent)
        try:
            if binding is None:
                client.list_profiles()
            else:
                require_live_face(client, ledger, user_id, binding)
                return message
        except NotAllowlisted:
            if self.speaker.brand.fallback != "sign-off":
                raise
            return replace(self._signed(message.recipient_id), recipient_id=message.recipient_id)
        raise InputRefused(
            f"X allows brand {self.speaker.brand.key} to use profiles, and {message.agent} has none yet",
            hint="run `profilectl sync` first: a sign-off is for the time before",
        )

    def _question(self, recipient_id: str, client: XClient) -> Question | None:
        """Put the card together that follows the message, while it can still be refused."""
        if self.survey is None:
            return None
        from profilectl.feedback.cards import prepare

        is_test = self._is_test(recipient_id, client) or False
        return prepare(self.survey, self.speaker.agent, self.speaker.brand, is_test=is_test)

    def _ask(
        self, question: Question, receipt: Receipt, user_id: str, client: XClient, ledger: Ledger
    ) -> PartlyDone | None:
        """Issue the card; the message is out, so what goes wrong here must never call for sending it again."""
        from profilectl.feedback.cards import ask

        if receipt.is_repeat:
            info("no card was issued: the message went out earlier")
            return None
        try:
            ask(question, receipt.message, receipt.event_id, user_id, client, ledger)
        except ProfilectlError as error:
            said = f"the message was sent, but no feedback card can be confirmed: {error.message}"
            return PartlyDone(said, hint="the message is out: don't send it again")
        if not self.context.is_quiet:
            info(f"asked for feedback ({question.survey})")
        return None

    def _confirm(self, message: Message, *, yes: bool) -> None:
        """Let a person see the bubble before it goes out."""
        if yes or not self.context.may_ask:
            return
        from profilectl.cli.send_output import show_draft
        from profilectl.render.bubble import Enclosure

        enclosure = None
        if self.attachment is not None:
            enclosure = Enclosure(self.attachment.name, self.attachment.media_type, len(self.attachment.content))
        show_draft(self.context, message, self.speaker, enclosure)
        require_consent(self.context, "Send it?", "sent", yes=False)

    def _deliver(self, message: Message, client: XClient, ledger: Ledger, user_id: str, *, typing: bool) -> Receipt:
        import secrets

        from profilectl.messaging.delivery import Delivery, Terms

        mark = fingerprint(message, self.contents)
        policy = self.context.roster.policy
        remarks: dict[str, str | int | bool | None] = {"uid": self.operator.uid, "attachment": self.contents.attachment}
        if self.occasion.human_wrote_this:
            remarks["human_wrote_this"] = True
        if policy.audit_text:
            remarks["text"] = message.text
        terms = Terms(
            user_id,
            self.key or f"auto:{mark}",
            secrets.token_hex(8),
            was_named=self.key is not None,
            fingerprint=mark,
            settle_after=policy.settle_after,
            wordings=(self.contents.text, self._signed(message.recipient_id).text),
            remarks=remarks,
        )

        def prepare(one: Message) -> Message:
            picture = self.attachment
            if picture is not None:
                media_id = client.upload_for_message(picture.content, picture.media_type, picture.category)
                one = replace(one, media_id=media_id)
            if typing:  # last of all, because it lasts for three seconds only
                _show_typing(client, one.recipient_id)
            return one

        return Delivery(message, terms, client, ledger).carry_out(prepare)


def _id_of(recipient: str, client: XClient) -> str | None:
    """Return the id of a handle, None for one that X doesn't know; an id is what it is."""
    if not recipient.startswith("@"):
        return recipient
    try:
        return client.find_user(recipient[1:])
    except NotFound:
        return None


def _show_typing(client: XClient, recipient_id: str) -> None:
    try:
        client.indicate_typing(recipient_id)
    except RemoteError as error:  # a courtesy that mustn't cost the message
        info(f"warning: {error.message}")
