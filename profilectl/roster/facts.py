"""What the record holds of a profile beside its name and picture: who agreed to it, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from profilectl.model import Detail, Roster
from profilectl.roster.consent import describe_consent


class ProfileFacts(Struct, frozen=True):
    """What one command knows of the profiles that it makes, binds and ends.

    Attributes:
        consents: what a person has agreed to, in words, by the account's user id and the agent's key.
        commit: of the git repository that holds the roster; None where it lies in none.
        plan: the digest of the plan that is carried out; None for what a person does by hand.
    """

    consents: Mapping[tuple[str, str], str] = field(default_factory=dict)
    commit: str | None = None
    plan: str | None = None

    def of(self, user_id: str, agent: str | None) -> Detail:
        """Return the facts about the profile of an agent, those left out that aren't known."""
        facts = {"consent": self.consents.get((user_id, agent or "")), "commit": self.commit, "plan": self.plan}
        return {name: value for name, value in facts.items() if value is not None}


def profile_facts(
    roster: Roster, user_ids: Mapping[str, str], *, commit: str | None = None, plan: str | None = None
) -> ProfileFacts:
    """Return the facts about the agents of a roster; `user_ids` are the accounts of the brands that are meant."""
    consents = {
        (user_ids[agent.brand], agent.key): describe_consent(agent, roster.policy)
        for agent in roster.agents
        if agent.brand in user_ids
    }
    return ProfileFacts(consents, commit, plan)
