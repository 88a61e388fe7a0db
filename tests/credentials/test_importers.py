"""Files of twurl, t and xurl: their accounts, and nothing that a hostile one could do."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.credentials.importers import read_offers, usual_files
from profilectl.errors import CredentialsError

TWURL = """---
profiles:
  acmecare:
    {consumer_key}:
      username: acmecare
      consumer_key: {consumer_key}
      consumer_secret: {consumer_secret}
      token: {access_token}
      secret: {access_token_secret}
  '12345':
    other-key:
      username: '12345'
      consumer_key: other-key
      token: only-a-token
configuration:
  default_profile:
  - acmecare
  - {consumer_key}
"""
XURL = """apps:
    support:
        client_id: abc
        client_secret: def
        default_user: acmecare
        oauth2_tokens:
            acmecare:
                type: oauth2
                oauth2: {{access_token: x, refresh_token: y, expiration_time: 1}}
        oauth1_token:
            type: oauth1
            oauth1:
                access_token: {access_token}
                token_secret: {access_token_secret}
                consumer_key: {consumer_key}
                consumer_secret: {consumer_secret}
    modern:
        client_id: ghi
default_app: support
"""


@pytest.fixture
def write(tmp_path):
    def file(text, mode=0o600):
        path = tmp_path / "rc"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return file


def test_accounts_of_twurl_and_t(write, document):
    """Both tools write the same form: handles, each with its apps; a handle of digits stays a handle."""
    offers = read_offers(write(TWURL.format(**document)))
    whole, part = offers.offers
    assert (whole.handle, whole.app, whole.problem, whole.chosen) == ("acmecare", None, None, True)
    assert [secret.reveal() for secret in whole.credentials.secrets()] == list(document.values())
    assert (part.handle, part.credentials, part.chosen) == ("12345", None, False)
    assert part.problem.endswith("lacks consumer_secret, secret")
    assert offers.exposure is None


def test_apps_of_xurl(write, document):
    """An app has one OAuth 1.0a token, and doesn't say whose; one without it has nothing to offer."""
    (offer,) = read_offers(write(XURL.format(**document))).offers
    assert (offer.handle, offer.app, offer.name, offer.chosen) == (None, "support", "support", True)
    assert [secret.reveal() for secret in offer.credentials.secrets()] == list(document.values())


def test_an_old_file_of_xurl(write, document):
    """It was JSON once, with one token."""
    keys = ("consumer_key", "consumer_secret", "access_token", "token_secret")
    token = dict(zip(keys, document.values(), strict=True))
    (offer,) = read_offers(write(json.dumps({"oauth1_tokens": {"type": "oauth1", "oauth1": token}}))).offers
    assert [secret.reveal() for secret in offer.credentials.secrets()] == list(document.values())


def test_a_file_that_others_can_read_is_told(write, document):
    """It is another tool's file, so that is no reason to refuse it."""
    offers = read_offers(write(TWURL.format(**document), mode=0o644))
    assert len(offers.offers) == 2
    assert "has mode 644: other users can get at it" in offers.exposure.message
    assert offers.exposure.hint.startswith("run: chmod 600")


def test_the_usual_files(tmp_path):
    """The folder that xurl keeps now, and the file that it kept before."""
    assert usual_files(tmp_path) == []
    (tmp_path / ".xurl").write_text("")
    (tmp_path / ".trc").write_text("")
    assert usual_files(tmp_path) == [tmp_path / ".xurl", tmp_path / ".trc"]
    (tmp_path / ".xurl").unlink()
    (tmp_path / ".xurl").mkdir()
    (tmp_path / ".xurl" / "auth.yml").write_text("")
    assert usual_files(tmp_path) == [tmp_path / ".xurl" / "auth.yml", tmp_path / ".trc"]


_MANY = "x: &x {" + ", ".join(f"k{n}: {{token: t}}" for n in range(100)) + "}\nprofiles: {"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no YAML mapping"),
        ("- a", "no YAML mapping"),
        ("a: canary\n\tb: [", r"no YAML mapping \(line 2\)"),
        ("a: 'canary", r"no YAML mapping \(line 1\)"),
        (b"a: \xff\xfecanary", "no YAML mapping"),
        ("a: \0canary", "no YAML mapping"),
        ("[" * 60_000, "no YAML mapping"),
        ("- " * 30_000, "no YAML mapping"),
        ("a: &a {b: *a}", "no YAML mapping"),
        ("a: !!python/object/apply:os.abort []", "no file of twurl, t or xurl"),
        ("a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(99)), "no file of twurl, t or xurl"),
        (_MANY + ", ".join(f"u{n}: *x" for n in range(100)) + "}", "names more than 1000 accounts"),
        ("a" * 70_000, "more than 64 KiB"),
    ],
)
def test_what_is_no_such_file_is_refused(write, text, message):
    """Nothing is run or expanded, and nothing of its content is shown."""
    with pytest.raises(CredentialsError, match=message) as caught:
        read_offers(write(text))
    assert "canary" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "text",
    [
        "profiles: []",
        "profiles: {a: b}",
        "profiles: {a: {b: c}}",
        "profiles: {a: {b: {consumer_key: [x]}}}",
        "profiles: {../x: {b: {consumer_key: kkkkkkkk, consumer_secret: ssssssss, token: tttttttt, secret: dddddddd}}}",
        "profiles: {a: {b: {consumer_key: k, consumer_secret: ssssssss, token: tttttttt, secret: cccccccc}}}",
        "profiles: {? '' : {? '' : ''}}",
        "apps: {a: {oauth1_token: {oauth1: []}}}",
        "apps: {a: {oauth1_token: x}}",
        "oauth1_tokens: {type: oauth1}",
        "configuration: x\nprofiles: {}",
    ],
)
def test_odd_accounts_are_incomplete(write, text):
    """A file of the right form with the wrong things in it has no credentials to offer, and says why."""
    for offer in read_offers(write(text)).offers:
        assert offer.credentials is None
        assert offer.problem


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, or nothing."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CredentialsError):
            read_offers(path)


_words = st.sampled_from(
    ["profiles", "apps", "oauth1_tokens", "oauth1_token", "oauth1", "token", "secret", "consumer_key", "configuration"]
)
_trees = st.recursive(st.text(max_size=9) | st.none(), lambda sub: st.lists(sub) | st.dictionaries(_words, sub))


@given(_trees | st.dictionaries(_words, _trees))
def test_no_tree_makes_it_crash(tmp_path_factory, tree):
    """Whatever is nested in whatever, an answer or a refusal comes out."""
    path = tmp_path_factory.mktemp("rc") / "rc"
    path.write_text(json.dumps(tree))
    with contextlib.suppress(CredentialsError):  # anything else fails the test
        read_offers(path)
