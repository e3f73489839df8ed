"""The guesses about each provider, as tables of switches."""
