"""zitadel.webkey.v2.WebKeyService: the signing keys of the instance."""

from typing import Any

from iam.api.gen import webkey_v2
from iam.api.lists import stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from oidc import web_keys
from oidc.domain.web_key import KeyConfig

service = Service("zitadel.webkey.v2.WebKeyService")
BITS = {0: 2048, 1: 2048, 2: 3072, 3: 4096}
HASHES = {0: 256, 1: 256, 2: 384, 3: 512}
CURVES = {0: 256, 1: 256, 2: 384, 3: 512}


@service.method
def CreateWebKey(ctx: Context, request: Any) -> Any:
    """Publish a new key; RSA with 2048 bits and SHA-256 when nothing is said."""
    made = web_keys.create_key(ctx, config=_config(request))
    return webkey_v2.CreateWebKeyResponse(id=made.id, creation_date=stamp(made.created_at))


def _config(request: Any) -> KeyConfig:
    try:
        match request.WhichOneof("key"):
            case "ecdsa":
                return KeyConfig("ecdsa", CURVES[request.ecdsa.curve], 0)
            case "ed25519":
                return KeyConfig("ed25519", 0, 0)
            case _:
                return KeyConfig("rsa", BITS[request.rsa.bits], HASHES[request.rsa.hasher])
    except KeyError:
        raise InvalidInput("web_key.config_invalid", field="key") from None


@service.method
def ActivateWebKey(ctx: Context, request: Any) -> Any:
    """Let a key sign; the one before stays published."""
    receipt = web_keys.activate_key(ctx, key_id=request.id)
    return webkey_v2.ActivateWebKeyResponse(change_date=stamp(receipt.changed_at))


@service.method
def DeleteWebKey(ctx: Context, request: Any) -> Any:
    """Stop publishing a key; not the one that signs."""
    receipt = web_keys.remove_key(ctx, key_id=request.id)
    return webkey_v2.DeleteWebKeyResponse(deletion_date=stamp(receipt.changed_at))


@service.method
def ListWebKeys(ctx: Context, request: Any) -> Any:
    """The published keys and which of them signs."""
    return webkey_v2.ListWebKeysResponse(web_keys=[_shown(row) for row in web_keys.list_keys(ctx)])


def _shown(row: Any) -> Any:
    made = webkey_v2.WebKey(
        id=row.id, state=row.state, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
    )
    kind, size = row.config.get("kind", "rsa"), row.config.get("size", 2048)
    match kind:
        case "ecdsa":
            made.ecdsa.curve = next(number for number, curve in CURVES.items() if number and curve == size)
        case "ed25519":
            made.ed25519.SetInParent()
        case _:
            made.rsa.bits = next(number for number, bits in BITS.items() if number and bits == size)
            hashed = row.config.get("hash", 256)
            made.rsa.hasher = next(number for number, hash in HASHES.items() if number and hash == hashed)
    return made
