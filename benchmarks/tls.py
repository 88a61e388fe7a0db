"""A first sync as it is with X: TLS, and 60 ms for every round trip, those that open a connection included."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.latency import TWEEPY, afresh, against_tweepy
from benchmarks.measure import interleave, run_process
from benchmarks.table import Goal, Row
from benchmarks.workshop import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Size
    from benchmarks.workshop import Workshop

ROUND_TRIP = 0.06  # seconds
_HOST = "127.1"  # loopback, but not by its usual name: there clients would pass over the environment's certificates
_JOBS = 8


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield the gain of eight jobs over tweepy, which opens a connection for every call."""
    if shutil.which("openssl") is None:
        print("left out: tls, there is no openssl to make a certificate", file=sys.stderr)
        return
    many, few = workshop.desk("many", size.encrypted), workshop.desk("few", size.distant_tweepy)
    with _encrypted(workshop) as (server, trust):
        contestants = {
            "ours": partial(afresh, server, partial(many.sync, server.url, _JOBS, **trust)),
            TWEEPY: partial(afresh, server, partial(few.client, "sequential_tweepy", server.url, **trust)),
        }
        samples = interleave(contestants, size.distant_rounds, 0)
    yield against_tweepy(
        "tls",
        f"sync --jobs {_JOBS}",
        samples["ours"],
        samples[TWEEPY],
        size.encrypted,
        few.agents,
        Goal(20, at_least=True),
        f"{size.encrypted:,} agents, round trips of 60 ms, TLS",
    )


@contextmanager
def _encrypted(workshop: Workshop) -> Iterator[tuple[Server, dict[str, str]]]:
    """Serve TLS behind a slow line; yields the server, and the environment in which clients trust it."""
    certificate, key = _certify(workshop)
    with workshop.process("-m", "benchmarks.server", "--tls", str(certificate), str(key)) as server:
        control_port, port = (int(server.stdout.readline()) for _ in range(2))
        with workshop.process("-m", "benchmarks.proxy", str(port), str(ROUND_TRIP)) as proxy:
            url = f"https://{_HOST}:{int(proxy.stdout.readline())}"
            bundle = str(_trusted(workshop.folder, certificate))
            yield (
                Server(url, f"http://127.0.0.1:{control_port}"),
                {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle},
            )


def _certify(workshop: Workshop) -> tuple[Path, Path]:
    """Make a certificate that signs itself, and its key."""
    certificate, key = workshop.folder / "certificate.pem", workshop.folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={_HOST}"]
    for extension in (f"subjectAltName=DNS:{_HOST}", "keyUsage=critical,digitalSignature,keyCertSign"):
        words += ["-addext", extension]
    run_process(words, folder=workshop.folder, env=workshop.env)
    return certificate, key


def _trusted(folder: Path, certificate: Path) -> Path:
    """Return a bundle as large as everybody's: reading it is a part of what a new connection costs tweepy."""
    import certifi  # httpx and requests bring it

    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + certificate.read_bytes())
    return bundle
