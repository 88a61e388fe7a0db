"""Command lines that can't be obeyed: `parsing` notices them, `sentences` says so in words that help."""
