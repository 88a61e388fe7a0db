"""The rule about bot markers: a bot's name must end with one in the brand's language, a person's may not hold any."""

from __future__ import annotations

import re
from collections.abc import Mapping

from profilectl.model import Kind
from profilectl.text.confusables import skeletons
from profilectl.text.escape import visible
from profilectl.text.word_matching import Phrase, Words

MARKERS: Mapping[str, tuple[str, ...]] = {
    "ar": ("بوت", "روبوت", "مساعد افتراضي", "المساعد الافتراضي", "bot"),
    "bg": ("бот", "чатбот", "виртуален асистент"),
    "bn": ("বট", "চ্যাটবট", "ভার্চুয়াল সহকারী", "bot"),
    "ca": ("bot", "chatbot", "assistent virtual"),
    "cs": ("bot", "chatbot", "virtuální asistent", "virtuální asistentka"),
    "da": ("bot", "chatbot", "virtuel assistent"),
    "de": ("bot", "chatbot", "virtueller assistent", "virtuelle assistentin"),
    "el": ("bot", "chatbot", "εικονικός βοηθός"),
    "en": ("bot", "chatbot", "virtual assistant"),
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


_BRACKETS = r"[(\[{<（［【「『〔][^()\[\]{}<>（）［］【】「」『』〔〕]*(?=[)\]}>）］】」』〕])"  # noqa: RUF001 - as written
NEGATIONS: Mapping[str, str] = {
    "ar": "لا ليس ليست غير بدون",
    "bg": "не без няма",
    "bn": "না নয়",
    "ca": "no sense cap mai",
    "cs": "ne není nejsem bez žádný žádná nikdy",
    "da": "ikke ingen intet uden aldrig",
    "de": "kein keine keinen nicht nie niemals ohne",
    "el": "δεν όχι μη χωρίς",
    "en": "no non not never neither nor without isn aren ain anti",
    "es": "no sin ningún nunca",
    "fa": "نیست غیر بدون",
    "fi": "ei ole ilman",
    "fr": "non pas sans aucun aucune jamais",
    "he": "לא אין אינו ללא בלי",
    "hi": "नहीं न बिना",
    "hu": "nem nincs soha",
    "id": "bukan tidak tanpa",
    "it": "non senza nessun mai",
    "ja": "非",
    "ko": "안 비",
    "ms": "bukan tidak tanpa",
    "nb": "ikke ingen uten aldri",
    "nl": "geen niet nooit zonder",
    "nn": "ikkje ingen utan aldri",
    "no": "ikke ingen uten aldri",
    "pl": "nie bez żaden żadna nigdy",
    "pt": "não sem nenhum nunca",
    "ro": "nu fără niciun",
    "ru": "не нет без никакой никогда",
    "sk": "nie bez žiadny žiadna nikdy",
    "sv": "inte ingen utan aldrig",
    "th": "ไม่ใช่ ไม่",
    "tr": "değil hiç",
    "uk": "не ні немає без ніякий",
    "ur": "نہیں بغیر غیر",
    "vi": "không chẳng",
    "zh": "不 不是 非 没 没有 沒有 無 无",
}
"""Words that deny what follows them, by language; English ones count everywhere."""

_FARTHEST = 2  # words between a negation and what it denies: "not really a bot"


class Disclosure:
    """The rule for one language; its markers are folded once for many names."""

    def __init__(self, language: str, markers: tuple[str, ...]) -> None:
        self._language = language
        self._phrases = [Phrase(marker) for marker in markers]
        negations = NEGATIONS["en"], *markers_for(language, {tag: (text,) for tag, text in NEGATIONS.items()})
        self._negations = frozenset(word for text in negations for word in Words(text).list)

    def marker(self, name: str, surname_is: str | None = None) -> str | None:
        """Return the first bot marker that a reader could see in a name, or None.

        Superscripts and letters of other scripts that look alike count, as they would deceive. `surname_is` is a word
        of the name that is a person's family name, and doesn't count.
        """
        own = None if surname_is is None else Words(surname_is).row
        for form in (name,) if name.isascii() else (name, skeletons(name).folded):
            text = Words(form)
            if own is not None:
                text = Words(text.row.replace(own, " | ", 1))
            for phrase in self._phrases:
                if phrase.found_in(text):
                    return phrase.text
        return None

    def problem(self, name: str, kind: Kind, surname_is: str | None = None) -> str | None:
        """Return what is wrong with the name of a human or bot, or None.

        A bot's marker stands as a word of its own at the end of the name or in brackets, in plain letters, and nothing
        denies it.
        """
        if kind is Kind.HUMAN:
            marker = self.marker(name, surname_is)
            return None if marker is None else f'contains the bot marker "{visible(marker)}", but its kind is "human"'
        ends = [Words(name, strict=True)]
        ends += [Words(name[: match.end()], strict=True) for match in re.finditer(_BRACKETS, name)]
        before = [words for end in ends for phrase in self._phrases if (words := phrase.before_end_of(end)) is not None]
        if not before:
            listed = " or ".join(f'"{visible(phrase.text)}"' for phrase in self._phrases[:_MOST_NAMED])
            return f'a bot\'s name must end with {listed}, or hold it in brackets (language "{self._language}")'
        if any(map(self._denies, before)):
            return 'denies to be a bot, but its kind is "bot"'
        return None

    def _denies(self, before: list[str]) -> bool:
        """Say whether the words before a marker deny it; without spaces the negation is the end of the last of them."""
        last = before[-1] if before else ""
        is_joined = not last.isascii() and last.endswith(tuple(word for word in self._negations if not word.isascii()))
        return is_joined or not self._negations.isdisjoint(before[-_FARTHEST - 1 :])
