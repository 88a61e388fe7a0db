"""X's feedback cards: issuing one after a message, and comparing what customers answered."""
