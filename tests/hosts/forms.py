"""Every form in which a client can write a host, and what it stands for."""

NAME, SECOND, TRUSTED = "login.example.com", "second.example", "trusted.example"


def spellings(name):
    """Label → Host: all of them are one host."""
    return {
        "bare": name,
        "https's port": f"{name}:443",
        "http's port": f"{name}:80",
        "configured port": f"{name}:8443",
        "another port": f"{name}:6666",
        "port zero": f"{name}:0",
        "no port behind the colon": f"{name}:",
        "upper case": name.upper(),
        "upper case, another port": f"{name.title()}:6666",
        "the dot of the root": f"{name}.",
        "the dot of the root and a port": f"{name}.:6666",
    }


KNOWN = [(form, name) for name in (NAME, SECOND) for form in spellings(name).values()]
"""(Host, the name it stands for)"""
UNKNOWN = (
    "evil.example",
    TRUSTED,
    f"{TRUSTED}:443",
    f"{NAME}.evil.example",
    f"evil.{NAME}",
    f"x{NAME}",
    "127.0.0.1",
    "127.0.0.1:6666",
    "[::1]",
    "[::1]:8443",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "_under.example",
)
MALFORMED = (
    "",
    ":",
    ":443",
    ".",
    f".{NAME}",
    f"{NAME}..",
    f"user@{NAME}",
    f"user:secret@{NAME}",
    f"{NAME}@evil.example",
    f"{NAME}:port",
    f"{NAME}:-1",
    f"{NAME}:99999",
    f"{NAME}:443:443",
    f"{NAME},evil.example",
    f"{NAME}, {NAME}",
    f"{NAME} evil.example",
    f"{NAME}/evil",
    f"{NAME}?x",
    f"{NAME}#x",
    f"{NAME}\\evil",
    f"http://{NAME}",
    "login%2eexample.com",
    "l\u00f6gin.example.com",
    "login\u3002example.com",
    "\u212aogin.example.com",
    "[::1",
    "::1",
    "[::1]x",
    "[::1%25eth0]",
    "[]",
    "[1.2.3.4]",
    f"{'a' * 64}.example.com",
    f"{'a.' * 130}com",
)
ORIGINS = {
    "https": (True, 443, ""),
    "https on another port": (True, 8443, ":8443"),
    "http": (False, 80, ""),
    "http on another port": (False, 8080, ":8080"),
    "http on https's port": (False, 443, ":443"),
}
"""Label → (ExternalSecure, ExternalPort, what stands behind the name)"""
