"""The rule about bot markers: a bot's name must hold one in the brand's language, a person's may not."""

from __future__ import annotations

from collections.abc import Mapping

from profilectl.model import Kind
from profilectl.text.escape import visible
from profilectl.text.word_matching import Phrase, fold

MARKERS: Mapping[str, tuple[str, ...]] = {
    "ar": ("بوت", "روبوت", "مساعد افتراضي", "المساعد الافتراضي", "bot"),
    "bg": ("бот", "чатбот", "виртуален асистент"),
    "bn": ("বট", "চ্যাটবট", "ভার্চুয়াল সহকারী", "bot"),
    "ca": ("bot", "chatbot", "assistent virtual"),
    "cs": ("bot", "chatbot", "virtuální asistent", "virtuální asistentka"),
    "da": ("bot", "chatbot", "virtuel assistent"),
    "de": ("bot", "chatbot", "virtueller assistent", "virtuelle assistentin"),
    "el": ("bot", "chatbot", "εικονικός βοηθός"),
    "en": ("bot", "virtual assistant"),
    "es": ("bot", "chatbot", "asistente virtual"),
    "fa": ("بات", "ربات", "چت‌بات", "دستیار مجازی", "bot"),
    "fi": ("bot", "botti", "chatbot", "virtuaaliavustaja"),
    "fr": ("bot", "chatbot", "assistant virtuel", "assistante virtuelle"),
    "he": ("בוט", "צ'אטבוט", "עוזר וירטואלי", "עוזרת וירטואלית", "bot"),
    "hi": ("बॉट", "चैटबॉट", "वर्चुअल असिस्टेंट", "आभासी सहायक", "bot"),
    "hu": ("bot", "chatbot", "virtuális asszisztens"),
    "id": ("bot", "chatbot", "asisten virtual"),
    "it": ("bot", "chatbot", "assistente virtuale"),
    "ja": ("ボット", "bot", "仮想アシスタント", "バーチャルアシスタント"),
    "ko": ("봇", "bot", "가상 비서", "가상 어시스턴트"),
    "ms": ("bot", "chatbot", "pembantu maya"),
    "nb": ("bot", "chatbot", "virtuell assistent"),
    "nl": ("bot", "chatbot", "virtuele assistent"),
    "nn": ("bot", "chatbot", "virtuell assistent"),
    "no": ("bot", "chatbot", "virtuell assistent"),
    "pl": ("bot", "chatbot", "wirtualny asystent", "wirtualna asystentka"),
    "pt": ("bot", "chatbot", "robô", "assistente virtual"),
    "ro": ("bot", "chatbot", "asistent virtual", "asistentă virtuală"),
    "ru": ("бот", "чат-бот", "чатбот", "виртуальный помощник", "виртуальный ассистент"),
    "sk": ("bot", "chatbot", "virtuálny asistent", "virtuálna asistentka"),
    "sv": ("bot", "chattbot", "chatbot", "virtuell assistent"),
    "th": ("บอท", "แชตบอต", "ผู้ช่วยเสมือน", "bot"),
    "tr": ("bot", "chatbot", "sohbet robotu", "sanal asistan"),
    "uk": ("бот", "чат-бот", "чатбот", "віртуальний помічник", "віртуальний асистент"),
    "ur": ("بوٹ", "چیٹ بوٹ", "ورچوئل اسسٹنٹ", "bot"),
    "vi": ("bot", "chatbot", "trợ lý ảo"),
    "zh": ("机器人", "機器人", "虚拟助手", "虛擬助理", "bot"),
}
"""What a bot's public name may say, by language; the roster's ``[policy.bot_markers]`` replaces a language's list."""

_MOST_NAMED = 5  # markers of a message


def markers_for(language: str, markers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the markers of a BCP 47 tag, looking from the whole tag to its first part; empty when there are none."""
    tag = language.lower()
    while tag:
        if tag in markers:
            return markers[tag]
        tag = tag.rpartition("-")[0]
    return ()


class Disclosure:
    """The rule for one language; its markers are folded once for many names."""

    def __init__(self, language: str, markers: tuple[str, ...]) -> None:
        self._language = language
        self._phrases = [Phrase(marker) for marker in markers]

    def marker(self, name: str) -> str | None:
        """Return the first bot marker that stands in a name, or None."""
        folded = fold(name)
        return next((phrase.text for phrase in self._phrases if phrase.found_in(folded)), None)

    def problem(self, name: str, kind: Kind) -> str | None:
        """Return what is wrong with the name of a human or bot, or None."""
        marker = self.marker(name)
        if kind is Kind.HUMAN and marker:
            return f'contains the bot marker "{visible(marker)}", but its kind is "human"'
        if kind is Kind.BOT and not marker:
            listed = " or ".join(f'"{visible(phrase.text)}"' for phrase in self._phrases[:_MOST_NAMED])
            return f'a bot\'s name must say so with {listed} (language "{self._language}")'
        return None
