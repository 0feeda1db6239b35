"""The instance: a tenant, found by host."""
