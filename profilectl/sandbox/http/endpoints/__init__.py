"""The endpoints of X, one function each: an `ApiRequest` goes in, a `Response` comes out, a refusal is raised."""

from __future__ import annotations

from profilectl.sandbox.http.endpoints import account, feedback, media, messages, profiles, welcome

ENDPOINTS = (
    *(*account.ENDPOINTS, *profiles.ENDPOINTS, *media.ENDPOINTS, *messages.ENDPOINTS),
    *(*feedback.ENDPOINTS, *welcome.ENDPOINTS),
)
