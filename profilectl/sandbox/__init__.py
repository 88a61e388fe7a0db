"""The sandbox: a local X that is strict, forgets nothing, and makes faults on order.

It shares no code with the client, checks signatures with its own implementation and enforces X's limits, so that a
client which works here has met everything that X documents.

::

    http/   server ──► app ──► endpoints ──┐
                        │  ├──► authorization, oauth
                        │  ├──► fault_injection      responses: what all of them answer with
                        │  └──► admin ──────────────┤
    pages/              └──► what people see ───────┤
    model/                                          └──► world ──► store (SQLite)

`model` knows no HTTP. `http.endpoints` holds one function for each endpoint of X; each returns a value and `app` alone
writes it. There are three entry points: `httpx.WSGITransport(app=SandboxApp(world))`, `server.SandboxServer`, and the
command ``profilectl sandbox serve``. `pytest_plugin` gives the second to the tests of other projects.
"""
