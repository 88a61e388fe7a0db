"""The memory of what was done at X: bindings, open intents, retired profiles, and who did it.

`base` says what a ledger promises, `schema` holds its tables and statements, `transactions` its deeds on any SQL
engine, `sqlite` the engine that keeps it in one file beside the roster.
"""
