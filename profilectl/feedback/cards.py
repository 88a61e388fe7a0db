"""A feedback card after a message: what is asked, and the key under which X returns the answer."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from profilectl.errors import InputRefused, OutcomeUnknown, PersonNeeded, ProfilectlError
from profilectl.model import Agent, Ask, Brand, Card, Event, Kind, Message, Survey

LONGEST_DISPLAY_NAME = 20  # characters (X: POST feedback/create)
# X's wordings: "the service you received from …", as the agent is meant; "recommend … to a friend".
VARIANTS: Mapping[Survey, int] = {Survey.CSAT: 12, Survey.NPS: 0}

# The message that a card hangs on, by language; English for all others. X writes the question itself.
INVITATIONS: Mapping[str, str] = {
    "cs": "Děkujeme za vaši zprávu. Jak jste s námi byli spokojeni?",
    "da": "Tak for din besked. Hvordan klarede vi os?",
    "de": "Danke für Ihre Nachricht. Wie zufrieden waren Sie mit uns?",
    "en": "Thank you for writing to us. How did we do?",
    "es": "Gracias por escribirnos. ¿Qué le ha parecido nuestra atención?",
    "fi": "Kiitos viestistäsi. Miten onnistuimme?",
    "fr": "Merci de nous avoir écrit. Qu'avez-vous pensé de notre réponse ?",
    "it": "Grazie per averci scritto. Come le è sembrato il nostro servizio?",
    "ja": "お問い合わせありがとうございました。対応はいかがでしたか?",
    "ko": "문의해 주셔서 감사합니다. 저희 응대는 어떠셨나요?",
    "nb": "Takk for meldingen. Hvordan gjorde vi det?",
    "nl": "Bedankt voor uw bericht. Hoe hebben we u geholpen?",
    "no": "Takk for meldingen. Hvordan gjorde vi det?",
    "pl": "Dziękujemy za wiadomość. Jak oceniasz naszą pomoc?",
    "pt": "Obrigado por nos escrever. O que achou do nosso atendimento?",
    "sv": "Tack för ditt meddelande. Hur skötte vi oss?",
    "tr": "Bize yazdığınız için teşekkürler. Hizmetimizi nasıl buldunuz?",  # noqa: RUF001 - Turkish has it
}

_KEY = re.compile(r"profilectl:([a-z0-9][a-z0-9_-]{0,63}):(human|bot):(profile|brand):([0-9]{1,20})")
_END_OF_NAME = re.compile(r"\s*[,;:|·•(/]|\s+[-\N{EN DASH}\N{EM DASH}]\s+")  # what follows is a role, not the name


class SentAs(enum.StrEnum):
    """Whose name and picture the customer saw beside the message."""

    PROFILE = "profile"  # the agent's custom profile
    BRAND = "brand"  # the brand itself


class Key(Struct, frozen=True):
    """Who had written when a card was issued, as text of at most 104 characters; X takes 256."""

    # X's cards know nothing of custom profiles, but return this key: it joins an answer to the message in the audit
    # trail, and names no customer.
    agent: str
    kind: Kind
    sent_as: SentAs
    event_id: str  # of the message, as the audit trail knows it

    def __str__(self) -> str:
        """Return the key as X keeps it."""
        return f"profilectl:{self.agent}:{self.kind}:{self.sent_as}:{self.event_id}"


class Question(Struct, frozen=True):
    """What will be asked once the message has gone out."""

    survey: Survey
    kind: Kind
    text: str
    privacy_url: str
    display_name: str | None
    is_test: bool


class FeedbackApi(Protocol):
    """The part of X's API that issues cards."""

    def create_feedback(self, ask: Ask) -> Card:
        """Issue a card; repeated only when it surely wasn't issued."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""


class DispatchLedger(Protocol):
    """The part of the ledger that records what was issued."""

    def record(self, event: Event) -> None:
        """Append to the audit trail, durably."""


def read_key(text: str) -> Key | None:
    """Return the key that a card carries, None when it isn't one of ours."""
    match = _KEY.fullmatch(text)
    return Key(match[1], Kind(match[2]), SentAs(match[3]), match[4]) if match else None


def prepare(survey: Survey, agent: Agent, brand: Brand, *, is_test: bool) -> Question:
    """Return the question to ask after a message; nothing is sent yet. X and the report leave answers to tests out.

    Raises:
        InputRefused: the roster names no privacy policy for the brand.
    """
    if brand.privacy_url is None:
        raise InputRefused(
            f"brand {brand.key} has no privacy policy, which X wants on every feedback card",
            hint=f'write it into the roster: [brands.{brand.key}] privacy_url = "https://…"',
        )
    language = brand.language.split("-")[0].lower()
    return Question(
        survey=survey,
        kind=agent.kind,
        text=INVITATIONS.get(language, INVITATIONS["en"]),
        privacy_url=brand.privacy_url,
        # Customers recommend a brand, not an agent: without a name, X's NPS question names the brand.
        display_name=display_name(agent.name, agent.kind) if survey is Survey.CSAT else None,
        is_test=is_test,
    )


def display_name(name: str, kind: Kind) -> str | None:
    """Return a public name as a card may show it, never cut within a word; None when it doesn't fit."""
    # A person's role may be left out. A bot's name isn't shortened, because the rest may be what marks it as a bot.
    shown = name if len(name) <= LONGEST_DISPLAY_NAME or kind is Kind.BOT else _END_OF_NAME.split(name)[0]
    return shown if 0 < len(shown) <= LONGEST_DISPLAY_NAME else None


def ask(
    question: Question, message: Message, event_id: str, user_id: str, api: FeedbackApi, ledger: DispatchLedger
) -> Card:
    """Issue the card for a message of the account `user_id` that went out as `event_id`, and record it.

    Raises:
        NotAllowlisted: X hasn't allowed the brand to use cards.
        RateLimited: the recipient had a card within a day, or the brand's day is used up.
        OutcomeUnknown: it may have been issued; asking again can't do harm, as X takes one a day.
        PersonNeeded: it was issued, or may have been, and that couldn't be recorded.
        RemoteError: X refused for another reason, or couldn't be reached.
    """
    sent_as = SentAs.BRAND if message.profile_id is None else SentAs.PROFILE
    key = str(Key(message.agent, question.kind, sent_as, event_id))
    request = Ask(
        survey=question.survey,
        recipient_id=message.recipient_id,
        text=question.text,
        privacy_url=question.privacy_url,
        external_id=key,
        variant=VARIANTS[question.survey],
        display_name=question.display_name,
        is_test=question.is_test,
    )
    try:
        card = api.create_feedback(request)
    except OutcomeUnknown as error:  # recorded as well: an answer may come back under the key
        _record(ledger, _event("ask-unknown", request, message, user_id, api.now_ms(), None), "may have been issued")
        hint = "the message has gone out; whether the card has, shows in the conversation"
        raise error.with_hint(hint) from error
    _record(ledger, _event("asked", request, message, user_id, api.now_ms(), card.id), f"was issued as {card.id}")
    return card


def _record(ledger: DispatchLedger, event: Event, fact: str) -> None:
    try:
        ledger.record(event)
    except ProfilectlError as error:  # a person is needed, because trying again can't undo the card
        raise PersonNeeded(f"the feedback card {fact}, but that couldn't be recorded: {error.message}") from error


def _event(what: str, request: Ask, message: Message, user_id: str, now_ms: int, card_id: str | None) -> Event:
    detail = {
        "survey": request.survey.value,
        "card_id": card_id,
        "external_id": request.external_id,
        "recipient_id": request.recipient_id,
        "is_test": request.is_test,
    }
    return Event(what, user_id, now_ms, agent=message.agent, profile_id=message.profile_id, detail=detail)
