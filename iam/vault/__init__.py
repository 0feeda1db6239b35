"""Keys at rest: the master key wraps data keys, data keys seal secrets and the keys of persons (DESIGN §5)."""
