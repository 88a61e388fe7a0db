"""The two pages of a PIN login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.sandbox.pages.rendering import page, problem

if TYPE_CHECKING:
    from profilectl.sandbox.http.local_request import Visit
    from profilectl.sandbox.http.responses import Answer


def ask_to_authorise(visit: Visit) -> Answer:
    """The page to which a PIN login sends its user: which app, which account, yes or no."""
    login = visit.world.tokens.login(visit.request.args.get("oauth_token", ""))
    brands = [account for account in visit.world.accounts.all() if account.is_brand]
    chosen = visit.request.args.get("screen_name", "").casefold()
    app = visit.world.tokens.app()
    return page("authorise.html", login=login, brands=brands, chosen=chosen, app=app)


def authorise(visit: Visit) -> Answer:
    """The answer to that page: a PIN, unless the user said no."""
    form, tokens = visit.request.form, visit.world.tokens
    login = tokens.login(form.get("oauth_token", ""))
    if form.get("decision") != "authorise":
        return problem("You did not authorise the app. Nothing was changed; you may close this page.", 200)
    account = visit.world.accounts.require(form.get("handle", ""))
    return page("pin.html", pin=tokens.authorise(login, account), app=tokens.app(), account=account)
