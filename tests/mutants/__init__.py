"""Do the tests notice a change? Mutants are drawn by a seed, one place each, and the tests near it run."""
