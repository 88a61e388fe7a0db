"""A timestamp authority: OpenSSL's own (`openssl ts -reply`) behind a small server on loopback."""

from __future__ import annotations

import subprocess

from tests.loopback_server import LoopbackServer

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = profilectl tests
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """An authority with certificates of its own, and how it misbehaves.

    Attributes:
        root: the file with the certificate that its own is traced to.
        asked: the queries, in the order in which they came, with their headers.
        failure: ``(status, headers, body)`` of every answer from now on; None for timestamps.
    """

    def __init__(self, folder, digests="sha256"):
        folder.mkdir(exist_ok=True)
        self.folder, self.root = folder, folder / "root.pem"
        self.asked, self.failure = [], None
        (folder / "config").write_text(_CONFIG.format(folder=folder, digests=digests))
        (folder / "serial").write_text("01\n")
        self._make_certificates()

    def __enter__(self):
        self._server = LoopbackServer(self._reply)
        self._server.__enter__()
        self.url = f"{self._server.url}/tsr"
        return self

    def __exit__(self, *error):
        self._server.__exit__(*error)

    def _reply(self, request):
        self.asked.append((request.body, request.headers))
        status, headers, content = self.failure or (200, {}, self.answer(request.body))
        return status, {"Content-Type": "application/timestamp-reply"} | headers, content

    def answer(self, query):
        """Return what OpenSSL answers to a query."""
        (self.folder / "query").write_bytes(query)
        signing = ("-inkey", "key.pem", "-signer", "own.pem", "-config", "config", "-section", "tsa")
        self._openssl("ts", "-reply", "-queryfile", "query", "-out", "reply", *signing)
        return (self.folder / "reply").read_bytes()

    def _make_certificates(self):
        days = ("-days", "30")
        self._openssl(
            *("req", "-x509", *_KEY, *days, "-config", "config", "-extensions", "root"),
            *("-keyout", "root.key", "-out", "root.pem"),
        )
        self._openssl(
            "req", "-new", *_KEY, "-config", "config", "-subj", "/CN=TSA", "-keyout", "key.pem", "-out", "csr"
        )
        self._openssl(
            *("x509", "-req", "-in", "csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", *days),
            *("-extfile", "config", "-extensions", "authority", "-out", "own.pem"),
        )

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
