"""One organization or one instance as a file: sealed, signed, with its ids, for another server or another instance."""
