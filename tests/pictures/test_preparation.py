"""Pictures prepared in the background, each once."""

from __future__ import annotations

import time

import pytest

from profilectl.errors import AvatarRefused
from profilectl.model import Picture
from profilectl.pictures import preparation
from profilectl.system import threads


def picture(number):
    return Picture(f"{number}.png", f"digest of {number}", b"")


def ends_slowly(call):
    """Begin a call in a thread that needs a moment between its last line and its end."""

    def lingering():
        call()
        time.sleep(0.05)

    return threads.begin(lingering)


@pytest.mark.timeout(60)  # it would wait for ever
def test_what_is_added_while_threads_end_is_prepared(monkeypatch):
    """A thread that has just done the last picture isn't counted on for the next one, which nobody would take then."""
    monkeypatch.setattr(preparation, "begin", ends_slowly)
    pictures = preparation.Preparation(lambda each: each.path, pytest.fail)
    prepared = [pictures.usable([picture(number)]) for number in range(10)]

    assert [{f"digest of {number}": f"{number}.png"} for number in range(10)] == prepared


def test_each_is_prepared_once_and_those_that_can_not_be_used_are_told_together():
    calls = []
    refused = []

    def prepare(each):
        calls.append(each.path)
        if each.path in {"1.png", "3.png"}:
            raise AvatarRefused(each.path)
        return each.path

    background = preparation.Preparation(prepare, lambda refusals: refused.extend(sorted(refusals)))
    pictures = [picture(number) for number in range(5)]
    background.begin(pictures[:3])
    usable = background.usable(pictures)
    background.require(pictures)

    assert ["0.png", "1.png", "2.png", "3.png", "4.png"] == sorted(calls)
    assert ["digest of 0", "digest of 2", "digest of 4"] == sorted(usable)
    assert ["1.png", "3.png"] == refused
