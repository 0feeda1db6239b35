"""Plain Python that every rule stands on: context, change, errors, ids, ports."""
