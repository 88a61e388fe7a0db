"""What is known of X, durably: bindings, open intents, retired profiles, messages, and who did it.

`protocol` says what a ledger promises, `store` keeps the promises over any SQL engine, `schema` holds tables and
statements, `sqlite` is the engine that keeps a ledger in one file, `location` decides where that file may be.
"""
