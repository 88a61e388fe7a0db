"""``auth import``: the accounts of twurl, t and xurl go the way of a login, and their files stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.auth import collection
from tests.cli.auth.shell import ROSTER, SECOND_BRAND, VALUES, Terminal


def twurl(brand, **changes):
    """Return twurl's and t's form of a brand's account, as YAML, of which JSON is a part."""
    names = {"consumer_key": "consumer_key", "consumer_secret": "consumer_secret"}
    names |= {"token": "access_token", "secret": "access_token_secret"}
    values = {name: getattr(brand, of) for name, of in names.items()} | {"username": brand.handle} | changes
    return {brand.handle: {brand.consumer_key: {name: value for name, value in values.items() if value}}}


def xurl(brand, app):
    token = {"access_token": brand.access_token, "token_secret": brand.access_token_secret}
    token |= {"consumer_key": brand.consumer_key, "consumer_secret": brand.consumer_secret}
    return {"apps": {app: {"client_id": "x", "oauth1_token": {"type": "oauth1", "oauth1": token}}}, "default_app": app}


@pytest.fixture
def home(desktop):
    """Write a tool's file into the home folder."""

    def write(name, document, mode=0o600):
        path = Path(desktop.environ["HOME"], name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        path.chmod(mode)
        return path

    return write


def test_an_account_of_twurl(desktop, home):
    """It is verified, stored and listed; the file isn't touched, and said to hold the secrets still."""
    path = home(".twurlrc", {"profiles": twurl(desktop.brand)})
    before = path.read_bytes()
    done = desktop.run("auth", "import", "--account", "@acmecare")
    assert (done.returncode, done.stdout) == (0, "logged in as @AcmeCare (4242), stored in Secret Service\n")
    assert done.stderr == (
        f"warning: {path} still holds this token in plain text\nhint: delete it there when nothing else uses it\n"
    )
    assert path.read_bytes() == before
    assert [account["usable"] for account in desktop.accounts("status")] == [True]
    assert collection.token(desktop.bus) == desktop.brand.access_token


def test_an_app_of_xurl(desktop, home):
    """It is picked by the app's name, and X says whose it is."""
    home(".xurl/auth.yml", xurl(desktop.brand, "support"))
    assert desktop.accounts("import", "--account", "support")[0]["handle"] == "AcmeCare"


def test_what_there_is_is_listed(desktop, home):
    """Every file, every account, whether it is complete; nothing is imported."""
    first = home(".twurlrc", {"profiles": twurl(desktop.brand)})
    second = home(".trc", {"profiles": twurl(desktop.brand, secret=None)})
    third = home(".xurl", xurl(desktop.brand, "support"))
    done = desktop.run("auth", "import", "--list")
    assert done.stdout.splitlines() == [
        f"@AcmeCare\t{first}\tcomplete\t",
        f"app support\t{third}\tcomplete\tits default",
        f"@AcmeCare\t{second}\tincomplete\t{second} lacks secret",
    ]
    assert [account["usable"] for account in desktop.accounts("import", "--list")] == [True, True, False]
    assert desktop.accounts("list") == []


def test_a_person_is_asked_which(desktop, home):
    """On a terminal the accounts are numbered."""
    home(".twurlrc", {"profiles": twurl(desktop.brand)})
    home(".xurl", xurl(desktop.brand, "support"))
    with Terminal(desktop, "auth", "import") as terminal:
        terminal.answer("Which account (number): ", "2\n")
        assert terminal.end() == 0
        assert "  1  @AcmeCare" in terminal.screen
        assert "  2  app support" in terminal.screen
        assert "logged in as @AcmeCare (4242)" in terminal.screen
    with Terminal(desktop, "auth", "import") as terminal:
        terminal.answer("Which account (number): ", "3\n")
        assert terminal.end() == 2


def test_elsewhere_one_must_be_named(desktop, home):
    """Not even the only one is guessed; a roster's brand names it, too."""
    home(".twurlrc", {"profiles": twurl(desktop.brand)})
    done = desktop.run("auth", "import")
    assert (done.returncode, "say --account with one of: AcmeCare" in done.stderr) == (2, True)
    assert desktop.run("auth", "import", "--account", "other").returncode == 2
    desktop.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    assert desktop.run("auth", "import", "--brand", "beta").returncode == 2
    assert desktop.run("auth", "import", "--brand", "acme").returncode == 0


def test_two_tokens_of_one_account_are_told_apart(desktop, home):
    """Never a guess between two; --from decides, and the same token twice is one."""
    home(".twurlrc", {"profiles": twurl(desktop.brand, token="4242-an-older-token")})
    path = home(".trc", {"profiles": twurl(desktop.brand)})
    done = desktop.run("auth", "import", "--account", "acmecare")
    assert (done.returncode, "there are 2 different tokens of acmecare" in done.stderr) == (2, True)
    assert desktop.run("auth", "import", "--account", "acmecare", "--from", str(path)).returncode == 0
    home(".twurlrc", {"profiles": twurl(desktop.brand)})
    assert desktop.run("auth", "import", "--account", "acmecare").returncode == 0


def test_a_token_that_x_refuses_is_not_stored(desktop, home):
    """It may have been regenerated since."""
    home(".trc", {"profiles": twurl(desktop.brand, token="4242-an-older-token")})
    assert desktop.run("auth", "import", "--account", "acmecare").returncode == 4
    assert collection.entries(desktop.bus) == {}


def test_incomplete_and_exposed_files_are_told(desktop, home):
    """What is missing is named; that others can read the file is a warning with what to do."""
    path = home(".trc", {"profiles": twurl(desktop.brand, consumer_secret=None)})
    done = desktop.run("auth", "import", "--account", "acmecare")
    assert (done.returncode, f"{path} lacks consumer_secret" in done.stderr) == (4, True)
    home(".trc", {"profiles": twurl(desktop.brand)}, mode=0o644)
    done = desktop.run("auth", "import", "--account", "acmecare")
    assert done.returncode == 0
    assert "has mode 644: other users can get at it\nhint: run: chmod 600" in done.stderr


def test_without_accounts(desktop, home):
    """Nothing found is exit 4 with the files that were looked for; a broken one is named and left out."""
    done = desktop.run("auth", "import", "--account", "x")
    assert (done.returncode, "looked for ~/.twurlrc (twurl)" in done.stderr) == (4, True)
    assert desktop.accounts("import", "--list") == []
    home(".trc", "a: [\x1b[2J" + desktop.brand.access_token)
    done = desktop.run("auth", "import", "--list")
    assert (done.returncode, done.stdout) == (0, "")
    assert "warning: " in done.stderr
    assert "\x1b" not in done.stderr
    assert desktop.run("auth", "import", "--from", "/nonexistent").returncode == 4
    assert desktop.run("auth", "import", "--sandbox").returncode == 2


def test_no_value_is_shown(desktop, home):
    """The shell looks into every output; here the handles are hostile, too."""
    profiles = twurl(desktop.brand)
    profiles["\x1b[31mx\u202e"] = {"k": {name: getattr(desktop.brand, name) for name in VALUES}}
    home(".twurlrc", {"profiles": profiles})
    done = desktop.run("auth", "import", "--list", "-v")
    assert "@\\x1b[31mx<U+202E>\t" in done.stdout
    assert desktop.run("auth", "import", "--list", "--json").stdout.isascii()
