"""The sandbox: a local X that is strict, forgets nothing, and can be told to misbehave.

An annex, not a mock. It shares no code with the client, checks signatures with its own implementation and enforces
X's limits, so that a client which works here has met everything that X documents.

::

    server ──► app ──► calls ──► world ──► store (SQLite)
               │  ├──► gate        │
               │  ├──► trouble     ├── accounts  tokens  media  profiles  messages
               │  ├──► control     └── quotas  faults
               │  └──► pages
               └──► wire

`world` and what hangs below it know no HTTP. `calls` holds one function per call of X; each returns a value and `app`
alone writes it. Three doors lead in: `httpx.WSGITransport(app=SandboxApp(world))`, `server.serve`, and the command
``profilectl sandbox serve``.
"""
