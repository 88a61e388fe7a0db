"""What customers will see, drawn on a terminal: bubbles, their colours and pictures."""
