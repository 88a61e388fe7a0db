"""Which policy a command keeps to: root's, or none in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.access.policy import Authority
from profilectl.access.policy_file import POLICY, current_operator, read_policy, uid_of

if TYPE_CHECKING:
    from profilectl.cli.context import Context


def authority_for(context: Context) -> Authority:
    """Return who may do what in one command; in the sandbox, where there are no customers, the roster alone decides.

    Raises:
        InputRefused: `read_policy` refuses the policy file.
    """
    return Authority(uid_of) if context.uses_sandbox else read_policy(POLICY)


def require_admin(context: Context, deed: str) -> None:
    """Refuse a command that only an admin may run.

    Args:
        context: the command's.
        deed: what it is about to do, as in "bob may not …".

    Raises:
        InputRefused: whoever runs this isn't one, or `read_policy` refuses the policy file.
    """
    authority_for(context).require_admin(current_operator(), deed)
