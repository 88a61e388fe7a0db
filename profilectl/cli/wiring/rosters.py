"""A command's roster, its brands and pictures, judged by the machine's policy file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.cli.wiring.ledgers import LedgerAccess
from profilectl.errors import AvatarRefused, InputRefused
from profilectl.model import Agent, Brand, Picture, PreparedPicture, Roster
from profilectl.render.console import progress
from profilectl.system.cache import cache_file
from profilectl.system.files import read_named
from profilectl.system.host import today
from profilectl.text.escape import visible
from profilectl.toml.document import LARGEST, decode

if TYPE_CHECKING:
    from profilectl.pictures.preparation import Preparation, PreparedCache
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.roster.facts import ProfileFacts
    from profilectl.sync.lasting_warnings import LastingWarnings


class RosterAccess(LedgerAccess, frozen=True, dict=True):
    """The roster of one command."""

    def read_roster(self) -> bytes:
        """Return the roster's bytes; InputRefused when there is none to read."""
        try:
            return read_named(self.roster_path, "the roster", LARGEST)
        except InputRefused as error:
            from profilectl.roster.place import reading_hint

            raise error.with_hint(reading_hint(self.roster_path)) from None

    @cached_property
    def roster(self) -> Roster:
        """The roster, without errors; RosterRefused holds every problem otherwise."""
        from profilectl.roster.brands import decorated_agents
        from profilectl.roster.consent import as_agreed
        from profilectl.roster.parser import parse

        _ = self.uses_sandbox  # an unclear PROFILECTL_SANDBOX is refused by every command, also where X isn't asked
        roster = parse(self._roster_text, str(self.roster_path), today)
        if self.deeds:
            self._require_pinned(roster)
        roster = as_agreed(roster, today(roster.policy.timezone))
        return replace(roster, agents=decorated_agents(roster.agents, roster.brands))

    def _require_pinned(self, roster: Roster) -> None:
        """Raise InputRefused where the policy names another roster, or wants a stricter one."""
        from profilectl.access.policy_file import read_pinned_roster
        from profilectl.roster.disclosure import MARKERS

        authority, shown = self.authority, visible(str(self.roster_path))
        authority.require_policy(roster.policy, shown, MARKERS)
        # The bytes count, not the path, which could lead elsewhere by the time it is read.
        if authority.roster and decode(read_pinned_roster(authority), authority.roster) != self._roster_text:
            raise InputRefused(
                f"{shown} isn't the roster that {authority.file} names",
                hint=f"--roster {shlex.quote(authority.roster)} is what it names, and only an admin changes that",
                rule="another roster than the policy file's",
            )

    def broken_pins(self) -> InputRefused | None:
        """Return why `sync` and `send` would refuse this roster by the machine's policy file; None when they don't."""
        try:
            self._require_pinned(self.roster)
        except InputRefused as error:
            return error
        return None

    @cached_property
    def roster_commit(self) -> str | None:
        """The commit that the roster is of, None where it is in no repository of git's."""
        from profilectl.roster.git_commit import commit_of

        return commit_of(self.roster_path, self.read_roster())

    def profile_facts(self, user_ids: Mapping[str, str]) -> ProfileFacts:
        """Return what the record holds of the profiles of these accounts, given by brand, beside names and pictures."""
        from profilectl.roster.facts import profile_facts

        return profile_facts(self.roster, user_ids, commit=self.roster_commit)

    def policy_digest(self) -> str:
        """Return the digest of this machine's policy file, empty where there is none or it doesn't count."""
        from profilectl.access.policy_file import POLICY, digest_of_policy

        return "" if self.uses_sandbox else digest_of_policy(POLICY)

    @cached_property
    def _roster_text(self) -> str:
        return decode(self.read_roster(), str(self.roster_path))

    @cached_property
    def picture_cache(self) -> PictureStatCache:
        """What an earlier `sync` has kept of the roster's pictures."""
        from profilectl.pictures.stat_cache import PictureStatCache

        roster = self.roster_path.absolute()
        return PictureStatCache(roster.parent, cache_file(str(roster), "pictures"))

    @cached_property
    def lasting_warnings(self) -> LastingWarnings:
        """Which warnings earlier runs of `sync` have given at this X about the roster."""
        from profilectl.sync.lasting_warnings import LastingWarnings

        x = "sandbox" if self.uses_sandbox else self.api_host.replace("/", "_")
        return LastingWarnings(cache_file(str(self.roster_path.absolute()), f"{x}.warnings"))

    @cached_property
    def prepared_cache(self) -> PreparedCache:
        """What earlier commands have kept of pictures that take long to decode."""
        from profilectl.pictures.preparation import PreparedCache

        return PreparedCache(self.roster_path.absolute().parent)

    def inspect_pictures(self, agents: Iterable[Agent], cache: PictureStatCache | None = None) -> dict[str, Picture]:
        """Read every picture these agents name, unless it is known; RosterRefused with every one they may not use."""
        from profilectl.pictures.loader import inspect_all

        agents = tuple(agents)
        pictures, refusals = inspect_all(self.roster_path.parent, agents, cache)
        self._require_usable(agents, pictures, refusals)
        return pictures

    def prepare_pictures(self, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
        """Decode and normalise pictures, by the digest of their file; RosterRefused with every bad one."""
        from profilectl.pictures.loader import prepare_all

        prepared, refusals = prepare_all(self.prepared_cache.prepare, pictures)
        self.refuse_pictures(refusals)
        return prepared

    def preparation(self) -> Preparation:
        """Return what prepares pictures in the background; RosterRefused with every bad one that is asked for."""
        from profilectl.pictures.preparation import Preparation

        return Preparation(self.prepared_cache.prepare, self.refuse_pictures, progress)

    def refuse_pictures(self, refusals: Mapping[str, AvatarRefused]) -> None:
        """Raise RosterRefused with every one of these refusals, by path, that an agent's picture has."""
        self._require_usable(self.roster.agents, {}, refusals)

    def load_pictures(self, agents: Iterable[Agent]) -> dict[str, PreparedPicture]:
        """Return the agents' pictures as they are uploaded, by the avatar as the roster writes it."""
        pictures = self.inspect_pictures(agents)
        # Two paths may name one file's content, which is decoded once.
        prepared = self.prepare_pictures({picture.digest: picture for picture in pictures.values()}.values())
        return {avatar: prepared[picture.digest] for avatar, picture in pictures.items()}

    def _require_usable(
        self, agents: Iterable[Agent], pictures: Mapping[str, Picture], refusals: Mapping[str, AvatarRefused]
    ) -> None:
        from profilectl.pictures.loader import judge, refusal

        objections = judge(agents, pictures, refusals, self.roster.policy)
        refused = refusal(objections, self._roster_text, str(self.roster_path))
        if refused is not None:
            raise refused

    def brands(self) -> tuple[Brand, ...]:
        """Return the brands that a ``diff`` or ``sync`` is about: the chosen ones, or all."""
        from profilectl.roster.brands import select_brands

        return select_brands(self.roster.brands, self.chosen_brands(), str(self.roster_path))

    def the_brand(self) -> Brand:
        """Return the only brand that a command is about; never a guess between two."""
        from profilectl.roster.brands import only_brand

        return only_brand(self.meant(self.brands()))

    def meant(self, brands: Sequence[Brand]) -> Sequence[Brand]:
        """Return the user's default brand where it is one of these and no brand was named; else all of them."""
        if len(brands) < 2 or self.chosen_brands():
            return brands
        return [brand for brand in brands if brand.key == self.config.brand] or brands

    def require_admin(self, action: str) -> None:
        """Raise InputRefused where whoever runs this is no admin; the action is named as in "bob may not sync"."""
        from profilectl.access.policy_file import current_operator

        self.authority.require_admin(current_operator(), action)
        self.deeds.append(action)
        if "roster" in self.__dict__:  # read before anybody knew what for
            self._require_pinned(self.roster)
