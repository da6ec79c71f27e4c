"""A newcomer: nothing but Python, Go and the README, which must hold to the letter."""
