"""Why the world refuses a call, without HTTP; `http.responses` knows the status, code and message of each reason."""

from __future__ import annotations

import enum


class Refusal(enum.Enum):
    """Everything that X refuses for; `Refused.detail` names the parameter, field or rule where there is one."""

    BAD_SIGNATURE = enum.auto()
    NO_SUCH_PAGE = enum.auto()
    PARAMETER_MISSING = enum.auto()
    PARAMETER_INVALID = enum.auto()
    NOT_PERMITTED = enum.auto()
    RATE_LIMITED = enum.auto()
    BAD_TOKEN = enum.auto()
    NO_MESSAGE_ACCESS = enum.auto()
    NO_SUCH_USER = enum.auto()
    CLOCK_OUT_OF_BOUNDS = enum.auto()
    MESSAGE_INVALID = enum.auto()
    BAD_FIELD = enum.auto()
    NO_AUTHENTICATION = enum.auto()
    READ_ONLY = enum.auto()
    MEDIA_TOO_BIG = enum.auto()
    MEDIA_INVALID = enum.auto()
    MEDIA_NOT_FOUND = enum.auto()
    MEDIA_UNRECOGNISED = enum.auto()
    UPLOAD_UNKNOWN = enum.auto()
    UNREACHABLE_USER = enum.auto()
    TEXT_TOO_LONG = enum.auto()
    CALLBACK_NOT_APPROVED = enum.auto()


class Refused(Exception):
    """A call that the world refuses; nothing was changed."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal, detail)
        self.refusal = refusal
        self.detail = detail
