"""How the bundled checkpoint and heads were made; run from a clone, not installed."""
