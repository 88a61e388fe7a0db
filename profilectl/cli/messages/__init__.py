"""Messages at the command line: whom they are to, what a person agrees to, and what is read of them."""
