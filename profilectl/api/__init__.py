"""X's API over HTTP: endpoints, signatures, retries, and X's answers turned into our values and errors.

`client`, `transport`, `oauth`, `pin_login` and `probe` load httpx; the other modules load nothing that takes long.
"""
