"""What a person sees in X's apps: asked at a terminal, recorded with its day, and shown by `doctor` from then on."""

from __future__ import annotations

import pytest

from profilectl.ledger.sqlite import open_for_reading

CHECK = ("doctor", "--face-check", "--to", "@customer")


@pytest.fixture
def alice(desk, served):
    """A desk whose agent Alice has her face at X."""
    desk.write(("alice", "Alice F."))
    assert 0 == desk.run("sync", "--yes").code
    return desk


def checks(desk):
    """Return what the record holds of face checks, oldest first."""
    with open_for_reading(desk.folder / desk.env["PROFILECTL_LEDGER"]) as ledger:
        return [record.event for record in ledger.events() if record.event.what == "face-check"]


def messages(served):
    return served.ask("GET", "state")["messages"]


def test_a_person_tells_what_the_apps_show(alice, served):
    """One message with the face; each app is asked about, a mistyped answer again, and Enter leaves one out."""
    code, screen = alice.watch(*CHECK, answers=b"both\nperhaps\nname\nnothing\n\n")
    [message], [event] = messages(served), checks(alice)
    page = served.read("/_sandbox/conversations/acmecare/customer")
    report = alice.run("doctor", "--json").document
    [line] = [check["message"] for check in report["checks"] if check["check"] == "profiles"]

    assert 0 == code
    assert "iOS: what do you see beside the message?" in screen
    assert "please type one of: both, name, picture, nothing" in screen
    assert "iOS yes, Android name only, web no" in screen.splitlines()[-1]
    assert message["profile_id"] == event.profile_id
    assert ("both", "name", "nothing") == tuple(event.detail[app] for app in ("ios", "android", "web"))
    assert message["id"] == event.detail["event_id"]
    assert "xchat" not in event.detail
    assert "profilectl face check" in page
    assert "Alice F." in page
    assert line.startswith("1 bound, 0 retired, 0 not ours; last seen by a person on 20")
    assert line.endswith(": iOS yes, Android name only, web no")


def test_the_last_one_counts(alice):
    """A later check takes the place of an earlier one in the report; the record keeps both."""
    for answers in (b"both\n\n\n\n", b"\n\n\nnothing\n"):
        assert 0 == alice.watch(*CHECK, answers=answers)[0]
    report = alice.run("doctor").out

    assert 2 == len(checks(alice))
    assert "XChat no" in report
    assert "iOS" not in report


@pytest.mark.parametrize("answers", [b"\n\n\n\n", b"both\n\x03"])
def test_nothing_is_recorded_without_an_answer(alice, served, answers):
    """Whoever looks at no app, or leaves with Ctrl-C, has told nothing; the message is out all the same."""
    code, _ = alice.watch(*CHECK, answers=answers)

    assert (130, []) == (code, checks(alice))
    assert 1 == len(messages(served))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (CHECK, 2, "--face-check needs a person at a terminal"),
        ((*CHECK, "--json"), 2, "--face-check needs a person at a terminal"),
        (("doctor", "--face-check"), 2, "--face-check needs --to"),
        ((*CHECK, "--wait", "1h"), 2, "--wait and --face-check exclude each other"),
        (("doctor", "--to", "@customer"), 2, "--to and --as are for --face-check"),
    ],
)
def test_without_a_person_nothing_is_sent(alice, served, words, code, sentence):
    """A timer can't look: it is told so, and no customer hears of it."""
    result = alice.run(*words)

    assert (code, []) == (result.code, messages(served))
    assert sentence in result.err


def test_no_customer_is_written_to(alice, served):
    """Only the policy's test recipients are, whoever sits there."""
    code, screen = alice.watch("doctor", "--face-check", "--to", "@acmecare")

    assert (5, []) == (code, messages(served))
    assert 'test_recipients = ["@acmecare"] in [policy]' in screen


def test_without_a_face_there_is_nothing_to_see(desk, served):
    """Before the first sync no agent has a profile, and after a withdrawal X takes none."""
    desk.write(("alice", "Alice F."))
    early = desk.watch(*CHECK)
    assert 0 == desk.run("sync", "--yes").code
    desk.write(("alice", "Alice F."), policy='when_withdrawn = "sign-off"')
    served.ask("POST", "advance", {"seconds": 200})
    served.ask("POST", "allowlist", {"handle": "acmecare", "allowlisted": False})
    late = desk.watch(*CHECK)

    assert (5, 5, []) == (early[0], late[0], messages(served))
    assert "no agent of acme has a profile" in early[1]
    assert "X allows no profiles at present" in late[1]


def test_the_doctor_asks_for_eyes(alice):
    """On a terminal it says what isn't known of XChat, until a person has looked."""
    _, before = alice.watch("doctor")
    assert 0 == alice.watch(*CHECK, answers=b"both\nboth\nboth\nboth\n")[0]
    _, after = alice.watch("doctor")

    assert "X doesn't publish whether it shows agents' names and pictures" in " ".join(before.split())
    assert "doesn't publish" not in after


def test_a_refusal_is_on_the_record(alice, served):
    """As one of `send` is: who may not speak as Alice may not have her looked at either."""
    roster = alice.folder / "roster.toml"
    roster.write_text(roster.read_text().replace("[agents.alice]", '[agents.alice]\noperators = ["somebody-else"]'))
    code, screen = alice.watch(*CHECK, "--as", "alice")
    with open_for_reading(alice.folder / alice.env["PROFILECTL_LEDGER"]) as ledger:
        [denied] = [record.event for record in ledger.events() if record.event.what == "denied"]

    assert (5, []) == (code, messages(served)), screen
    assert ("alice", "@customer") == (denied.agent, denied.detail["recipient"])
