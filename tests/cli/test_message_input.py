"""What a person hands over: a text from one place, perhaps through an editor, and a picture."""

from __future__ import annotations

import io
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from PIL import Image

from profilectl.cli import message_input
from profilectl.cli.context import Context
from profilectl.errors import Declined, InputRefused, UsageError
from profilectl.messaging.compose import MAX_TEXT
from profilectl.messaging.draft_text import kept_text
from profilectl.messaging.drafts import Correspondence, Draft, DraftStore

ABOUT = "To @ada, as alice (Alice F.)"
TO_ADA = Correspondence("77", "alice", "12", "@ada (12)")


class Terminal(Context):
    """A context in which a person is there."""

    may_ask = True


class Script(Context):
    """A context in which nobody can be asked."""

    may_ask = False
    cannot_ask = "stdin isn't a terminal, so nobody can be asked"


@pytest.fixture
def typed(tmp_path):
    """Edit with a script whose `path` is the file; return what is sent."""

    def edit(script, text=""):
        editor = tmp_path / "my editor.py"
        editor.write_text(
            f"import sys, pathlib\npath = pathlib.Path(sys.argv[-1])\nseen = path.read_text()\n{script}\n"
        )
        context = Terminal(environ={"VISUAL": f"{sys.executable} '{editor}' --wait", "EDITOR": "false"})
        with DraftStore(tmp_path / "drafts").begin(TO_ADA, goes_on=True) as draft:
            return message_input.edit(draft, text, message_input.find_editor(context), ABOUT)

    return edit


def piped(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_text_comes_from_one_place(monkeypatch, tmp_path):
    """The argument as it is; a file and stdin without the newline at their end, and without a byte order mark."""
    path = tmp_path / "message.txt"
    path.write_bytes("\ufeffGrüße\r\n".encode())
    piped(monkeypatch, b"Hello\n\n")

    assert "Hi\n" == message_input.read_text("Hi\r\n", None)
    assert "Grüße" == message_input.read_text(None, path)
    assert "Hello\n" == message_input.read_text("-", None)


@pytest.mark.parametrize(("text", "file"), [(None, None), ("Hi", Path("message.txt"))])
def test_no_place_or_two(text, file):
    """Neither is guessed about."""
    with pytest.raises(UsageError):
        message_input.read_text(text, file)


def test_no_text(monkeypatch, tmp_path):
    """Other encodings, floods, pipes and folders are refused."""
    piped(monkeypatch, b"caf\xe9")
    with pytest.raises(InputRefused, match=r"isn't UTF-8 \(byte 4\)"):
        message_input.read_text("-", None)
    piped(monkeypatch, b"x" * 100_000)
    with pytest.raises(InputRefused, match=f"longer than {MAX_TEXT}"):
        message_input.read_text("-", None)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputRefused, match="isn't a regular file"):
        message_input.read_text(None, tmp_path / "pipe")


def test_an_editor_writes_the_message(typed):
    """It sees who writes to whom, below the scissors; what stands above is sent, hashtags and inner lines included."""
    written = typed(
        "path.write_text('\\n#sale\\n\\nIt is on.  \\n\\n' + seen.lstrip()); assert sys.argv[1] == '--wait'"
    )
    noted = typed("path.write_text(seen.replace('#', '>'))")

    assert "#sale\n\nIt is on." == written
    assert f"> {ABOUT}\n" in noted


def test_a_kept_draft_is_a_file_to_send_too(typed, tmp_path):
    """Without the notes that stand below it."""
    typed("path.write_text('Hi\\n' + seen)")
    [draft] = (tmp_path / "drafts").glob("*/MESSAGE")

    assert ("Hi", True) == (message_input.read_text(None, draft), ABOUT in draft.read_text())


def test_an_editor_starts_from_a_text(typed):
    """What was given can be looked over before it goes out."""
    script = "path.write_text(seen.replace('Dear Ada', 'Dear Ada, hello', 1))"

    assert "Dear Ada, hello" == typed(script, "Dear Ada")


def test_without_the_scissors_only_our_notes_go(typed):
    """Somebody who deletes that line doesn't send the notes, nor lose a hashtag."""
    script = (
        "lines = seen.splitlines(); path.write_text('Hi\\n#sale\\n' + '\\n'.join(l for l in lines if '>8' not in l))"
    )

    assert "Hi\n#sale" == typed(script)


@pytest.mark.parametrize("script", ["", "path.write_text('  \\n\\n' + seen)", "path.write_text('')"])
def test_an_empty_message_is_a_no(typed, script):
    """Leaving the editor without a word sends nothing, and ends as Ctrl-C does."""
    with pytest.raises(Declined) as caught:
        typed(script)

    assert 130 == caught.value.exit_code


def test_what_an_editor_made_a_comment_below_the_scissors_is_kept(typed, tmp_path):
    """Plain vi begins each line after one with # with # itself."""
    with pytest.raises(Declined, match="your text stands below"):
        typed("path.write_text(seen + '# Please also send a photo.')")
    (kept,) = DraftStore(tmp_path / "drafts").kept()

    assert "# Please also send a photo." == kept_text(Draft(kept))


def test_the_file_is_private_and_kept(typed, tmp_path):
    """0600 in a folder that nobody else enters; what the editor has saved is still there afterwards."""
    seen = tmp_path / "seen"
    script = (
        "modes = path.stat().st_mode, path.parent.stat().st_mode\n"
        f"pathlib.Path({str(seen)!r}).write_text('%s %s' % modes)\n"
        "path.write_text('Hi')"
    )
    assert "Hi" == typed(script)

    assert [0o600, 0o700] == [stat.S_IMODE(int(mode)) for mode in seen.read_text().split()]
    assert ["Hi"] == [path.read_text() for path in (tmp_path / "drafts").glob("*/MESSAGE")]


def test_an_editor_that_fails_sends_nothing(typed):
    """Its exit code is noted; Ctrl-C in it is its own affair, and means something again afterwards."""
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(InputRefused, match="ended with 3, nothing was sent"):
        typed("import os, signal; os.kill(os.getppid(), signal.SIGINT); sys.exit(3)")

    assert handler is signal.getsignal(signal.SIGINT)


@pytest.mark.parametrize(
    ("expected", "environ", "kind"),
    [
        ("names an editor, and no vi is installed", {}, UsageError),
        ("names an editor, and no vi is installed", {"VISUAL": "", "EDITOR": " ", "PATH": "/nowhere"}, UsageError),
        ("can't be read", {"EDITOR": "vi '"}, UsageError),
        ("the editor nowhere can't be started: No such file", {"EDITOR": "nowhere -w"}, InputRefused),
    ],
)
def test_no_editor(tmp_path, expected, environ, kind):
    """None named, none found; never a shell."""
    drafts = DraftStore(tmp_path / "drafts").begin(TO_ADA, goes_on=True)
    with pytest.raises(kind, match=expected), drafts as draft:
        message_input.edit(draft, "", message_input.find_editor(Terminal(environ=environ)))


@pytest.mark.parametrize(
    ("expected", "installed"), [("editor", ["vi", "editor"]), ("vi", ["vi"]), ("vi", ["vi", "nano"])]
)
def test_the_editor_that_git_would_open(tmp_path, expected, installed):
    """Where none is named: `editor`, then `vi`; one that is named comes first."""
    for name in installed:
        (tmp_path / name).touch(0o755)
    environ = {"PATH": str(tmp_path)}

    assert [str(tmp_path / expected)] == message_input.find_editor(Terminal(environ=environ))
    assert ["nano"] == message_input.find_editor(Terminal(environ={**environ, "EDITOR": "nano"}))


def test_an_editor_needs_a_terminal():
    """A script that says --edit by mistake doesn't hang."""
    with pytest.raises(UsageError, match="--edit needs a terminal, and stdin isn't a terminal, so nobody can be asked"):
        message_input.find_editor(Script(environ={"EDITOR": "true"}))


def test_half_a_character_in_a_draft(typed):
    """A command line that isn't UTF-8 ends in a refusal, not in a crash."""
    with pytest.raises(InputRefused, match="half a character"):
        typed("", "caf\udce9")


@pytest.mark.parametrize(
    ("expected", "encoding"),
    [
        ("UTF-16 (little-endian, without a byte order mark)", "utf-16-le"),
        ("UTF-16 (big-endian, without a byte order mark)", "utf-16-be"),
        ("UTF-16", "utf-16"),
        ("UTF-32", "utf-32"),
    ],
)
def test_another_encoding_is_refused_by_its_name(tmp_path, expected, encoding):
    """UTF-16 without a mark is valid UTF-8 with a NUL behind every letter, and would be sent like that."""
    path = tmp_path / "m.txt"
    path.write_bytes("Hello there, how are you today?\n".encode(encoding))
    with pytest.raises(InputRefused) as caught:
        message_input.read_text(None, path)

    assert f"the message is {expected}, not UTF-8" == caught.value.message


def test_a_picture_is_read_and_made_ready(tmp_path):
    """Through a link, too; what it is decides its content, not its name."""
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "photo.png", "JPEG")
    (tmp_path / "link").symlink_to("photo.png")
    attachment = message_input.read_media(tmp_path / "link")

    assert ("image/jpeg", "dm_image") == (attachment.media_type, attachment.category)


@pytest.mark.parametrize("name", ["none.png", "folder", "pipe", "large.png", "text.png"])
def test_no_picture(tmp_path, name):
    """Missing, a folder, a pipe, over 20 MB, or something else: refused, and nothing hangs."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large.png").open("wb") as large:
        large.truncate(20_000_001)
    (tmp_path / "text.png").write_text("Hi")

    with pytest.raises(InputRefused, match=name):
        message_input.read_media(tmp_path / name)
