"""The rules of ``roster check``: an id that stays the same, what it means, what to do, and whether it may be waived.

May be waived what a person can judge who looks at it: names that resemble others, and how pictures look. Not what keeps
the roster readable, customers from taking a machine for a person, or private names on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class CheckRule(Struct, frozen=True):
    """What one kind of problem is about."""

    id: str
    meaning: str
    advice: str
    can_be_waived: bool = False


_RULES = (
    CheckRule("encoding", "The file isn't UTF-8.", "Save it as UTF-8."),
    CheckRule(
        "toml",
        "The file isn't TOML, so nothing else of it is known.",
        "Mend this line first: nothing else of the file is read before.",
    ),
    CheckRule("version", "The roster's version is missing, or newer than this profilectl.", "Begin with: version = 1"),
    CheckRule("size", "The file holds more than one roster may.", "Split it, or mend the first problems."),
    CheckRule("unknown-key", "A key that no table has, or that never belongs into a roster.", "Correct or remove it."),
    CheckRule("key", "The key of an agent or brand isn't plain.", "Use lower-case letters, digits, - and _."),
    CheckRule("value", "A key's value can't be what it is.", "Write a value of the form that the message names."),
    CheckRule("missing", "Something is missing that an agent or brand can't be without.", "Add it, or a default."),
    CheckRule("no-agent", "The roster has no agent: that would remove everybody.", "Name at least one agent."),
    CheckRule("no-brand", "The roster has no brand.", "Name the account that speaks."),
    CheckRule("brands", "Brands are named that don't exist, twice, or not at all.", "Name brands of this roster."),
    CheckRule("idle-brand", "No agent belongs to a brand.", "Remove the brand, or give it agents."),
    CheckRule("dates", "An agent's first day is after the last one.", "Correct one of the days."),
    CheckRule("name", "A public name is too long, empty, or holds what nobody can see.", "Write another name."),
    CheckRule("name-pattern", "A name pattern can't be filled in.", "Mend the pattern, or the field it needs."),
    CheckRule("legal-name", "A public name holds the legal name.", "Write a name that customers may know."),
    CheckRule("disclosure", "A bot's name doesn't say so, or a person's does.", "Correct the name, or the kind."),
    CheckRule(
        "mixed-scripts",
        "One word mixes scripts as no language does.",
        "Type the word anew, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "lookalike",
        "Two agents of a brand, or an agent and an account, have names that look alike.",
        "Give one another name, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "impersonation",
        "A name resembles one that [policy] impersonation names.",
        "Write another name, or waive the rule for the person whose name it is.",
        can_be_waived=True,
    ),
    CheckRule("consent", "A consent is missing, is about to end, or has ended.", "Ask the person anew."),
    CheckRule("moved", "A [[moved]] entry leads nowhere.", "Correct or remove the entry."),
    CheckRule("waiver", "A waiver is incomplete, over, or for a rule that can't be waived.", "Renew or remove it."),
    CheckRule("waiver-unused", "A waiver waives nothing.", "Remove it."),
    CheckRule("picture", "A picture can't be used.", "Use a JPEG, PNG, WEBP or GIF in the roster's folder."),
    CheckRule("machine-made", "A human's picture says that a machine made it.", "Use a photograph of the person."),
    CheckRule(
        "picture-origin",
        "A picture has a C2PA manifest that doesn't say what made it.",
        "Look where it comes from, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "picture-small",
        "A picture has less than 48 pixels.",
        "Use one of 400x400, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "picture-cropped",
        "More than half of a picture is outside of its middle square.",
        "Crop it to a square, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "picture-animated",
        "A picture is animated, and customers see its first frame only.",
        "Use a still picture, or waive the rule.",
        can_be_waived=True,
    ),
    CheckRule(
        "picture-transparent",
        "A picture is transparent in places, which become white.",
        "Give it a background, or waive the rule.",
        can_be_waived=True,
    ),
)

RULES: Mapping[str, CheckRule] = {rule.id: rule for rule in _RULES}
"""Every rule by its id."""


def advice_for(rule: str, hint: str) -> str:
    """Return what to do about a problem: its own hint, or else its rule's."""
    return hint or (RULES[rule].advice if rule in RULES else "")
