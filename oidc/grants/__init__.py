"""One file per grant of the token endpoint; each answers with an Issue or refuses."""
