"""Where an account's four OAuth 1.0a values come from, and how they get into the operating system's keyring."""
