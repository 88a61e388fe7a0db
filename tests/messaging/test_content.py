"""Quick replies and buttons: X's limits, told before anything is sent."""

import pytest

from profilectl.errors import UsageError
from profilectl.messaging.content import links, quick_replies, same_words
from profilectl.model import Link


def test_quick_replies():
    """In their order, without spaces around them; letters and emoji count as one character each."""
    assert ("Yes", "No, thanks", "ž" * 36, "👩‍👩‍👧") == quick_replies([" Yes", "No, thanks ", "ž" * 36, "👩‍👩‍👧"])
    assert 20 == len(quick_replies(map(str, range(20))))
    assert () == quick_replies([])


@pytest.mark.parametrize(
    ("expected", "labels"),
    [
        ("20 quick replies, not 21", list(map(str, range(21)))),
        ("needs a label", ["Yes", " "]),
        ("has 37 characters, at most 36", ["x" * 37]),
        ("is there twice", ["Yes", "No", "yes "]),
        ("holds a URL", ["see https://example.com"]),
        ("holds a URL", ["www.example.com"]),
        ("can't be seen", ["Yes\u202e"]),
        ("can't be seen", ["a\nb"]),
        ("can't be seen", ["caf\udce9"]),
    ],
)
def test_no_quick_replies(expected, labels):
    """Too many, too long, empty, twice, a URL, or a character that nobody can see."""
    with pytest.raises(UsageError, match=expected):
        quick_replies(labels)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Link("Terms", "https://example.com/terms?a=b&c=%20#d"), "Terms=https://example.com/terms?a=b&c=%20#d"),
        (Link("Größe 5", "https://xn--grsse-lua.example:8443"), "Größe 5 = https://xn--grsse-lua.example:8443"),
        (Link("A", "https://192.0.2.7/"), "A=https://192.0.2.7/"),
        (Link("A", "HTTPS://Example.com"), "A=HTTPS://Example.com"),
    ],
)
def test_links(expected, text):
    """The first = ends the label; the address is kept letter by letter."""
    assert (expected,) == links([text])


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("takes Label=https://", "https://example.com/"),
        ("takes Label=https://", "Label="),
        ("needs a label", "=https://example.com"),
        ("at most 36", "x" * 37 + "=https://example.com"),
        ("can't be seen", "A\x1b[2J=https://example.com"),
        ("begins with https://", "A=http://example.com"),
        ("begins with https://", "A=javascript:alert(1)"),
        ("begins with https://", "A=example.com"),
        ("can reach", "A=https://"),
        ("can reach", "A=https://localhost/"),
        ("can reach", "A=https://example..com"),
        ("can reach", "A=https://-example.com"),
        ("can reach", "A=https://[::1]/"),
        ("can reach", "A=https://example.com:0"),
        ("no URL", "A=https://example.com:99999"),
        ("no URL", "A=https://[::1"),
        ("can't hold 'ü'", "A=https://müller.example"),
        ("can't hold ' '", "A=https://example.com/a b"),
        ("can't hold '<U.202E>'", "A=https://example.com/\u202egpj"),
        (r"can't hold '\\\\'", "A=https://example.com\\@evil.example"),
    ],
)
def test_no_links(expected, text):
    """What isn't a label with an https address that every browser reads alike."""
    with pytest.raises(UsageError, match=expected):
        links([text])


def test_a_password_is_not_shown():
    """An address with a user in it is refused without being quoted."""
    with pytest.raises(UsageError, match="names a user") as caught:
        links(["A=http://ada:hunter2@example.com"])

    assert "hunter2" not in caught.value.message + str(caught.value.hint)


def test_too_many_links():
    """Three buttons, each with a label of its own."""
    assert 3 == len(links(f"{name}=https://example.com" for name in "abc"))
    with pytest.raises(UsageError, match="3 buttons, not 4"):
        links(f"{name}=https://example.com" for name in "abcd")
    with pytest.raises(UsageError, match="the same label"):
        links(["A=https://example.com/1", "a=https://example.com/2"])


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("Hello", "Hello"),
        ("Hello\n\nAda \n", "Hello Ada"),
        ("Fish & chips <3", "Fish &amp; chips &lt;3"),
        ("Write &amp; for &", "Write &amp;amp; for &amp;"),
        ("cafe\u0301", "caf\u00e9"),
        ("see example.com today", "see http://example.com/ today"),
        ("see https://example.com/a", "see https://t.co/Ab1 https://t.co/Cd2"),
        ("see example.com/a, or b.example", "see https://t.co/Ab1, or https://t.co/Cd2"),
        ("Look", "Look https://t.co/Cd2"),
        ("", "https://t.co/Cd2"),
        ("already https://t.co/Ab1", "already https://t.co/Ab1"),
    ],
)
def test_the_same_words(written, listed):
    """White space, entities, Unicode's form and X's own addresses make no other message."""
    assert same_words(written, listed)


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("Hello", "hello"),
        ("Hello", "Hello!"),
        ("Hello", ""),
        ("", "Hello"),
        ("see https://example.com/a", "see https://example.com/b"),
        ("see nothing at all today", "see https://t.co/Ab1 today"),
        ("a.c", "abc"),
        ("abc", "a.c"),
    ],
)
def test_other_words(written, listed):
    """A difference that X doesn't make is one."""
    assert not same_words(written, listed)
