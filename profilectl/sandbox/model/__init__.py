"""What the sandbox knows, without HTTP: accounts, profiles, messages, media, limits."""
