"""The phases and the operator's tools."""
