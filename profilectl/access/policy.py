"""Who may do what on this machine: root's policy, which no roster can loosen, and the roster's operators.

These are rules of this program. Whoever holds the brand's token can call X without it, so they become a boundary
only where the token belongs to a user that nobody else can become; ``examples/authority`` shows how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from profilectl.errors import InputRefused
from profilectl.model import Account, Agent, Binding, Policy
from profilectl.text.escape import visible
from profilectl.text.names import as_compared

EVERYBODY_ELSE = "*"
"""Stands in the policy's operators for every agent, or profile, that isn't named there."""

_UID = "uid:"
_STRICTNESS = {
    "disclosure": ("warn", "enforce"),
    "consent": ("off", "record", "require"),
    "ai_faces": ("record", "refuse"),
}
"""The values of a roster's policy that the policy file can ask for, the loosest first."""


class Operator(Struct, frozen=True):
    """The OS user who runs the program, as the kernel knows it."""

    name: str
    uid: int


class Authority(Struct, frozen=True):
    """What the policy file says; without one the roster alone decides who sends, and everybody is an admin.

    A rule is the name of an OS user, or ``uid:`` and a number. A name means the uid that this machine gives it, so it
    means everybody with that uid; a name that this machine doesn't know means nobody.
    """

    uid_of: Callable[[str], int | None]
    admins: tuple[str, ...] | None = None  # may do everything; None when there is no policy file
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by agent's key, or `EVERYBODY_ELSE`
    file: str = ""
    accounts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Operators by account (its handle in lower case, or its user id), and in it by profile: its public name or id."""
    roster: str = ""  # the only one that is acted on, empty: any
    ledger: str = ""  # the only one that is used, empty: any
    disclosure: str = ""  # what a roster that is acted on has to say at least; empty: either. So the two below
    consent: str = ""
    ai_faces: str = ""
    test_recipients: tuple[str, ...] | None = None  # the only ones that a roster may name; None: any
    bot_markers: Mapping[str, tuple[str, ...]] | None = None
    """By language, the only markers that a roster may name; of other languages the program's own. None: any."""

    @property
    def trusts_keys(self) -> bool:
        """Whether somebody is told by an agent's key, although each roster gives the keys as it likes."""
        return not self.roster and any(key != EVERYBODY_ELSE for key in self.operators)

    def is_admin(self, operator: Operator) -> bool:
        """Say whether the policy names the operator among the admins; without a policy, nobody is."""
        return self._is_meant(operator, self.admins or ())

    def require_face(self, operator: Operator, account: Account | None, binding: Binding | None, handle: str) -> None:
        """Raise InputRefused unless the operator may speak with a profile, where the policy names accounts.

        `account` and `binding` are the ledger's, None where it has none: then the roster's `handle` is the account, and
        X is asked later if that is true. Who and what isn't named is the admins' alone.
        """
        if not self.accounts or self.is_admin(operator):
            return
        keys = (handle.casefold(),) if account is None else (account.user_id, account.handle.casefold())
        profiles: dict[str, tuple[str, ...]] = {}
        for key in keys:
            profiles |= self.accounts.get(key, {})
        names = [] if binding is None else [binding.profile_id, as_compared(binding.name)]
        rules = next((profiles[name] for name in (*names, EVERYBODY_ELSE) if name in profiles), ())
        if not self._is_meant(operator, rules):
            face = "without a profile" if binding is None else f"as {binding.name} (profile {binding.profile_id})"
            raise InputRefused(
                f"{operator.name} may not send {face} at @{keys[-1]}",
                hint=f"{self.file} names who may: {self._listed(rules)}; or ask an admin: {self._listed(self.admins)}",
                rule="accounts of the policy file",
            )

    def require_policy(self, policy: Policy, roster: str, usual_markers: Mapping[str, tuple[str, ...]]) -> None:
        """Raise InputRefused where a roster's policy is looser than the policy file wants.

        `roster` is its path, `usual_markers` are those that a roster has without naming any, by language.
        """
        faults = list(self._looser(policy, usual_markers))
        if faults:
            raise InputRefused(
                f"{roster} is looser than {self.file} wants: {'; '.join(faults)}",
                hint="change the roster's [policy]; only root changes that file",
                rule="policy file",
            )

    def _looser(self, policy: Policy, usual_markers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        for name, order in _STRICTNESS.items():
            own, least = getattr(policy, name), getattr(self, name)
            if least and order.index(own) < order.index(least):
                yield f'{name} is "{own}", and has to be "{least}"'
        testers = {tester.casefold() for tester in self.test_recipients or ()}
        others = [tester for tester in policy.test_recipients if tester.casefold() not in testers]
        if self.test_recipients is not None and others:
            yield f"test_recipients has {', '.join(map(visible, others))}, which it doesn't name"
        if self.bot_markers is None:
            return
        allowed = {**usual_markers, **self.bot_markers}
        for language, markers in policy.bot_markers.items():
            unknown = [marker for marker in markers if marker not in allowed.get(language, ())]
            if unknown:
                words = ", ".join(f'"{visible(marker)}"' for marker in unknown)
                yield f"bot_markers has {words} for {visible(language)}, which it doesn't name"

    def require_admin(self, operator: Operator, deed: str) -> None:
        """Raise InputRefused unless the operator is an admin; `deed` is what admins do, as in "bob may not …"."""
        if self.admins is not None and not self._is_meant(operator, self.admins):
            raise InputRefused(
                f"{operator.name} may not {deed}: that is for the admins whom {self.file} names",
                hint=f"ask one of them: {self._listed(self.admins)}",
            )

    def require_operator(self, agent: Agent, operator: Operator) -> None:
        """Raise InputRefused unless both the policy and the roster allow the operator to send as the agent."""
        # Admins may change the roster, so its operators can't keep them out.
        if self._is_meant(operator, self.admins or ()):
            return
        rules = self.operators.get(agent.key, self.operators.get(EVERYBODY_ELSE))
        if rules is not None and not self._is_meant(operator, rules):
            raise InputRefused(
                f"{operator.name} may not send as {agent.key}",
                hint=f"{self.file} names who may: {self._listed(rules)}; or ask an admin: {self._listed(self.admins)}",
                rule="operators of the policy file",
            )
        if agent.operators and not self.is_named(agent, operator):
            raise InputRefused(
                f"{operator.name} may not send as {agent.key}",
                hint=f"the roster's operators name who may: {self._listed(agent.operators)}",
                rule="operators of the roster",
            )

    def is_named(self, agent: Agent, operator: Operator) -> bool:
        """Say whether the roster's operators name this very user; those of an agent for everybody name nobody."""
        return self._is_meant(operator, agent.operators)

    def unknown_users(self, agents: Iterable[Agent]) -> dict[str, str]:
        """Return every user whom this machine doesn't know, and who names them: the policy file, or an agent's key."""
        faces = (rules for profiles in self.accounts.values() for rules in profiles.values())
        own = [(self.file, rules) for rules in (self.admins or (), *self.operators.values(), *faces)]
        named = [(rule, where) for where, rules in own for rule in rules]
        named += [(rule, agent.key) for agent in agents for rule in agent.operators]
        unknown: dict[str, str] = {}
        for rule, where in named:
            if self._uid(rule) is None:
                unknown.setdefault(rule, where)
        return unknown

    def _is_meant(self, operator: Operator, rules: Iterable[str]) -> bool:
        return any(self._uid(rule) == operator.uid for rule in rules)

    def _uid(self, rule: str) -> int | None:
        return int(rule.removeprefix(_UID)) if rule.startswith(_UID) else self.uid_of(rule)

    def _listed(self, rules: Iterable[str] | None) -> str:
        """Return the users that rules name, and which of them this machine doesn't know."""
        names = [rule if self._uid(rule) is not None else f"{rule} (unknown on this machine)" for rule in rules or ()]
        return ", ".join(names) or "nobody"
