"""Milestones and the usage report."""
