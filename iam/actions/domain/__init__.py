"""Rules of targets and executions."""
