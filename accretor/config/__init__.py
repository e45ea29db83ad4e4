"""``workspace.toml`` as types, and the exact key that is wrong."""
