"""What was written in the editor outlives every slip after it; and what a person sees before a message leaves."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.test_send import texts

EDIT = ("send", "--as", "alice", "--to", "@customer", "--edit")
WRITTEN = "A long answer, well thought out."


@pytest.fixture
def editor(desk, tmp_path):
    """Have an editor write an answer, then run some Python in which `parent` is the program that started it."""

    def use(script="", text=WRITTEN):
        path = tmp_path / "editor.py"
        path.write_text(
            "import os, pathlib, signal, sys\nparent = os.getppid()\npath = pathlib.Path(sys.argv[-1])\n"
            f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(path.read_text())\n"
            f"path.write_text({text!r} + path.read_text())\n"
            f"pathlib.Path({str(tmp_path / 'parent')!r}).write_text(str(parent))\n{script}\n"
        )
        desk.env["EDITOR"] = f"{sys.executable} {shlex.quote(str(path))}"

    use()
    return use


@pytest.fixture
def alice(desk, served, editor):
    """A desk whose agent Alice has her face at X, with an editor."""
    desk.write(("alice", "Alice F.", 'first = "Alice"', 'last = "Fast"'))
    assert 0 == desk.run("sync", "--yes").code
    return desk


def kept(desk):
    folder = Path(desk.env["XDG_STATE_HOME"]) / "profilectl"
    return [path.read_text().partition("# ---")[0].strip() for path in folder.rglob("MESSAGE")]


@pytest.fixture(autouse=True)
def _state(desk, tmp_path):
    desk.env["XDG_STATE_HOME"] = str(tmp_path / "state")


def customer_id(served):
    accounts = served.ask("GET", "state")["accounts"]
    return next(account["user_id"] for account in accounts if account["handle"] == "customer")


def plain(screen):
    return " ".join(screen.split())


def parent(tmp_path):
    return int((tmp_path / "parent").read_text())


def kill(number, tmp_path):
    """Return what sends a signal to the program at its question, and types nothing."""

    def strike():
        os.kill(parent(tmp_path), number)
        return b""

    return strike


ENDS = {
    "n": (130, lambda _: b"n\n"),
    "Ctrl-C": (130, lambda _: b"\x03"),
    "killed": (-signal.SIGKILL, lambda path: kill(signal.SIGKILL, path)()),
    "terminated": (143, lambda path: kill(signal.SIGTERM, path)()),
    "hung up": (129, lambda path: kill(signal.SIGHUP, path)()),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_draft_outlives_the_question(alice, served, tmp_path, end):
    """However it ends; the next --edit goes on with the text, and once it is sent nothing is kept."""
    code, answer = ENDS[end]
    ended, screen = alice.watch(*EDIT, at_questions=[lambda: answer(tmp_path)])
    left = kept(alice)
    alice.env["EDITOR"] = "true"
    again, next_screen = alice.watch(*EDIT, at_questions=[lambda: b"y\n"])

    assert (code, [WRITTEN], end != "killed") == (ended, left, "Your text is kept in " in screen)
    assert (0, [WRITTEN], []) == (again, texts(served), kept(alice))
    assert "Your draft is opened again: X hasn't confirmed" in next_screen


def test_a_draft_outlives_a_kill_while_the_editor_is_open(alice, editor):
    """The editor writes where it is kept, not into a folder that goes with the program."""
    editor("os.kill(parent, signal.SIGKILL)")
    ended, _ = alice.watch(*EDIT)

    assert (-signal.SIGKILL, [WRITTEN]) == (ended, kept(alice))


def test_ctrl_c_in_the_editor_is_the_editor_s(alice, editor, served):
    """There it may be a command like any other, so the program goes on with what was written."""
    editor("os.kill(parent, signal.SIGINT)")
    code, screen = alice.watch(*EDIT, at_questions=[lambda: b"y\n"])

    assert (0, [WRITTEN]) == (code, texts(served)), screen


def test_an_editor_that_ctrl_c_ends_ends_the_program(alice, editor, served):
    """As if it had been typed there; the text is kept, and said to be."""
    editor("signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)")
    code, screen = alice.watch(*EDIT)

    assert (130, [WRITTEN], []) == (code, kept(alice), texts(served)), screen
    assert "Your text is kept in " in screen


def test_a_draft_outlives_a_private_name(alice, editor, served):
    """The refusal says what gives the name away, and the text is there to be mended."""
    editor(text="This is Alice Fast.")
    code, screen = alice.watch(*EDIT)

    assert (5, ["This is Alice Fast."], []) == (code, kept(alice), texts(served))
    assert "gives away alice's last name" in screen


def test_a_draft_outlives_a_network_that_goes(alice, editor, served):
    """X is gone when the answer is yes: 75, and the text is kept."""
    served.fault(call="send", kind="drop-before", times=None)
    code, screen = alice.watch(*EDIT, "--timeout", "10", at_questions=[lambda: b"y\n"])

    assert ([WRITTEN], []) == (kept(alice), texts(served))
    assert (True, True) == (code in {7, 75}, "Your text is kept in " in screen)


def test_an_unknown_handle_is_refused_before_the_editor_opens(alice, tmp_path):
    """Nobody writes for nothing, and a draft of before stays and is named."""
    alice.watch(*EDIT, at_questions=[lambda: b"n\n"])
    (tmp_path / "seen").unlink()
    code, _ = alice.watch("send", "--as", "alice", "--to", "@nobody_knows", "--edit")

    assert (5, False, [WRITTEN]) == (code, (tmp_path / "seen").exists(), kept(alice))


def test_a_draft_outlives_a_full_disk(alice, editor, require, served, tmp_path):
    """Neither the ledger nor the draft can be written any more: what the editor has saved is still there."""
    require("unshare", shutil.which("unshare") is not None, "unshare isn't installed")
    state, copy = Path(alice.env["XDG_STATE_HOME"]), tmp_path / "copy"
    state.mkdir(exist_ok=True)
    script = (
        f'mount -t tmpfs -o size=2m tmpfs {state} && cp "$PROFILECTL_LEDGER" {state}/ledger.db && '
        f'PROFILECTL_LEDGER={state}/ledger.db "$@"; code=$?; cat {state}/profilectl/*/drafts/*/MESSAGE > {copy}; '
        "exit $code"
    )
    editor(f"try: pathlib.Path({str(state / 'rest')!r}).write_bytes(b'x' * 3_000_000)\nexcept OSError: pass")
    code, screen = alice.watch(
        *EDIT, at_questions=[lambda: b"y\n"], starter=("unshare", "-rm", "sh", "-c", script, "sh")
    )

    assert (5, [], True) == (code, texts(served), copy.read_text().startswith(WRITTEN))
    assert "Your text is kept in " in screen


def test_a_text_below_the_scissors_is_kept(alice, served, editor):
    """It isn't sent, as the notes say, but it is there when the editor opens again, above the line."""
    editor("path.write_text(path.read_text().removeprefix('Late') + 'Late')", text="Late")
    code, screen = alice.watch(*EDIT)
    editor(text="")
    again, _ = alice.watch(*EDIT, at_questions=[lambda: b"y\n"])

    assert (130, True) == (code, "your text stands below the line with the scissors" in screen)
    assert "Your text is kept in " in screen
    assert (0, ["Late"], []) == (again, texts(served), kept(alice))


def test_what_stands_below_the_scissors_is_kept_when_the_rest_is_sent(alice, served, editor):
    """It isn't sent, as the notes say; through every question, and after the message is out, it is still there."""
    editor("path.write_text(path.read_text().removesuffix('Later') + 'Later')", text="")
    alice.watch(*EDIT, "Now", at_questions=[lambda: b"n\n"])
    first, screen = alice.watch(*EDIT, at_questions=[lambda: b"e\n", lambda: b"y\n"])
    editor(text="")
    second, _ = alice.watch(*EDIT, at_questions=[lambda: b"y\n"])

    assert (0, 0, ["Now", "Later"], []) == (first, second, texts(served), kept(alice))
    assert "What stands below the line with the scissors isn't sent: it is kept for another message." in plain(screen)
    assert "Your text is kept in " in screen


def test_of_two_drafts_to_one_customer_each_is_named(alice):
    """--edit opens the earlier one, so the later one is told with the path that opens it, whenever there are two."""
    alice.watch(*EDIT, at_questions=[lambda: b"n\n"])
    words = ("send", "--as", "alice", "--to", "@customer", "Second")
    _, second = alice.watch(*words, at_questions=[lambda: b"e\n", lambda: b"n\n"])
    _, opened = alice.watch(*EDIT, at_questions=[lambda: b"n\n"])
    folder = next(Path(alice.env["XDG_STATE_HOME"]).rglob("drafts"))
    screens = [" ".join(screen.split()) for screen in (second, opened)]

    stem = f"{folder}/{next(folder.glob('*.as-alice')).name}"
    assert [True, True] == [f"--file {stem}.2/MESSAGE" in screen for screen in screens]
    assert f"Without --file your earlier draft {stem}/MESSAGE is opened." in screens[0]


def test_two_agents_who_write_to_one_customer_keep_their_own_drafts(alice, served):
    """What Alice began isn't opened for Bruno, who would send it as himself; it is named, and still there for her."""
    alice.write(("alice", "Alice F."), ("bruno", "Bruno"))
    assert 0 == alice.run("sync", "--yes").code
    alice.watch(*EDIT, at_questions=[lambda: b"n\n"])
    alice.env["EDITOR"] = "true"
    words = [word if word != "alice" else "bruno" for word in EDIT]
    code, screen = alice.watch(*words)

    assert (130, [], [WRITTEN]) == (code, texts(served), kept(alice))
    assert f"alice's draft to @customer ({customer_id(served)}) is kept, too: --edit --file " in " ".join(
        screen.split()
    )


def test_a_draft_of_an_earlier_version_is_named(alice, served):
    """Nobody knows whose it was, so nobody sends it unasked; its path opens it."""
    folder = Path(alice.env["XDG_STATE_HOME"]) / "profilectl" / served.url.partition("://")[2].replace(":", "_")
    old = folder / "drafts" / "acme.@customer" / "MESSAGE"
    old.parent.mkdir(parents=True, mode=0o700)
    old.write_text("Of before")
    alice.env["EDITOR"] = "true"
    code, screen = alice.watch(*EDIT)
    again, _ = alice.watch(*EDIT, "--file", str(old), at_questions=[lambda: b"y\n"])

    assert (130, True) == (code, "A draft to @customer is kept, too: --edit --file" in " ".join(screen.split()))
    assert (0, ["Of before"]) == (again, texts(served))


@pytest.mark.parametrize("other", ["ID", "-", "@Customer"])
def test_a_draft_is_found_however_the_customer_is_named(alice, served, other):
    """By handle, by id, or as the last one: it is the same customer, so it is the same draft."""
    assert 0 == alice.run("send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "Hello").code
    alice.watch(*EDIT, at_questions=[lambda: b"n\n"])
    alice.env["EDITOR"] = "true"
    to = customer_id(served) if other == "ID" else other
    code, screen = alice.watch("send", "--as", "alice", "--to", to, "--edit", at_questions=[lambda: b"y\n"])

    assert (0, ["Hello", WRITTEN], []) == (code, texts(served), kept(alice)), screen


def test_a_draft_that_an_earlier_version_kept_under_the_handle_is_found(alice, served):
    """Also where the customer is named by their id, if the record has the handle."""
    assert 0 == alice.run("send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "Hello").code
    folder = Path(alice.env["XDG_STATE_HOME"]) / "profilectl" / served.url.partition("://")[2].replace(":", "_")
    old = folder / "drafts" / "acme.@customer.as-alice" / "MESSAGE"
    old.parent.mkdir(parents=True, mode=0o700)
    old.write_text("Of before")
    alice.env["EDITOR"] = "true"
    words = ("send", "--as", "alice", "--to", customer_id(served), "--edit")
    code, screen = alice.watch(*words, at_questions=[lambda: b"y\n"])

    assert (0, ["Hello", "Of before"], []) == (code, texts(served), kept(alice)), screen


def test_without_an_editor_that_is_named_the_usual_one_is_opened(alice, served, tmp_path):
    """As git does; which one is said, with what the system's `editor` leads to, and so is what is missing."""
    (tmp_path / "usual").write_text(f'#!/bin/sh\nexec {alice.env.pop("EDITOR")} "$@"\n')
    (tmp_path / "usual").chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "editor").symlink_to(tmp_path / "usual")
    alice.env |= {"VISUAL": "", "EDITOR": ""}
    starter = ("env", f"PATH={tmp_path / 'bin'}")
    code, screen = alice.watch(*EDIT, at_questions=[lambda: b"y\n"], starter=starter)
    (tmp_path / "bin" / "editor").unlink()
    missing, refusal = alice.watch(*EDIT, starter=starter)

    assert (0, [WRITTEN]) == (code, texts(served)), screen
    assert f"Opening {tmp_path}/bin/editor (usual): neither VISUAL nor EDITOR names an editor." in plain(screen)
    assert (2, True) == (missing, "export EDITOR=nano" in refusal)


# What is seen before


def test_of_two_agents_with_one_name_the_key_is_asked_about(alice):
    """The customer sees no difference, so a person must: whose message it is stays on record."""
    alice.write(("alice", "Alice F."), ("afast", "Alice F."), ("bruno", "Bruno"))
    assert 0 == alice.run("sync", "--yes").code
    screens = [
        alice.watch("send", "--as", key, "--to", "@customer", "Hi", answers=b"n\n")[1] for key in ("afast", "bruno")
    ]

    assert "Send as Alice F. (afast) to @customer on the local X?" in screens[0]
    assert "Send as Bruno to @customer on the local X?" in screens[1]


def test_who_has_answered_already_is_seen(alice, served):
    """A colleague may have been faster: their face and when; nothing of it once the customer has written again."""
    served.ask("POST", "messages", {"from": "customer", "to": "acmecare", "text": "Where is it"})
    served.ask("POST", "advance", {"seconds": 60})
    alice.run("send", "--as", "alice", "--to", "@customer", "At your door.")
    words = ("send", "--as", "alice", "--to", "@customer", "On its way.")
    _, answered = alice.watch(*words, answers=b"n\n")
    served.ask("POST", "advance", {"seconds": 60})
    served.ask("POST", "messages", {"from": "customer", "to": "acmecare", "text": "No it is not"})
    _, waiting = alice.watch(*words, answers=b"n\n")

    assert [True, False] == ["Alice F. answered at " in screen for screen in (answered, waiting)]


def test_a_picture_alone_stands_in_the_bubble(alice):
    """No bubble is empty, and the picture isn't told twice."""
    words = ("send", "--as", "alice", "--to", "@customer", "--media", str(alice.folder / "avatars" / "face.png"))
    piped = alice.run(*words, "--dry-run").out
    _, screen = alice.watch(*words, answers=b"n\n")
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", screen)

    assert (True, False) == ("\n| face.png (PNG, " in piped, "with face.png" in piped)
    assert (True, False) == ("│ face.png (PNG, " in drawn, "with face.png" in drawn)


def test_a_dry_run_refuses_a_card_as_the_real_one(alice):
    """A brand without a privacy policy learns it before anybody relies on the card."""
    words = ("send", "--as", "alice", "--to", "@customer", "Hi", "--ask", "csat")
    results = [alice.run(*words, *more) for more in ([], ["--dry-run"])]

    assert [5, 5] == [result.code for result in results]
    assert results[0].err == results[1].err


def test_everything_that_goes_out_is_seen_with_whom_it_is_to(alice, served):
    """The recipient with the id, what they wrote last, text, picture, button, answers; and the question names both."""
    served.ask("POST", "messages", {"from": "customer", "to": "acmecare", "text": "Where is my parcel?"})
    face = str(alice.folder / "avatars" / "face.png")
    words = ("--media", face, "--cta", "Help=https://example.com/help", "--quick-reply", "Thanks")
    code, screen = alice.watch("send", "--as", "alice", "--to", "@customer", "On its way.", *words, answers=b"n\n")

    shown = ("Where is my parcel?", "@customer (", "On its way.", "with face.png (PNG", "[ Help ]", "(Thanks)")
    assert (130, []) == (code, [part for part in shown if part not in re.sub(r"\x1b\[[0-9;]*m", "", screen)])
    assert "Send as Alice F. to @customer on the local X? [y/N/e=edit]:" in screen
    assert 4 >= sum("▀" in line for line in screen.splitlines())


def test_a_yes_that_is_typed_too_early_sends_nothing(alice, served):
    """Whoever types y before the draft is shown is asked all the same."""
    code, screen = alice.watch("send", "--as", "alice", "--to", "@customer", "Hello", ahead=b"y\n", answers=b"\n")

    assert (130, [], True) == (code, texts(served), "Not sent." in screen)


def test_e_opens_the_editor_on_the_text(alice, served, editor):
    """As often as somebody likes; what is sent is what was seen last."""
    code, _ = alice.watch(
        "send", "--as", "alice", "--to", "@customer", "First", at_questions=[lambda: b"e\n", lambda: b"y\n"]
    )

    assert (0, [f"{WRITTEN}First"]) == (code, texts(served))


def test_a_repeat_is_told_before_the_question(alice, served):
    """Nobody agrees to a message that isn't sent."""
    words = ("send", "--as", "alice", "--to", "@customer", "Hello")
    alice.run(*words)
    code, screen = alice.watch(*words)

    assert (0, ["Hello"], False) == (code, texts(served), "[y/N" in screen)
    assert "already sent to @customer (" in screen
    assert "Nothing was sent now" in screen


def test_the_last_one_written_to_needs_no_name(alice, served):
    """--to - is whom this user wrote to last; with nobody on the record it is refused."""
    words = ("send", "--as", "alice", "--to")
    before = alice.run(*words, "-", "Hello")
    alice.run(*words, "@customer", "one")
    after = alice.run(*words, "-", "two")

    assert (5, 0, ["one", "two"]) == (before.code, after.code, texts(served))
    assert "sent to @customer (" in after.out


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("would send 1 character to @customer (", ["x"]),
        ("would send 5 characters to @customer (", ["Hello"]),
    ],
)
def test_a_dry_run_shows_everything_and_looks_the_handle_up(alice, served, expected, words):
    """The bubble and what goes along; nothing is sent, and a handle that nobody has is refused."""
    extras = ("--cta", "Help=https://example.com/help", "--quick-reply", "Thanks", "--dry-run")
    result = alice.run("send", "--as", "alice", "--to", "@customer", *words, *extras)
    unknown = alice.run("send", "--as", "alice", "--to", "@nobody_knows", *words, "--dry-run")

    assert (0, 5, []) == (result.code, unknown.code, texts(served))
    assert result.out.startswith(expected)
    assert all(part in result.out for part in (f"| {words[0]}\n", "[ Help ] https://example.com/help", "(Thanks)"))


def test_answers_under_a_card_are_refused(alice):
    """The card comes after the message, so nobody could tap them any more."""
    result = alice.run("send", "--as", "alice", "--to", "@customer", "Hi", "--quick-reply", "Yes", "--ask", "csat")

    assert (2, True) == (result.code, "--quick-reply and --ask exclude each other" in result.err)


def test_what_nobody_can_see_is_not_sent(alice, served):
    """UTF-16 without a mark, and what turns a text around, were sent as they are once."""
    (alice.folder / "m.txt").write_bytes("Hello there\n".encode("utf-16-le"))
    words = ("send", "--as", "alice", "--to", "@customer")
    results = [alice.run(*words, *text) for text in (["--file", "m.txt"], ["pay \u202e001$"])]

    assert ([5, 5], []) == ([result.code for result in results], texts(served))
    assert "the message is UTF-16 (little-endian, without a byte order mark)" in results[0].err
    assert "U+202E RIGHT-TO-LEFT OVERRIDE (character 5)" in results[1].err


def test_typing_is_seen_while_the_draft_is_read(alice, served):
    """Dots on the customer's page at the question, and no more once the message is there."""
    pages = []

    def look():
        served.wait_for(lambda: 'id="typing"' in served.read("/_sandbox/conversations/acmecare/customer/talk"))
        pages.append(served.read("/_sandbox/conversations/acmecare/customer"))
        return b"y\n"

    code, _ = alice.watch("send", "--as", "alice", "--to", "@customer", "Hello", "--typing", at_questions=[look])

    assert (0, ["Hello"]) == (code, texts(served))
    assert "@acmecare is typing" in pages[0]
    assert 'id="typing"' not in served.read("/_sandbox/conversations/acmecare/customer")


def test_a_long_receipt_breaks_at_spaces(alice):
    """At 40 columns every word of it is whole."""
    alice.env["COLUMNS"] = "40"
    _, screen = alice.watch("send", "--as", "alice", "--to", "@customer", "Hello", "--yes")
    words = "identity confirmed by X"

    assert words in " ".join(screen.split())
    assert [] == [line for line in screen.splitlines() if len(line) > 40]


def test_a_slow_x_keeps_nobody_from_the_draft(alice, served):
    """What the customer wrote last is a help: after three seconds the draft is shown without it, and that is said."""
    served.fault(call="messages", kind="hold", seconds=30, times=1)
    code, screen = alice.watch("send", "--as", "alice", "--to", "@customer", "Hello", at_questions=[lambda: b"y\n"])

    assert (0, ["Hello"]) == (code, texts(served))
    assert "@customer's last words aren't shown: X didn't list the messages within 3 s" in screen
