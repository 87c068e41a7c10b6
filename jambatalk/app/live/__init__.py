"""The Live tab: a WebSocket that turns sound into motion, and what draws the head in a browser."""
