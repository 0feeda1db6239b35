"""Methods of the API."""
