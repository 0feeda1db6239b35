"""The rows of the security checklist: which tests try them, and why some have none. `python -m tests.house.checklist`."""

import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent.parent
GROUPS = {
    "R": 23,  # authorization request and redirects
    "C": 18,  # codes, PKCE, refresh, PAR, DPoP
    "J": 12,  # tokens and signatures
    "D": 10,  # client authentication and registration
    "L": 14,  # login state, sessions, CSRF
    "P": 12,  # passwords, throttling, enumeration
    "O": 7,  # one-time codes and recovery
    "W": 8,  # passkeys
    "F": 11,  # federation as client
    "X": 13,  # SAML
    "G": 8,  # LDAP and SCIM
    "T": 14,  # tenancy and rights
    "S": 9,  # outbound requests
    "H": 11,  # host, headers, browser
    "U": 5,  # identifiers and Unicode
    "N": 9,  # exhaustion and parsers
    "E": 15,  # log, privacy, keys, concurrency
}
ROWS = tuple(f"{group}{number:02d}" for group, last in GROUPS.items() for number in range(1, last + 1))

FACTORS = "second factors and passkeys are not built"
PROVIDERS = "signing in through other identity providers is not built"
MISSING: dict[str, str] = {
    "C10": "pushed authorization requests (RFC 9126) are not built",
    "C11": "clients cannot ask to require PAR or DPoP; PKCE is required of every public client (C03)",
    "C12": "DPoP (RFC 9449) is not built",
    "C13": "DPoP (RFC 9449) is not built",
    "C14": "client certificates (RFC 8705) are not built",
    "C16": "token exchange (RFC 8693) is not built",
    "D04": "there is no registration of clients from outside (D05, D06 show that none answers)",
    "L04": FACTORS,
    "L13": "back-channel logout is not built",
    "L14": "impersonation is not built",
    "N06": "pages have offsets, no cursors that a client could forge",
    "E06": "there is no export of a person's data yet",
    **{f"O{number:02d}": "one-time codes as a factor are not built" for number in (1, 2, 5)},
    "O06": "there are no links that sign in",
    "O07": FACTORS,
    **{f"W{number:02d}": "passkeys are not built" for number in range(1, 9)},
    **{f"F{number:02d}": PROVIDERS for number in range(1, 12)},
    **{f"X{number:02d}": "SAML is not built" for number in range(1, 14)},
    **{f"G{number:02d}": "LDAP and SCIM are not built" for number in range(1, 9)},
    "S08": "blocking hooks (actions on requests, responses and functions) are not built; webhooks on events answer nothing",
}
"""Rows without a test, and the part of the product that has to come first. A row leaves this table with its test."""

PARTLY: dict[str, str] = {
    "R09": "only the code flow is offered",
    "R10": "fragment and form_post are not built: discovery names query alone",
    "R20": "acr_values and the claims parameter are not built",
    "R23": "there is no consent page: what a person would have to agree to is refused",
    "R12": "`iss` is in every answer (R11); a client that mixes issuers up is not tried",
    "C01": "after 30 seconds: by an expired code, not by waiting",
    "C05": "there is no grace window",
    "C15": "second factors' policies: " + FACTORS,
    "C06": "other resource: not offered",
    "C17": "resource indicators (RFC 8707) are not built; audiences come from scopes only",
    "J08": "a sibling tenant's key of the same id: keys are looked up by instance (T13)",
    "D01": "the secret in the address is refused for every form endpoint",
    "D02": "PAR is not built",
    "D09": "there is no global not-before; `manage.py restored` ends every token (E13)",
    "L05": FACTORS + "; the device's door asks for every step of the login's table",
    "L06": FACTORS + "; where one is asked for, a session's token is refused",
    "L10": "the option after a factor's change and back-channel logout are not built",
    "L11": "notices are sent; fresh authentication before sensitive changes and undo are not built",
    "P02": "registration, links that sign in, SAML, LDAP, SCIM are not built",
    "P03": "passwords and codes only: there are no factors",
    "P08": "an administrator may set a known password, as the API of the existing clients demands",
    "O03": "codes of letters; as a second factor they are not built",
    "O04": "letters with codes and invitations; there is no registration whose letters could be asked for",
    "T01": "PATs with narrow scopes and project grants' owners have tests of their own; ids that callers choose are T05's",
    "S01": "webhooks and proofs of domains: no providers, metadata or images by URL; the usage report's receivers are the operator's",
    "S07": "a target is not switched off by itself: what waits for it waits together, and is given up after days",
    "T05": "no registration, SCIM or provider mapping; webhooks change nothing",
    "T12": "a domain that was proved is not looked for again: names that lead to somebody never hang on it",
    "N07": "idle connections: the server's limits",
    "N08": "PAR is not built",
    "E05": "queues: the outbox; search indexes do not exist",
    "E07": "TOTP seeds, provider secrets do not exist",
    "E10": "codes, refresh tokens, device codes, user names, e-mail codes, the last owner; the rest does not exist",
    "E14": "there is no support bundle or error report; the usage report has tests of its own",
    "E15": "known flaws need a list from outside: the test holds pins, hashes, names and secrets",
}
"""Rows with a test whose other clauses touch parts that do not exist, or are kept another way."""


@cache
def tried() -> dict[str, tuple[str, ...]]:
    """Row → the tests that carry its id in their names."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in re.findall(r"^(?:async )?def (test_[a-z0-9_]+)", path.read_text(), re.MULTILINE):
            ids = re.match(r"test_((?:[a-z]\d{2}_)+)", name)
            for row in ids[1].upper().split("_") if ids else ():
                if row:
                    found[row].add(name)
    return {row: tuple(sorted(names)) for row, names in found.items()}


def line(row: str) -> str:
    """One row of the table."""
    names = tried().get(row, ())
    told = f"{len(names)} tests: {', '.join(names)}" if names else f"no test: {MISSING.get(row, 'NOBODY SAID WHY')}"
    return f"{row}  {told}" + (f"  [{PARTLY[row]}]" if row in PARTLY else "")


def main() -> None:
    """Print the table and its sum."""
    done = [row for row in ROWS if row in tried()]
    lines = [*map(line, ROWS), f"{len(ROWS)} rows, {len(done)} tested, {len(ROWS) - len(done)} explained"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
