"""``audit checkpoint``: a signed line under all records so far."""

from __future__ import annotations

from typing import Annotated

from profilectl.audit.kept_tree import origin_of_ledger
from profilectl.cli.audit import anchor, timestamps
from profilectl.cli.audit.asked import opened_ledger
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import place_of
from profilectl.cli.options import option
from profilectl.errors import LedgerRefused
from profilectl.ledger.heads import NEWEST, require_whole
from profilectl.render.console import out
from profilectl.render.record import checkpoint as render
from profilectl.render.record.answers import counted
from profilectl.text.escape import visible


def checkpoint(
    context: Context,
    make_key: Annotated[bool, option("--make-key", "Make a signing key in the keyring, if it has none.")] = False,
) -> None:
    """Sign how many records there are, and their tree's root.

    Prints a signed note (C2SP tlog-checkpoint) and adds it to the anchor folder, where one is configured: by
    PROFILECTL_AUDIT_ANCHOR, or in config.toml by [audit] anchor. Let somebody else keep that folder, by git or by
    object lock: `profilectl audit verify --against FOLDER` then proves that nothing was changed since.

    With [audit] timestamp = "URL", a server puts a timestamp (RFC 3161) beside it, so that it can't be dated back.

    Your ssh key signs, through ssh-keygen; [audit] key names another, or "keyring" for a key that profilectl makes.
    Every sync does the same by itself.
    """
    timestamps.require_library(context)
    place = place_of(context)
    with opened_ledger(context) as ledger:
        origin = origin_of_ledger(ledger)
        if origin is None:
            raise LedgerRefused("nothing is on the record yet", hint="the first `profilectl sync` begins it")
        folder = anchor.anchor_folder(context, origin)
        newest = None if make_key else anchor.newest_believed(context, origin)
        require_whole(ledger, NEWEST)
        grown = anchor.grown_tree(context, ledger, origin, newest)
    signing = anchor.signer(context, makes_key=make_key)
    with context.naming_config():
        signed = signing.sign(grown.checkpoint)
    path = None if folder is None else folder.add(signed, grown.leaves)
    timestamp = None if folder is None else timestamps.add(context, folder, signed.checkpoint)
    anchor.keep(context, grown)
    public = signing.public(origin)
    document = render.checkpoint(str(place), grown, signed, public, path, timestamp)
    context.output.show(document)
    if not context.wants_json:  # when quiet, too: it is the result
        for line in signed.note().splitlines():
            out(line)
    records = counted(grown.tree.size, "record")
    if path is not None:
        context.remark(f"signed {records}, kept in {visible(str(path))}")
    elif folder is not None:
        context.remark(f"signed {records}; {visible(str(folder.path))} has this checkpoint already")
    else:
        context.remark(f"signed {records}; keep this where nobody who writes the ledger can change it")
    if make_key:
        context.remark(f"the public key, for the list of signers of whoever verifies: {public}")
