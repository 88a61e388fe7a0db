"""The record's checkpoints: who signs them, where they go after a sync, and what is read of them before one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.audit.anchor_folder import AnchorFolder, Note
from profilectl.audit.kept_tree import GrownTree, grow, origin_of_ledger
from profilectl.audit.signatures import (
    DEFAULT_KEYS,
    KeyringSigner,
    Signer,
    Signers,
    SshSigner,
    new_seed,
    own_signers,
    read_signers,
    require_cryptography,
)
from profilectl.cli.audit import timestamps
from profilectl.cli.ledger.files import open_sound, place_of
from profilectl.errors import LedgerRefused, ProfilectlError, UsageError
from profilectl.render.console import info
from profilectl.system.files import read_named
from profilectl.system.folders import make_folder
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.protocol import LedgerReader

KEYRING = "keyring"
_LARGEST = 1_048_576  # bytes of a list of keys


def signer(context: Context, *, makes_key: bool = False, is_attended: bool | None = None) -> Signer:
    """Return who signs this user's checkpoints; a key in the keyring is made where that is asked for.

    Raises:
        UsageError: no key is configured, and none of ssh's own is there.
    """
    chosen = context.config.audit.key
    if chosen == KEYRING:
        return _keyring_signer(context, makes_key=makes_key)
    if makes_key:
        hint = (
            f'with [audit] key = "{KEYRING}" in {context.config_file}; ssh\'s keys are made by `ssh-keygen -t ed25519`'
        )
        raise UsageError("--make-key makes a key in the keyring only", hint=hint)
    keys = [expand_home(chosen)] if chosen else [expand_home(f"~/.ssh/{name}") for name in DEFAULT_KEYS]
    key = next((path for path in keys if path.exists()), None)
    if key is None:
        what = f"the signing key {visible(str(keys[0]))} isn't there" if chosen else "there is no key to sign with"
        another = f'{context.config_file} names another: [audit] key = "PATH", or "{KEYRING}"'
        hint = f"`ssh-keygen -t ed25519` makes one; {another}"
        raise UsageError(what, hint=hint)
    return SshSigner(key, context.may_ask if is_attended is None else is_attended)


def _keyring_signer(context: Context, *, makes_key: bool) -> Signer:
    from profilectl.credentials.keyring import Keychain

    require_cryptography()
    keychain = Keychain(attended=context.may_ask, environ=context.environ)
    seed = keychain.signing_key()
    if seed is None and not makes_key:
        hint = "`profilectl audit checkpoint --make-key` makes one"
        raise UsageError("the keyring has no key that signs checkpoints", hint=hint)
    if seed is None:
        seed = new_seed()
        keychain.set_signing_key(seed)
    context.secrets.append(seed)
    return KeyringSigner(seed)


def signers(context: Context, origin: str) -> Signers:
    """Return the keys that are believed: those of the configured list, else this user's own key."""
    chosen = context.config.audit.signers
    if chosen is not None:
        hint = f"{context.config_file} names it: [audit] signers"
        content = read_named(expand_home(chosen), "the list of signers", _LARGEST, hint)
        return read_signers(content.decode("utf-8", "replace").splitlines())
    try:
        return own_signers(signer(context).public(origin))
    except UsageError as error:
        hint = f'{context.config_file} names a file with the public keys: [audit] signers = "PATH"; {error.hint}'
        raise UsageError("no public key is known that could have signed", hint=hint) from None


def anchor_folder(context: Context, origin: str | None) -> AnchorFolder | None:
    """Return the folder that gets a ledger's checkpoints, None where none is configured.

    Rehearsals lie apart, each local X's in a folder of its own, named by its ledger's origin: nobody has to prepare
    that, and two of them have nothing to do with one another.

    Raises:
        AnchorRefused: such a folder can't be made.
    """
    path = context.anchor_folder
    if path is None or (context.uses_sandbox and origin is None):
        return None
    if not context.uses_sandbox or origin is None:
        return AnchorFolder(path)
    folder = AnchorFolder(path / origin.rpartition("/")[2])
    if path.parent.is_dir():
        try:
            make_folder(path)
            make_folder(folder.path)
        except OSError as error:
            raise folder.refused("be made", error) from None
    return folder


def newest_believed(context: Context, origin: str | None, *, is_quiet: bool = False) -> Note | None:
    """Return the largest checkpoint that a known key has signed; others are warned of, unless quiet.

    `origin` is the ledger's, None where it has no record yet.

    Raises:
        AnchorRefused: the folder can't be read.
        UsageError: no public key is known.
    """
    folder = anchor_folder(context, origin)
    if folder is None:
        return None
    for name in reversed(folder.names()):
        note = folder.note(name)
        refusal: str | None = note.problem
        if note.signed is not None:
            with context.naming_config():
                refusal = signers(context, note.signed.checkpoint.origin).refusal(note.signed)
        if refusal is None:
            return note
        if not is_quiet:
            info(f"warning: the checkpoint {visible(name)} in {visible(str(folder.path))} proves nothing: {refusal}")
    return None


def grown_tree(context: Context, ledger: LedgerReader, origin: str, newest: Note | None) -> GrownTree:
    """Return the tree over a ledger's records, and keep it.

    Raises:
        LedgerRefused: the newest checkpoint, where there is one, isn't about a prefix of these records.
    """
    signed = None if newest is None else newest.signed
    checkpoint = None if signed is None else signed.checkpoint
    size = 0 if checkpoint is None else checkpoint.size
    kept = context.kept_trees.load(origin)
    grown = grow(ledger, origin, kept, size)
    if checkpoint is None or newest is None:
        return grown
    if kept is not None and grown.roots.get(size) != checkpoint.root:
        grown = grow(ledger, origin, None, size)  # what is kept is never believed over the records
    if checkpoint.origin != origin or grown.roots.get(size) != checkpoint.root:
        raise _contradicted(context, newest, origin)
    return grown


def require_anchored(context: Context, ledger: LedgerReader, place: Path | PostgresAddress) -> None:
    """Make sure that the newest checkpoint in the anchor folder is about a prefix of a ledger's records.

    Raises:
        LedgerRefused: it isn't, so the ledger is an older one, was rewritten, or is another one.
    """
    origin = origin_of_ledger(ledger)
    try:
        newest = newest_believed(context, origin)
    except (ProfilectlError, OSError) as error:  # none can be added after the sync either, which is a warning then
        info(f"warning: the record wasn't compared with the checkpoints: {error}")
        return
    if newest is None or newest.signed is None:
        return
    if origin is None:
        raise _contradicted(context, newest, origin)
    try:
        grown = grown_tree(context, ledger, origin, newest)
    except LedgerRefused as error:
        raise error.with_message(f"{visible(str(place))}: {error.message}") from None
    keep(context, grown)


def anchor(context: Context) -> None:
    """Add a checkpoint to the anchor folder, where one is configured; what goes wrong is a warning."""
    try:
        with open_sound(context, place_of(context)) as ledger:
            origin = origin_of_ledger(ledger)
            folder = anchor_folder(context, origin)
            if folder is None or origin is None:
                return
            newest = newest_believed(context, origin, is_quiet=True)
            grown = grown_tree(context, ledger, origin, newest)
        checkpoint = grown.checkpoint
        if not folder.has(checkpoint.size, checkpoint.root):
            with context.naming_config():
                signed = signer(context).sign(checkpoint)
            folder.add(signed, grown.leaves)
        timestamps.add(context, folder, checkpoint)
        keep(context, grown)
    except (ProfilectlError, OSError) as error:
        hint = getattr(error, "hint", None)
        advice = f" ({hint})" if hint else ""
        info(f"warning: the sync is done, but no checkpoint was written: {error}{advice}; the next one covers it")


def keep(context: Context, grown: GrownTree) -> None:
    """Remember how far the tree over a ledger's records was computed; that it can't be is a warning."""
    try:
        context.kept_trees.save(grown)
    except OSError as error:
        info(f"warning: the tree couldn't be kept, so the next checkpoint takes longer: {error.strerror}")


def forget_tree(context: Context, ledger: LedgerReader) -> None:
    """Compute the tree anew the next time, as a person has accepted that records aren't what they were."""
    origin = origin_of_ledger(ledger)
    if origin is not None:
        context.kept_trees.forget(origin)


def _contradicted(context: Context, newest: Note, origin: str | None) -> LedgerRefused:
    folder = visible(str(context.anchor_folder))
    checkpoint = None if newest.signed is None else newest.signed.checkpoint
    of_another = checkpoint is not None and checkpoint.origin != origin
    if of_another and checkpoint is not None:
        what = f"{visible(newest.file)} in {folder} is of another ledger, {visible(checkpoint.origin)}"
        own = "which has no record" if origin is None else f"which is {origin}"
        what = f"the record isn't the one that was signed: {what}, and not of this one, {own}"
        hint = (
            "if it should be that ledger, name it with PROFILECTL_LEDGER or restore it, as its record may have been "
            f"rewritten (`profilectl audit verify --against {shlex.quote(folder)}`); if this is a ledger of its own, "
            "give it a folder of its own ([audit] anchor, or PROFILECTL_AUDIT_ANCHOR)"
        )
        return LedgerRefused(what, hint=hint)
    size = 0 if checkpoint is None else checkpoint.size
    what = f"the record isn't the one that was signed: {visible(newest.file)} in {folder} is about other {size} records"
    first = f"`profilectl audit verify --against {shlex.quote(folder)}` names the first one; restore the newer ledger"
    accepted = "once `ledger accept-restore` or `audit verify --accept-break` has gone on with this one"
    return LedgerRefused(what, hint=f"{first}; or, {accepted}, move the checkpoints into another folder")
