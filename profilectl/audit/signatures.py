"""Who signs a checkpoint, and who is believed: keys of ssh, or an Ed25519 key that a keyring keeps.

With a key of ssh it is `ssh-keygen` that signs and verifies (``-Y``, as for git), so agents, passphrases and hardware
keys work as they do there. C2SP signed-note has no number for such signatures: their type is 0xff and "sshsig", and a
key's id is made of its public half as ssh writes it. An Ed25519 key of ours signs as that specification says (0x01).
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from profilectl.audit.notes import Checkpoint, Signature, SignedCheckpoint, key_id
from profilectl.errors import InputRefused, UsageError
from profilectl.secret import Secret
from profilectl.system import child
from profilectl.system.extras import how_to_install
from profilectl.system.files import read_named, write_private
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAMESPACE: Final = "profilectl-audit"
"""What a signature is for, so that one that was made for a commit passes for no checkpoint."""

DEFAULT_KEYS: Final = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")
"""The keys in ``~/.ssh`` of which the first one that is there signs, unless the config names another."""

_SSH: Final = b"\xffsshsig"
_ED25519: Final = b"\x01"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LARGEST: Final = 65_536  # bytes of a public key, or of a list of them
_SECONDS: Final = 10.0  # for a program that asks nobody
_PATIENCE: Final = 120.0  # for a person who types a passphrase, or touches a key
_PRINCIPAL: Final = "profilectl"
_UNATTENDED: Final = ("SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY")


class Signer(Protocol):
    """Signs checkpoints."""

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """Return the checkpoint with a signature; InputRefused where it can't be made."""

    def public(self, origin: str) -> str:
        """Return the public key as a list of signers takes it."""


class SshSigner(Struct, frozen=True):
    """Signs with a key of ssh: a file of its own, or the public half of a key that an agent holds."""

    key: Path
    is_attended: bool  # somebody may be asked for a passphrase, or for a touch

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """Return the checkpoint with a signature."""
        text, shown = checkpoint.text(), visible(str(self.key))
        words = [_ssh_keygen(), "-q", "-Y", "sign", "-f", str(self.key), "-n", NAMESPACE]
        try:
            ending = child.exchange(
                words,
                text.encode(),
                seconds=_PATIENCE if self.is_attended else _SECONDS,
                is_attended=self.is_attended,
                without=() if self.is_attended else _UNATTENDED,
            )
        except TimeoutError:
            raise InputRefused(f"ssh-keygen didn't sign with {shown} in time", hint=self._hint()) from None
        except OSError as error:
            raise InputRefused(f"ssh-keygen can't be started: {error.strerror}") from None
        blob = _unarmored(ending.output.decode("ascii", "replace"))
        if ending.status or blob is None:
            raise InputRefused(f"ssh-keygen couldn't sign with {shown}", hint=self._hint())
        identity = key_id(checkpoint.origin, _SSH, _public_key(blob))
        return SignedCheckpoint(checkpoint, text, (Signature(checkpoint.origin, identity, blob),))

    def public(self, origin: str) -> str:  # noqa: ARG002 - ssh's keys are the same for every ledger
        """Return the line of the public key's file."""
        path = self.key if self.key.suffix == ".pub" else self.key.with_name(f"{self.key.name}.pub")
        hint = "`ssh-keygen -y -f KEY > KEY.pub` writes it"
        return read_named(path, "the public key", _LARGEST, hint).decode("utf-8", "replace").strip()

    def _hint(self) -> str:
        if not self.key.exists():
            return 'make one with `ssh-keygen -t ed25519`, or name another in config.toml: [audit] key = "PATH"'
        if self.is_attended:
            return "see what it says above"
        return "a key with a passphrase has to be in ssh-agent, as nobody is asked here; or use one without"


class KeyringSigner(Struct, frozen=True):
    """Signs with an Ed25519 key of ours, whose 32 bytes come from a keyring, in base64."""

    seed: Secret

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """Return the checkpoint with a signature."""
        text = checkpoint.text()
        identity = key_id(checkpoint.origin, _ED25519, self._public())
        signature = Signature(checkpoint.origin, identity, self._private().sign(text.encode()))
        return SignedCheckpoint(checkpoint, text, (signature,))

    def public(self, origin: str) -> str:
        """Return the key in the form that programs for signed notes read: name, id and key, with + between."""
        public = self._public()
        encoded = base64.b64encode(_ED25519 + public).decode()
        return f"{origin}+{key_id(origin, _ED25519, public).hex()}+{encoded}"

    def _public(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def _private(self) -> Ed25519PrivateKey:
        require_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.seed.reveal()))


def new_seed() -> Secret:
    """Return a new Ed25519 key, for a keyring."""
    import secrets

    return Secret(base64.b64encode(secrets.token_bytes(32)).decode())


def require_cryptography() -> None:
    """Raise UsageError where the library that signs without ssh isn't installed."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        what = "a signing key is in the keyring, and cryptography isn't installed"
        raise UsageError(what, hint=f"{how_to_install('sign')}; or use a key of ssh") from None


class Signers(Struct, frozen=True):
    """The public keys that are believed: lines of ssh's allowed_signers, and keys of signed notes."""

    allowed: str  # see ssh-keygen(1), "ALLOWED SIGNERS"
    notes: tuple[tuple[str, bytes], ...] = ()  # a name and an Ed25519 key each

    def refusal(self, signed: SignedCheckpoint) -> str | None:
        """Return why no known key has signed a note, None where one has; a bad signature of a known key counts."""
        reason = "no key that is known here has signed it"
        good = False
        for signature in signed.signatures:
            answer = self._judge(signed, signature)
            if answer is False:
                return "its signature isn't one of that text"
            good = good or answer is True
        return None if good else reason

    def _judge(self, signed: SignedCheckpoint, signature: Signature) -> bool | None:
        """Return whether a signature is good; None for that of an unknown key."""
        for name, public in self.notes:
            if (name, key_id(name, _ED25519, public)) == (signature.name, signature.key_id):
                return _is_ed25519(public, signed.text, signature.content)
        if not self.allowed or not signature.content.startswith(b"SSHSIG"):
            return None
        return _is_ssh(self.allowed, signed.text, signature.content)


def read_signers(lines: Iterable[str]) -> Signers:
    """Return the keys of a list: lines of ssh's allowed_signers, or keys of signed notes, such as ``name+id+key``."""
    allowed, notes = [], []
    for line in lines:
        note = re.fullmatch(r"(\S+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)", line.strip())
        if note is None:
            allowed.append(line.strip())
            continue
        try:
            key = base64.b64decode(note[2], validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 33 or not key.startswith(_ED25519):
            raise InputRefused(f"{visible(line.strip())} is no Ed25519 key of signed notes")
        notes.append((note[1], key[1:]))
    return Signers("".join(f"{line}\n" for line in allowed if line and not line.startswith("#")), tuple(notes))


def own_signers(public: str) -> Signers:
    """Return signers that are one key, as `Signer.public` returns it."""
    if re.match(r"(ssh|ecdsa|sk)-", public):
        return read_signers([f'{_PRINCIPAL} namespaces="{NAMESPACE}" {public}'])
    return read_signers([public])


def _is_ed25519(public: bytes, text: str, signature: bytes) -> bool:
    require_cryptography()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _is_ssh(allowed: str, text: str, blob: bytes) -> bool | None:
    try:
        return _is_believed(allowed, text, blob)
    except OSError as error:  # a time that is over, too
        raise InputRefused(f"ssh-keygen didn't verify a signature: {error.strerror or 'it took too long'}") from None


def _is_believed(allowed: str, text: str, blob: bytes) -> bool | None:
    with _written(allowed, _armored(blob)) as (signers, signature):
        look = [_ssh_keygen(), "-Y", "find-principals", "-f", str(signers), "-s", str(signature)]
        answer = child.run(look, seconds=_SECONDS, largest=_LARGEST)
        principals = answer.output.decode("utf-8", "replace").split("\n")[0].split(",")
        if answer.status or not principals[0].strip():
            return None
        name = principals[0].strip()
        options = ["-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", str(signature)]
        words = [_ssh_keygen(), "-Y", "verify", *options]
        return child.exchange(words, text.encode(), seconds=_SECONDS, is_attended=False).status == 0


@contextmanager
def _written(*contents: str) -> Iterator[Sequence[Path]]:
    # ssh-keygen takes them as files only; nothing in them is a secret
    with tempfile.TemporaryDirectory(prefix="profilectl-") as folder:
        paths = [Path(folder) / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            write_private(path, content.encode())
        yield paths


def _ssh_keygen() -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        hint = 'install OpenSSH; or keep a key in the keyring: [audit] key = "keyring" in config.toml'
        raise InputRefused("this machine has no ssh-keygen, which signs and verifies checkpoints", hint=hint)
    return program


def _unarmored(text: str) -> bytes | None:
    body = re.fullmatch(rf"\s*{_BEGIN}\s+([A-Za-z0-9+/=\s]+){_END}\s*", text)
    try:
        return None if body is None else base64.b64decode("".join(body[1].split()), validate=True)
    except binascii.Error:
        return None


def _armored(blob: bytes) -> str:
    encoded = base64.b64encode(blob).decode()
    lines = [encoded[start : start + 70] for start in range(0, len(encoded), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def _public_key(blob: bytes) -> bytes:
    """Return the public key of a signature as ssh writes it (OpenSSH's PROTOCOL.sshsig, section 1)."""
    start = len(b"SSHSIG") + 4  # a version comes before it
    length = int.from_bytes(blob[start : start + 4], "big")
    return blob[start + 4 : start + 4 + length]
