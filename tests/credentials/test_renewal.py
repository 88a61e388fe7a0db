"""What is said about credentials that X refuses: what helps where they came from."""

from __future__ import annotations

import pytest

from profilectl.credentials.renewal import renewal
from profilectl.model import Brand
from profilectl.secret import Credentials, Secret

ACME, BETA = Brand("acme", "AcmeCare", "en"), Brand("beta", "betacare", "en")

VARIABLES = "the four variables PROFILECTL_CONSUMER_KEY to PROFILECTL_ACCESS_TOKEN_SECRET"


def credentials(source, handle=None):
    return Credentials(*map(Secret, "abcd"), source=source, handle=handle)


@pytest.mark.parametrize(
    ("sentence", "source", "brands"),
    [
        (None, "keyring", (ACME,)),
        (None, "keyring", ()),
        ("log in again: profilectl auth login --brand acme", "keyring", (ACME, BETA)),
        ("put a token that X accepts where this one came from: file /etc/acme.json", "file /etc/acme.json", (ACME,)),
        (
            f"put a token that X accepts where this one came from: {VARIABLES}",
            "environment",
            (ACME, BETA),
        ),
        (None, "prompt", (ACME, BETA)),
        (None, "sandbox", (ACME, BETA)),
    ],
)
def test_a_login_is_proposed_only_where_it_mends_anything(sentence, source, brands):
    """A file isn't mended by a login, and among several brands the one that failed is named."""
    assert sentence == renewal(credentials(source, "acmecare"), brands)
