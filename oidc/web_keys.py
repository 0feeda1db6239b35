"""Signing keys: made, activated, rotated with overlap; a parsed key is kept in memory (parsing costs 100 signatures)."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.db.models import F, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from eventstore.events import Event
from iam.cache import kept
from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import Unavailable
from iam.vault import wiring
from oidc.domain.web_key import KeyConfig, KeyState, WebKey
from oidc.jose import BoundKey
from oidc.models import WebKeyRow

PURPOSE = "web_keys"
CURVES = {256: "P-256", 384: "P-384", 512: "P-521"}


def ensure_signing_keys(ctx: Context) -> None:
    """Two keys, one that signs and one to follow it: whoever ends the first one activates another one before."""
    there = WebKeyRow.objects.filter(instance_id=ctx.instance)
    if not there.filter(state=KeyState.ACTIVE).exists():
        rotate(ctx)
    if not there.filter(state=KeyState.INITIAL).exists():
        create_key(ctx, config=KeyConfig())


def rotate(ctx: Context, config: KeyConfig | None = None) -> str:
    """Make a new key sign. The one before stays published, so that its tokens verify until they end (checklist J12)."""
    id = ctx.ports.new_id()
    add = _addition(ctx, config)
    before = _active(ctx)

    def work(unit: Unit) -> None:
        unit.change(WebKey, id, add, needs="iam.web_key.write", owner=ctx.instance)
        _hand_over(unit, before, id)

    transact(ctx, work)
    return id


def create_key(ctx: Context, *, config: KeyConfig) -> Receipt:
    """Publish a new key that does not sign yet: clients learn it before they need it."""
    return change(
        ctx,
        WebKey,
        ctx.ports.new_id(),
        _addition(ctx, config),
        needs="iam.web_key.write",
        owner=ctx.instance,
    )


def activate_key(ctx: Context, *, key_id: str) -> Receipt:
    """Let a published key sign instead of the one before; raises NotFound."""
    ctx.require("iam.web_key.write", ctx.instance)
    before = _active(ctx)
    return transact(ctx, lambda unit: _hand_over(unit, before, key_id)).receipts[key_id]


def remove_key(ctx: Context, *, key_id: str) -> Receipt:
    """Stop publishing a key: what it signed verifies no more. Refused while it signs."""
    return change(ctx, WebKey, key_id, WebKey.remove, needs="iam.web_key.delete", owner=ctx.instance)


def list_keys(ctx: Context) -> "QuerySet[WebKeyRow]":
    """The published keys of the instance."""
    ctx.require("iam.web_key.read", ctx.instance)
    return WebKeyRow.objects.filter(instance_id=ctx.instance).order_by("created_at")


def _addition(ctx: Context, config: KeyConfig | None) -> Callable[[WebKey], list[Event]]:
    wanted = (config or KeyConfig()).check()
    private, public = _pair(wanted)
    sealed = ctx.ports.secrets.seal(ctx.instance, PURPOSE, json.dumps(private).encode())
    return lambda key: key.add(private_key=sealed, public_key=json.dumps(public), config=wanted)


def _active(ctx: Context) -> list[str]:
    rows = WebKeyRow.objects.filter(instance_id=ctx.instance, state=KeyState.ACTIVE)
    return list(rows.values_list("id", flat=True))


def _hand_over(unit: Unit, before: list[str], id: str) -> None:
    for old in before:
        if old != id:
            unit.change(WebKey, old, WebKey.deactivate)
    unit.change(WebKey, id, WebKey.activate)


def _pair(config: KeyConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    key: Key
    match config.kind:
        case "rsa":
            key = RSAKey.generate_key(config.size)
        case "ecdsa":
            key = ECKey.generate_key(CURVES[config.size])  # type: ignore[arg-type]
        case _:
            key = OKPKey.generate_key("Ed25519")
    return key.as_dict(private=True), key.as_dict(private=False)


def signing_key(instance: str) -> BoundKey:
    """The key that signs now; raises Unavailable when there is none. One statement."""
    found = kept.kept(kept.OIDC, instance, ("signing key",), lambda: _signing(instance))
    if found is None:
        raise Unavailable("web_key.none_active")
    return _private(instance, *found)


def of_outer_instance() -> Subquery:
    """Expression: the key that signs at the instance of the outer row, for `key_from`; NULL when there is none."""
    rows = WebKeyRow.objects.filter(instance_id=OuterRef("instance_id"), state=KeyState.ACTIVE)
    parts = JSONObject(id=F("id"), algorithm=F("algorithm"), private_key=F("private_key"))
    return Subquery(rows.annotate(parts=parts).values("parts")[:1], output_field=JSONField())


def key_from(instance: str, parts: Mapping[str, str] | None) -> BoundKey | None:
    """The key that the expression found."""
    return _private(instance, parts["id"], parts["algorithm"], parts["private_key"]) if parts else None


def _signing(instance: str) -> list[str] | None:
    """Id, algorithm and the private part, which stays sealed wherever it is kept."""
    rows = WebKeyRow.objects.filter(instance_id=instance, state=KeyState.ACTIVE)
    row = rows.values_list("id", "algorithm", "private_key").first()
    return list(row) if row else None


@lru_cache(maxsize=256)
def _private(instance: str, id: str, algorithm: str, sealed: str) -> BoundKey:
    return BoundKey(id, algorithm, _parsed(wiring.ports().secrets.open(instance, PURPOSE, sealed).decode()))


@lru_cache(maxsize=1024)
def _public(id: str, algorithm: str, text: str) -> BoundKey:
    return BoundKey(id, algorithm, _parsed(text))


def _parsed(text: str) -> Key:
    content = json.loads(text)
    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    return kinds[content["kty"]].import_key(content)  # type: ignore[no-any-return]


def published(instance: str) -> list[dict[str, Any]]:
    """The key set (RFC 7517 §5): every key that may still verify something; the signing one first."""
    return kept.kept(kept.OIDC, instance, ("published keys",), lambda: _published(instance))


def _published(instance: str) -> list[dict[str, Any]]:
    rows = WebKeyRow.objects.filter(instance_id=instance).order_by("created_at")
    keys = sorted(rows, key=lambda row: row.state != KeyState.ACTIVE)
    return [{**json.loads(row.public_key), "kid": row.id, "use": "sig", "alg": row.algorithm} for row in keys]


def verifying_key(instance: str, kid: str) -> BoundKey | None:
    """A published key by its id."""
    row = WebKeyRow.objects.filter(instance_id=instance, id=kid).first()
    return _public(row.id, row.algorithm, row.public_key) if row else None
