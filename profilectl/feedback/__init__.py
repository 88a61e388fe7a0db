"""X's feedback cards: what is asked, and what the answers can tell."""
