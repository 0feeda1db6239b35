"""The API's definitions, and how Python modules are built from them."""
