"""Secrets in settings: options that would take them, proxies and addresses that carry a password."""

from __future__ import annotations

import re
import socketserver
import threading

import pytest

from profilectl.cli.main import build
from profilectl.completion.command_tree import read_tree
from tests.canaries.answers import http
from tests.patience import LONGEST, join

_TELLING = re.compile(r"secret|token|password|passphrase|credential|pin|key|auth", re.IGNORECASE)
_HARMLESS = {
    "--credentials-file": "a path",
    "--key": "names a message, so that it is sent once only",
}


def test_no_option_takes_a_secret():
    """Arguments are visible to everybody on the machine, so secrets come by file, variable, pipe or hidden prompt."""
    found = {
        name
        for command in read_tree(build(), "profilectl").walk()
        for option in command.options
        if option.value is not None
        for name in option.names
        if _TELLING.search(name)
    }

    assert found <= set(_HARMLESS)


class _Proxy(socketserver.BaseRequestHandler):
    """Refuses, and quotes what it was sent wherever it can."""

    def handle(self):
        self.request.settimeout(LONGEST)
        head = self.request.recv(65536).decode("latin-1")
        said = " ".join(head.split())
        self.request.sendall(self.server.answer(said))


@pytest.fixture
def proxy():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        join(thread)


@pytest.mark.parametrize("answer", ["reason", "body", "garbage", "nothing"])
def test_a_proxy_shows_nothing_of_its_password(answer, scene, proxy):
    """Not even one that quotes it; the secrets never get as far as to a proxy that refuses."""
    proxy.answer = {
        "reason": lambda said: http(f"407 {said}", ""),
        "body": lambda said: http(407, said, f"Proxy-Authenticate: {said}"),
        "garbage": lambda said: f"{said}\r\n\r\n".encode(),
        "nothing": lambda _: b"",
    }[answer]
    password = scene.canaries.consumer_secret[:24]
    del scene.environ["PROFILECTL_API_URL"]
    scene.environ["HTTPS_PROXY"] = f"http://{password}:{password}@127.0.0.1:{proxy.server_address[1]}"

    assert scene.run("profiles list -v --timeout 1") in {7, 75}, scene.said()
    scene.run("doctor -v --timeout 1")
    assert [] == scene.leaks()


@pytest.mark.parametrize(
    "proxy_url",
    ["http://{0}:{0}@", "http://{0}:{0}@[", "http://{0}:{0}@127.0.0.1:{0}", "{0}://127.0.0.1", "socks9://{0}@h"],
)
@pytest.mark.usefixtures("impatient")
def test_a_proxy_that_is_no_address_is_not_quoted(proxy_url, scene):
    """The variable is named, not what it holds."""
    scene.environ["HTTPS_PROXY"] = proxy_url.format(scene.canaries.consumer_secret[:24])
    scene.environ["PROFILECTL_API_URL"] = "https://localhost:9"

    assert scene.run_here("profiles list -v --timeout 1") in {2, 75}, scene.said()
    assert [] == scene.leaks()


@pytest.mark.parametrize(
    "url",
    ["https://{0}:{0}@localhost", "ftp://{0}:{0}@localhost", "https://{0}:{0}@[", "http://{0}@x.com", "{0}:{0}@x.com"],
)
@pytest.mark.usefixtures("impatient")
def test_an_address_shows_nothing_of_its_password(url, scene):
    """An API address with a password in it is refused, and the password not repeated."""
    scene.environ["PROFILECTL_API_URL"] = url.format(scene.canaries.consumer_secret[:24])

    assert scene.run_here("profiles list") == 2, scene.said()
    assert scene.run_here("auth status --json") == 2, scene.said()
    assert [] == scene.leaks()


@pytest.mark.usefixtures("impatient")
def test_a_roster_with_secrets_in_it_is_refused_without_quoting_them(scene):
    """Whoever puts them there is told which line to remove."""
    lines = "".join(f"{name} = '''{value}'''\n" for name, value in scene.canaries.plain().items())
    roster = scene.folder / "roster.toml"
    roster.write_text(roster.read_text() + lines)
    scene.excluded.add(roster)

    for line in ("roster check", "roster check --json", "diff", "roster list"):
        assert scene.run_here(line) == 5, scene.said()
    assert [] == scene.leaks()


@pytest.mark.usefixtures("impatient")
def test_a_ledger_s_address_shows_nothing_of_its_password(scene):
    """Whatever engine the URL asks for, its user name and password aren't repeated."""
    scene.environ["PROFILECTL_LEDGER"] = f"mysql://{scene.canaries.consumer_secret[:24]}@localhost/ledger"

    assert scene.run_here("diff -v") in {2, 5}, scene.said()
    assert [] == scene.leaks()
