"""The rules of signing keys, and the facts and activities of this room."""
