"""Flags that the commands of the reference share (operations.md §2). The settings read them; here they are only declared."""

from argparse import ArgumentParser


def add_flags(parser: ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--config", action="append", metavar="FILE", help="configuration file; may be repeated")
    parser.add_argument("--steps", action="append", metavar="FILE", help="file with FirstInstance; may be repeated")
    parser.add_argument("--masterkey", metavar="KEY", help="the master key")
    parser.add_argument("--masterkeyFile", "-m", metavar="FILE", help="file with the master key")
    parser.add_argument("--masterkeyFromEnv", action="store_true", help="master key from ZITADEL_MASTERKEY")
    parser.add_argument("--tlsMode", metavar="MODE", help="enabled, external or disabled")
    parser.add_argument("--port", metavar="PORT", help="port to listen on")
    parser.add_argument("--externalDomain", metavar="HOST", help="host of the public origin")
    parser.add_argument("--externalPort", metavar="PORT", help="port of the public origin")
    parser.add_argument(
        "--init-projections",
        nargs="?",
        const="true",
        default="true",
        help="accepted; read tables are filled by the push itself",
    )
