"""The room that talks to X: signing, sending, patience, and X's words turned into ours.

Import what you need from the modules; `client` and `oauth` bring httpx along, the others nothing but the library.
"""
