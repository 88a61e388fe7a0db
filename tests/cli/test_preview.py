"""What customers will see, before anybody does: in a terminal, in a pipe, and as a page."""

from __future__ import annotations

import os
import stat

import pytest

from profilectl.errors import InputRefused
from profilectl.system.files import write_named

BRANDS = {"acme": "acmecare", "beta": "betahelp"}


@pytest.fixture
def team(desk):
    """A roster of two people and a bot."""
    return desk.write(
        ("alice", "Alice F."), ("bruno", "Bruno [b]", 'brands = ["acme"]'), ("bob", "A bot", 'kind = "bot"')
    )


def test_a_pipe_gets_words(team):
    """Every agent in the roster's order: the key, what is said, then the name and the brand's handle."""
    result = team.run("preview", "--text", "Hi\nthere")

    names = {"alice": "Alice F.", "bruno": "Bruno [b]", "bob": "A bot"}
    bubbles = [f"{key}:\n| Hi\n| there\n  {name}  @acmecare" for key, name in names.items()]
    assert "\n\n".join(bubbles) + "\n" == result.out
    assert (0, "") == (result.code, result.err)


def test_one_agent_is_enough(team):
    """With a key, only that agent is shown, and only that agent's picture has to be sound."""
    team.draw("bad.png").write_bytes(b"no picture")
    team.write(("alice", "Alice F."), ("bruno", "Bruno", 'avatar = "avatars/bad.png"'))

    assert "| Hello! How can I help you today?\n  Alice F.  @acmecare\n" == team.run("preview", "alice").out
    assert 5 == team.run("preview").code


def test_a_terminal_without_colour_gets_words(team):
    """Half blocks without colours would be a white disc, so NO_COLOR gets what a pipe gets."""
    team.env["NO_COLOR"] = "1"
    code, screen = team.watch("preview", "alice")

    assert (0, team.run("preview", "alice").out) == (code, screen)


@pytest.mark.parametrize(
    ("sequence", "environ"),
    [("\x1b_Ga=T,f=100,", {"KITTY_WINDOW_ID": "1"}), ("\x1b]1337;File=inline=1;", {"TERM_PROGRAM": "WezTerm"})],
)
def test_a_terminal_that_shows_pictures_gets_one(team, monkeypatch, sequence, environ):
    """In the place of the half blocks; a pipe from the same terminal gets words, and so does tmux half blocks."""
    for name in ("KITTY_WINDOW_ID", "TERM_PROGRAM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    team.env |= environ
    _, screen = team.watch("preview", "alice")
    piped = team.run("preview", "alice").out
    team.env["TMUX"] = "/tmp/tmux-1000/default,1,0"
    _, inside = team.watch("preview", "alice")

    assert 1 == screen.count(sequence)
    assert "\u2580" not in screen
    assert "\x1b" not in piped
    assert "\u2580" in inside
    assert sequence not in inside


def test_an_unknown_agent_is_a_usage_error(team):
    """The nearest key is offered."""
    result = team.run("preview", "alcie")

    assert (2, "") == (result.code, result.out)
    assert "there is no agent alcie" in result.err
    assert "did you mean alice?" in result.err


def test_an_agent_of_another_brand_is_not_unknown(team):
    """Who speaks for another brand exists; the message says for which."""
    team.write(("alice", "Alice F.", 'brands = ["acme"]'), ("zoe", "Zoe"), brands=BRANDS)
    result = team.run("preview", "alice", "--brand", "beta")

    assert 5 == result.code
    assert "error: alice doesn't speak for beta\nhint: it has: acme\n" == result.err


def test_a_brand_without_agents_is_told(team):
    """There is nobody to show for it."""
    team.write(("alice", "Alice F.", 'brands = ["acme"]'), brands=BRANDS)
    result = team.run("preview", "--brand", "beta")

    assert 5 == result.code
    assert "no agent speaks for beta" in result.err


@pytest.mark.parametrize("text", ["version = ", 'version = 1\n[agents.alice]\nname = "A"\n'])
def test_a_broken_roster_is_told_with_its_lines(team, text):
    """The same problems as `roster check` tells, exit 5, no page."""
    (team.folder / "roster.toml").write_text(text)
    result = team.run("preview", "--html", "page.html")

    assert (5, "") == (result.code, result.out)
    assert "roster.toml:" in result.err
    assert not (team.folder / "page.html").exists()


def test_a_preview_has_no_json(team):
    """The hint names the command that has the same facts."""
    result = team.run("preview", "--json")

    assert 2 == result.code
    assert "profilectl roster list --json" in result.err


def test_the_page_holds_everybody_and_needs_nothing(team):
    """One file with names escaped and pictures inside, and nothing fetched from anywhere."""
    team.write(("alice", "Alice <b>"), ("zoe", "Zoe"), brands=BRANDS)
    result = team.run("preview", "--html", "page.html")
    page = (team.folder / "page.html").read_text()

    assert (0, "", "wrote page.html\n") == (result.code, result.out, result.err)
    assert 4 == page.count('src="data:image/')
    assert "Alice &lt;b&gt;" in page
    assert "@acmecare, @betahelp" in page
    assert "http:" not in page
    assert "https:" not in page


def test_a_page_is_replaced_as_a_whole(team):
    """An earlier page goes, and no draft is left."""
    (team.folder / "page.html").write_text("<!DOCTYPE html>old")
    team.run("preview", "--html", "page.html", "-q")

    assert "Alice F." in (team.folder / "page.html").read_text()
    assert ["page.html"] == sorted(path.name for path in team.folder.glob("*.html*"))
    assert [] == list(team.folder.glob(".*.new"))


def test_a_page_for_stdout(team):
    """`--html -` prints it."""
    result = team.run("preview", "alice", "--html", "-")

    assert result.out.startswith("<!DOCTYPE html>")
    assert not (team.folder / "-").exists()


@pytest.mark.parametrize("place", [">(cat >&3)", "/dev/stdout >&3", "/dev/fd/3", "/proc/self/fd/3"])
def test_what_the_shell_hands_over_is_written_to(team, place):
    """A pipe for another program, and a stream by its name in /dev."""
    result = team.shell(f"{{ profilectl preview alice --html {place}; }} 3>&1 | head -c 15")

    assert ("<!DOCTYPE html>", "wrote ") == (result.out, result.err[:6]), result.err


def test_a_redirected_stream_gets_the_page_where_it_stands(team):
    """What was written before it is still there."""
    team.shell("{ echo first; profilectl preview alice --html /dev/stdout; } > page.html")

    assert "first\n<!DOCTYPE html>" == (team.folder / "page.html").read_text()[:21]


def test_a_device_takes_the_page(team):
    """A person who names one in /dev means it."""
    assert 0 == team.run("preview", "alice", "--html", "/dev/null").code
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no/page.html", "No such file"),
        (".", "Is a directory"),
        ("pipe", "it is a pipe"),
        ("/dev/full", "No space left"),
        ("/dev/fd/99", "Bad file descriptor"),
        (f"/dev/fd/{10**20}", "No such file"),
    ],
)
def test_a_page_that_cannot_be_written(team, path, why):
    """Exit 5 with the path and the reason; nobody waits for a reader of a pipe."""
    os.mkfifo(team.folder / "pipe")
    result = team.run("preview", "--html", path)

    assert 5 == result.code
    assert f"can't write {path}: {why}" in result.err


# The file that is written

PAGE = b"<!doctype html>"


@pytest.fixture(autouse=True)
def _usual_umask():
    former = os.umask(0o022)
    yield
    os.umask(former)


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_a_page_is_written(desk):
    """The program writes the page, and leaves nothing else."""
    desk.write(("alice", "Alice"))
    before = set(desk.folder.iterdir())

    assert 0 == desk.run("preview", "--html", "page.html").code
    assert {desk.folder / "page.html"} == set(desk.folder.iterdir()) - before
    assert (desk.folder / "page.html").read_bytes().lower().startswith(PAGE)


def test_a_new_page_has_usual_rights(tmp_path):
    """What the umask leaves of 0666."""
    write_named(tmp_path / "page.html", PAGE)
    assert ("0o644", PAGE) == (mode(tmp_path / "page.html"), (tmp_path / "page.html").read_bytes())


@pytest.mark.parametrize("rights", [0o600, 0o664])
def test_an_old_page_keeps_its_rights(tmp_path, rights):
    """Neither more people nor fewer can read it."""
    path = tmp_path / "page.html"
    path.write_text("a longer page from yesterday")
    path.chmod(rights)
    write_named(path, PAGE)
    assert (oct(rights), PAGE) == (mode(path), path.read_bytes())


def test_no_link_is_followed_on_the_way(tmp_path):
    """Somebody who can write the folder guesses the name of a draft, and waits with a link."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".page.html.{os.getpid()}.new").symlink_to(victim)
    write_named(tmp_path / "page.html", PAGE)
    assert "precious" == victim.read_text()
    assert (tmp_path / f".page.html.{os.getpid()}.new").is_symlink()


def test_a_draft_does_not_stay(tmp_path, monkeypatch):
    """When the page can't take its place, the draft goes."""

    def fail(*_arguments, **_folders):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputRefused, match="No space left"):
        write_named(tmp_path / "page.html", PAGE)
    assert [] == list(tmp_path.iterdir())


def test_a_folder_is_no_page(desk):
    """It is refused with the reason."""
    desk.write(("alice", "Alice"))
    done = desk.run("preview", "--html", ".")
    assert (5, True) == (done.code, "can't write .: Is a directory" in done.err)


# Whose last day is over

GONE = ("gina", "Gina", "until = 2020-01-31")


def test_whose_last_day_is_over_is_left_out(team):
    """Customers won't see them, so the preview doesn't either, and says why."""
    team.write(("alice", "Alice F."), GONE, ("lea", "Lea", "until = 2999-12-31"))
    result = team.run("preview")

    assert (0, "gina isn't shown: the last day was 2020-01-31\n") == (result.code, result.err)
    assert (["Alice F.", "Lea"], False) == (
        [name for name in ("Alice F.", "Lea") if name in result.out],
        "Gina" in result.out,
    )
    assert "" == team.run("preview", "-q").err
    assert "Gina" not in team.run("preview", "--html", "-").out


def test_nobody_is_left_to_show(team):
    """An agent who is gone, and a team of nobody else, are refused with the day."""
    team.write(GONE, ("otto", "Otto", "until = 2019-12-31"))
    only_gina, all_of_them = team.run("preview", "gina"), team.run("preview")

    assert (5, 5, "") == (only_gina.code, all_of_them.code, only_gina.out + all_of_them.out)
    assert "gina isn't shown: the last day was 2020-01-31" in only_gina.err
    assert "otto isn't shown: the last day was 2019-12-31" in all_of_them.err


def test_whoever_was_offboarded_is_left_out(team):
    """A team is approved by its sheet: nobody can send as an offboarded agent, whatever the roster still names."""
    team.write(("alice", "Alice F."), ("bruno", "Bruno"), brands=BRANDS)
    team.run("sync", "--sandbox", "--yes")
    team.run("offboard", "alice", "--sandbox", "--yes", "--brand", "beta")
    result = team.run("preview", "--sandbox", "--sheet", "-")

    assert (0, "alice isn't shown at @betahelp: offboarded\n") == (result.code, result.err)
    assert (1, 2) == (result.out.count("<bdi>Alice F.</bdi>"), result.out.count("<bdi>Bruno</bdi>"))

    alone = team.run("preview", "alice", "--sandbox", "--brand", "beta")

    assert (5, "error: alice isn't shown: offboarded") == (alone.code, alone.err.splitlines()[0])


def test_a_ledger_that_cannot_be_read_is_no_reason_to_show_nobody(team):
    """Names and pictures are worth a look, but who was offboarded isn't known."""
    (team.folder / "ledger.db").write_bytes(b"no ledger")
    (team.folder / "ledger.db").chmod(0o600)
    team.env["PROFILECTL_LEDGER"] = str(team.folder / "ledger.db")
    result = team.run("preview")

    assert (0, True) == (result.code, "Alice F." in result.out)
    assert result.err.startswith("warning: whoever was offboarded is shown as well: ")


def test_a_sheet_shows_the_whole_team(team):
    """Each face and name once for each brand, with what it was made from, and nothing from elsewhere."""
    done = team.run("preview", "--sheet", "faces.html")
    page = (team.folder / "faces.html").read_text("utf-8")

    assert (0, "wrote faces.html") == (done.code, done.err.strip())
    assert 3 == page.count('src="data:image/jpeg;base64,')
    assert all(f"<bdi>{name}</bdi>" in page for name in ("Alice F.", "Bruno [b]", "A bot"))
    assert "sha256:" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_sheet_may_be_of_some(team):
    """By label or brand; two pages at once are a slip."""
    bots = team.run("preview", "--sheet", "-", "-l", "kind=bot").out

    assert (1, True) == (bots.count("data:image"), "A bot" in bots)
    assert 2 == team.run("preview", "--sheet", "a.html", "--html", "b.html").code
    assert 2 == team.run("preview", "-l", "kind=x").code


def test_a_sheet_may_be_a_picture(team):
    """Drawn anew each time; a picture of somebody isn't replaced, and it isn't for a pipe."""
    face = (team.folder / "avatars" / "face.png").read_bytes()
    codes = [team.run("preview", "--sheet", "faces.png", "-l", f"kind={kind}").code for kind in ("human", "bot")]
    over_a_face = team.run("preview", "--sheet", "avatars/face.png")

    assert ([0, 0], b"\x89PNG") == (codes, (team.folder / "faces.png").read_bytes()[:4])
    assert (5, True, face) == (
        over_a_face.code,
        "avatars/face.png exists, and isn't a sheet that this command has drawn" in over_a_face.err,
        (team.folder / "avatars" / "face.png").read_bytes(),
    )
    assert 2 == team.run("preview", "--html", "faces.png").code


def test_a_sheet_of_an_unknown_form_is_a_slip(team):
    """A page in a file called .pgn opens nowhere."""
    done = team.run("preview", "--sheet", "faces.pgn")

    assert (2, False) == (done.code, (team.folder / "faces.pgn").exists())
    assert "faces.pgn is neither FILE.html nor FILE.png" in done.err


@pytest.mark.parametrize("option", ["--html", "--sheet"])
@pytest.mark.parametrize("name", ["roster.toml", "avatars/face.png", "notes"])
def test_nothing_but_a_page_is_replaced(team, option, name):
    """A slip doesn't cost the roster, a picture, or somebody's file."""
    path = team.folder / name
    if not path.exists():
        path.write_text("mine")
    before = path.read_bytes()
    result = team.run("preview", option, name)

    assert (True, before) == (result.code in {2, 5}, path.read_bytes()), result.err
