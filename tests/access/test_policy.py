"""Who may do what: the policy and the roster together, by uid."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.access.policy import EVERYBODY_ELSE, Authority, Operator
from profilectl.errors import InputRefused
from profilectl.model import Account, Agent, Binding, Kind, Policy
from profilectl.text.names import as_compared

USERS = {"root": 0, "cindy": 1003, "afast": 1001, "ally": 1001, "bob": 1002}
AFAST, BOB, CINDY = Operator("afast", 1001), Operator("bob", 1002), Operator("cindy", 1003)
FILE = "/etc/profilectl/policy.toml"


def alice(*operators):
    return Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN, operators)


def policy(admins=("root", "cindy"), **operators):
    return Authority(USERS.get, admins, operators, FILE)


def refusal(deed, *words):
    with pytest.raises(InputRefused) as refused:
        deed(*words)
    return refused.value


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("afast", True),
        ("ally", True),
        ("uid:1001", True),
        ("uid:0001001", True),
        ("bob", False),
        ("uid:1002", False),
        ("nobody-here", False),
        ("1001", False),
        ("AFAST", False),
    ],
)
def test_a_rule_means_a_uid(rule, expected):
    """Every name of a uid means everybody with it; a name that doesn't exist here means nobody, not even its bearer."""
    assert expected == policy().is_named(alice(rule), AFAST)


def test_the_name_that_somebody_goes_by_counts_for_nothing():
    """Who is called as an unknown rule, or as an admin, is still only a uid."""
    assert not policy().is_named(alice("ghost"), Operator("ghost", 1001))
    refusal(policy().require_admin, Operator("root", 1001), "sync")


def test_without_a_policy_everybody_is_an_admin():
    """And for sending the roster alone decides: being an admin then lets nobody past it."""
    nobody_said = Authority(USERS.get)

    nobody_said.require_admin(BOB, "sync")
    nobody_said.require_operator(alice(), BOB)
    nobody_said.require_operator(alice("bob"), BOB)
    refused = refusal(nobody_said.require_operator, alice("afast", "gone"), Operator("root", 0))

    assert "root may not send as alice" == refused.message
    assert "the roster's operators name who may: afast, gone (unknown on this machine)" == refused.hint


def test_only_admins_may_do_what_customers_see():
    """The refusal says who, what, by which word, and whom to ask."""
    policy().require_admin(CINDY, "sync")
    refused = refusal(policy().require_admin, BOB, "sync")

    assert f"bob may not sync: that is for the admins whom {FILE} names" == refused.message
    assert "ask one of them: root, cindy" == refused.hint


def test_admins_send_as_anybody():
    """Whatever policy and roster say of the others."""
    own = policy(alice=())
    own.require_operator(alice("afast"), CINDY)

    assert refusal(own.require_operator, alice("afast"), BOB)


ALLOWED, BY_POLICY, BY_ROSTER = None, FILE, "the roster's operators"


@pytest.mark.parametrize(
    ("operators", "roster", "who", "expected"),
    [
        ({}, (), BOB, ALLOWED),
        ({}, ("afast",), BOB, BY_ROSTER),
        ({"alice": ("afast",)}, (), AFAST, ALLOWED),
        ({"alice": ("afast",)}, (), BOB, BY_POLICY),
        ({"alice": ("afast",)}, ("bob",), BOB, BY_POLICY),
        ({"alice": ("afast",)}, ("bob",), AFAST, BY_ROSTER),
        ({"alice": ("afast",)}, ("afast", "bob"), AFAST, ALLOWED),
        ({EVERYBODY_ELSE: ()}, ("bob",), BOB, BY_POLICY),
        ({EVERYBODY_ELSE: ("bob",)}, (), BOB, ALLOWED),
        ({EVERYBODY_ELSE: ("bob",), "alice": ("afast",)}, (), BOB, BY_POLICY),
        ({EVERYBODY_ELSE: (), "alice": ("afast",)}, (), AFAST, ALLOWED),
        ({"bruno": ("bob",)}, ("afast",), AFAST, ALLOWED),
    ],
)
def test_policy_and_roster_must_both_allow_it(operators, roster, who, expected):
    """An agent's own line beats the star; without either the roster decides."""
    authority = policy(**operators)
    if expected is ALLOWED:
        authority.require_operator(alice(*roster), who)
    else:
        refused = refusal(authority.require_operator, alice(*roster), who)
        assert f"{who.name} may not send as alice" == refused.message
        assert refused.hint.startswith(f"{expected} name")


def test_a_list_of_nobody_is_told_as_such():
    """With the admins, who can do it."""
    refused = refusal(policy(**{EVERYBODY_ELSE: ()}).require_operator, alice(), BOB)

    assert f"{FILE} names who may: nobody; or ask an admin: root, cindy" == refused.hint


def acme(user_id="4711", handle="AcmeCare"):
    return Account(user_id, handle, "api.x.com")


def bound(name="Alice F.", profile_id="100001", agent="alice"):
    return Binding(agent, profile_id, name, "sha256:1", 1, 1)


@pytest.mark.parametrize(
    ("account", "profiles", "who", "binding", "expected"),
    [
        ("acmecare", {"Alice F.": ("afast",)}, AFAST, bound(), ALLOWED),
        ("acmecare", {"Alice F.": ("afast",)}, BOB, bound(), BY_POLICY),
        ("acmecare", {"Alice F.": ("afast",)}, AFAST, bound("Bob", "100002", "alice"), BY_POLICY),
        ("4711", {"100001": ("afast",)}, AFAST, bound("Whatever"), ALLOWED),
        ("4711", {"100001": ("afast",)}, CINDY, bound("Whatever"), ALLOWED),
        ("4711", {EVERYBODY_ELSE: ("bob",)}, BOB, bound(), ALLOWED),
        ("4711", {EVERYBODY_ELSE: ("bob",), "100001": ("afast",)}, BOB, bound(), BY_POLICY),
        ("4711", {"100001": ("afast",)}, AFAST, None, BY_POLICY),
        ("other", {EVERYBODY_ELSE: ("bob",)}, BOB, bound(), BY_POLICY),
    ],
)
def test_a_face_is_somebody_s_whatever_a_roster_calls_it(account, profiles, who, binding, expected):
    """By account and profile: the key `alice` bound to Bob's profile is Bob's; the rest is the admins'."""
    compared = {as_compared(name): users for name, users in profiles.items()}
    authority = Authority(USERS.get, ("root", "cindy"), file=FILE, accounts={account: compared})
    if expected is ALLOWED:
        authority.require_face(who, acme(), binding, "elsewhere")
    else:
        refused = refusal(authority.require_face, who, acme(), binding, "elsewhere")
        assert refused.message.startswith(f"{who.name} may not send ")
        assert refused.message.endswith(" at @acmecare")


def test_an_account_that_the_ledger_does_not_know_is_the_roster_s():
    """X says later whether that is true; without a profile only the star speaks."""
    authority = Authority(USERS.get, ("root",), file=FILE, accounts={"acmecare": {EVERYBODY_ELSE: ("bob",)}})

    authority.require_face(BOB, None, None, "AcmeCare")
    refusal(authority.require_face, AFAST, None, None, "AcmeCare")


@pytest.mark.parametrize(
    ("operators", "roster", "expected"),
    [({"alice": ()}, "", True), ({"alice": ()}, "/r.toml", False), ({EVERYBODY_ELSE: ()}, "", False)],
)
def test_keys_are_trusted_only_where_the_roster_is_pinned(operators, roster, expected):
    """The star alone needs no key."""
    assert expected == Authority(USERS.get, ("root",), operators, FILE, roster=roster).trusts_keys


MARKERS = {"en": ("bot",), "de": ("bot", "chatbot")}
STRICT = Policy(bot_markers=MARKERS)
PINS = replace(
    policy(),
    disclosure="enforce",
    consent="record",
    ai_faces="refuse",
    test_recipients=("@Tester", "12345"),
    bot_markers={"en": ("bot", "assistant")},
)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({"consent": "require", "test_recipients": ("@tester",)}, None),
        ({"bot_markers": {**MARKERS, "en": ("assistant",)}}, None),
        ({"disclosure": "warn"}, 'disclosure is "warn", and has to be "enforce"'),
        ({"consent": "off"}, 'consent is "off", and has to be "record"'),
        ({"ai_faces": "record"}, 'ai_faces is "record", and has to be "refuse"'),
        ({"test_recipients": ("@tester", "@me")}, "test_recipients has @me, which it doesn't name"),
        ({"bot_markers": {**MARKERS, "en": ("person",)}}, 'bot_markers has "person" for en, which it doesn\'t name'),
        ({"bot_markers": {**MARKERS, "de": ("Mensch",)}}, 'bot_markers has "Mensch" for de, which it doesn\'t name'),
    ],
)
def test_a_roster_may_be_stricter_than_the_policy_file_and_never_looser(changed, expected):
    """What is looser is named, all of it at once; a language that isn't named has the usual markers only."""
    own = replace(STRICT, **changed)
    if expected is None:
        PINS.require_policy(own, "roster.toml", MARKERS)
    else:
        error = refusal(PINS.require_policy, own, "roster.toml", MARKERS)
        assert (f"roster.toml is looser than {FILE} wants: {expected}", "policy file") == (error.message, error.rule)


def test_without_pins_every_policy_is_free():
    """A policy file that names none of these asks for nothing."""
    loose = Policy(disclosure="warn", consent="off", ai_faces="record", test_recipients=("@me",), bot_markers={})
    policy().require_policy(loose, "roster.toml", MARKERS)

    assert refusal(PINS.require_policy, loose, "roster.toml", MARKERS)


def test_users_whom_the_machine_does_not_know_are_named_with_who_names_them():
    """A typing error lets nobody send, so it is told; a number needs no name, and each is told once."""
    agents = [alice("afast", "afsat", "uid:77"), replace(alice("afsat"), brand="beta"), replace(alice(), key="bruno")]
    own = Authority(USERS.get, ("root", "gost"), {"alice": ("cindy", "bbo")}, FILE, {"acmecare": {"*": ("kim",)}})

    assert {"gost": FILE, "bbo": FILE, "kim": FILE, "afsat": "alice"} == own.unknown_users(agents)
    assert {} == Authority(USERS.get).unknown_users([alice("afast")])
