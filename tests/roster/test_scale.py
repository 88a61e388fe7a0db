"""Large rosters, measured in the processor's time, which other work on the machine doesn't change much."""

from __future__ import annotations

import time
from datetime import date

from profilectl.model import Binding, LedgerState, Picture, Profile
from profilectl.plan.builder import build
from profilectl.plan.intents import Observation
from profilectl.roster.parser import parse, parse_partially

NOW = 1_800_000_000_000


def text(agents, brands):
    heads = "".join(f'[brands.b{number}]\nhandle = "acme{number}"\n' for number in range(brands))
    lines = [
        f'[agents.a{number}]\nname = "Agent Person{number}"\navatar = "a.jpg"\nbrands = ["b{number % brands}"]\n'
        f'labels = {{ team = "t{number % 7}" }}\nuntil = 2099-12-31\n'
        for number in range(agents)
    ]
    names = ", ".join(f'"Chief Number{number}"' for number in range(50))
    policy = f"[policy]\nimpersonation = [{names}]\n"
    return f'version = 1\n{heads}{policy}[defaults]\nkind = "human"\n' + "".join(lines)


def seconds_of(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun


def test_five_thousand_agents_of_fifty_brands_are_judged_in_a_second():
    """With a list of names that nobody may resemble."""
    content = text(5000, 50).encode()

    assert seconds_of(lambda: parse_partially(content, "r", lambda _zone: date(2026, 11, 30))) < 2  # 0.5 measured


def test_five_thousand_agents_are_planned_in_half_a_second():
    """Nothing to do, and everything to make."""
    roster = parse(text(5000, 1), "r")
    bindings = tuple(
        Binding(agent.key, str(100_000 + at), agent.name, "sha256:a", NOW, NOW)
        for at, agent in enumerate(roster.agents)
    )
    profiles = tuple(Profile(binding.profile_id, binding.name, "", NOW) for binding in bindings)
    full = Observation("b0", profiles, NOW, LedgerState(bindings=bindings))
    pictures = {"a.jpg": Picture("a.jpg", "sha256:a", 1)}
    plans = []
    seconds = seconds_of(
        lambda: plans.extend(
            build(roster, pictures, [seen], today=date(2026, 11, 30)) for seen in (full, Observation("b0", (), NOW))
        )
    )

    assert [(0, 5000), (5000, 0)] == [(plan.summary()["create"], plan.unchanged) for plan in plans]
    assert seconds < 1  # 0.1 measured
