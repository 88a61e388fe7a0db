"""One Direct Message as an agent: composed, allowed, sent once, and confirmed by X."""
