"""What would be done, decided in a value without touching the world."""
