"""A TOML file judged with line and column."""
