"""The log: facts in streams, append-only, chained by digest. It knows no word of the domain."""
