"""One file per grant of the token endpoint. A grant turns a form into an Order; the endpoint does the rest."""
