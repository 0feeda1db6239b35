"""Every change of an organization."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from iam.access.members import takes_from
from iam.instance.domain.instance import Instance
from iam.instance.settings import settings_of
from iam.kernel.change import Done, Receipt, Removal, Unit, change, remove, transact
from iam.kernel.context import Context
from iam.kernel.errors import AlreadyExists, FailedPrecondition
from orgs.domain.domains import TAIL, Proof, ProofKind, generated_among, generated_domain
from orgs.domain.names import ascii_of
from orgs.domain.org import Org

OWNER = ("ORG_OWNER",)
PURPOSE = "org_domain"
CODE_LENGTH = 32
FILE_PATH = "/.well-known/zitadel-challenge/{code}.txt"
MOST_TAILS = 5
RECORD_NAME = "_zitadel-challenge.{domain}"


@dataclass(frozen=True)
class AskedProof:
    """What to publish, and where it will be looked for."""

    code: str
    where: str


def add_org(ctx: Context, *, name: str, org_id: str = "", owner_id: str = "") -> Receipt:
    """Create an organization; `org_id` may be chosen by the caller. `owner_id` becomes its first administrator."""
    id = org_id or ctx.ports.new_id()

    def work(unit: Unit, tail: str) -> None:
        domain = generated_domain(name, _base(unit), tail=tail)
        unit.change(Org, id, lambda org: org.add(name=name, generated_domain=domain), needs="org.create", owner=id)
        if owner_id:
            unit.change(Org, id, lambda org: org.add_member(owner_id, OWNER))

    return _with_free_domain(ctx, work).receipts[id]


def rename_org(ctx: Context, *, org_id: str, name: str) -> Receipt:
    """Give an organization another name; its generated domain follows, unless it suits that one, too."""

    def work(unit: Unit, tail: str) -> None:
        org, base = unit.load(Org, org_id), _base(unit)
        old = generated_among(org.domains, org.name, base)
        new = generated_among([old], name, base) or generated_domain(name, base, tail=tail)
        unit.change(Org, org_id, lambda org: org.rename(name, old_domain=old, new_domain=new), needs="org.write")

    return _with_free_domain(ctx, work).receipts[org_id]


def _base(unit: Unit) -> str:
    return unit.load(Instance, unit.ctx.instance).primary or "localhost"


def _with_free_domain(ctx: Context, work: Callable[[Unit, str], None]) -> Done:
    """Do what generates a domain: without a tail, and with one where the domain is taken; raises AlreadyExists."""
    tail = ""
    for _ in range(MOST_TAILS):
        try:
            return transact(ctx, partial(work, tail=tail))
        except AlreadyExists as taken:
            if taken.code != "org.domain_already_exists":
                raise
            tail = ctx.ports.secrets.digits(TAIL)
    raise AlreadyExists("org.domain_already_exists", field="name")


def deactivate_org(ctx: Context, *, org_id: str) -> Receipt:
    """Stop an organization's users from signing in."""
    return change(ctx, Org, org_id, Org.deactivate, needs="org.write")


def reactivate_org(ctx: Context, *, org_id: str) -> Receipt:
    """Let an organization's users sign in again."""
    return change(ctx, Org, org_id, Org.reactivate, needs="org.write")


def remove_org(ctx: Context, *, org_id: str) -> Receipt:
    """Delete an organization with everything it owns."""

    def work(unit: Unit) -> None:
        is_default = unit.load(Instance, ctx.instance).default_org == org_id
        unit.change(Org, org_id, lambda org: org.remove(is_default=is_default), needs="org.delete")
        if org_id != ctx.instance:  # then it would be the instance's claims
            unit.release_all_claims_of_owner(Org, org_id)

    return transact(ctx, work).receipts[org_id]


def choose_default_org(ctx: Context, *, org_id: str) -> Receipt:
    """Choose the organization of whoever names none; raises NotFound, FailedPrecondition."""

    def work(unit: Unit) -> None:
        ctx.require("iam.write", ctx.instance)
        unit.load(Org, org_id).must_be_active()
        unit.change(Instance, ctx.instance, lambda one: one.set_default_org(org_id), needs="iam.write")

    return transact(ctx, work).receipts[ctx.instance]


def add_org_domain(ctx: Context, *, org_id: str, domain: str) -> Receipt:
    """Add a domain to an organization; where the policy asks for proof, it counts only once it is verified."""
    needed = settings_of(ctx.instance, org_id).domain.validate_org_domains
    return change(ctx, Org, org_id, lambda org: org.add_domain(domain, needs_proof=needed), needs="org.write")


def ask_domain_proof(ctx: Context, *, org_id: str, domain: str, kind: int) -> AskedProof:
    """Make a code that proves the domain once it is published: 1 in a file over https, 2 in a DNS record."""
    code = ctx.ports.secrets.random(CODE_LENGTH)
    sealed = ctx.ports.secrets.seal(ctx.instance, PURPOSE, code.encode())
    name = domain.strip().lower()
    change(ctx, Org, org_id, lambda org: org.ask_proof(name, kind=kind, code=sealed), needs="org.write")
    name = ascii_of(name)
    file = f"https://{name}{FILE_PATH.format(code=code)}"
    return AskedProof(code, file if kind == ProofKind.FILE else RECORD_NAME.format(domain=name))


def verify_org_domain(ctx: Context, *, org_id: str, domain: str) -> Receipt:
    """Look for the proof and verify the domain; raises FailedPrecondition when it is not there, whatever the reason."""
    name = domain.strip().lower()

    def asked(unit: Unit) -> Proof:
        org = unit.load(Org, org_id)
        ctx.require("org.write", org.owner)
        return org.proof_of(name)

    proof = transact(ctx, asked).result
    found = _is_published(ctx, ascii_of(name), proof)
    receipt = change(ctx, Org, org_id, lambda org: org.prove(name, looked_for=proof, found=found), needs="org.write")
    if not found:
        raise FailedPrecondition("org.domain_verification_failed", field="domain")
    return receipt


def _is_published(ctx: Context, domain: str, proof: Proof) -> bool:
    code = ctx.ports.secrets.open(ctx.instance, PURPOSE, proof.code).decode()
    if proof.kind == ProofKind.RECORD:
        return code in ctx.ports.outside.texts_of_name(RECORD_NAME.format(domain=domain))
    return ctx.ports.outside.text_at(domain, FILE_PATH.format(code=code)).strip() == code


def set_primary_domain(ctx: Context, *, org_id: str, domain: str) -> Receipt:
    """Let login names end with a domain."""
    return change(ctx, Org, org_id, lambda org: org.set_primary_domain(domain), needs="org.write")


def remove_org_domain(ctx: Context, *, org_id: str, domain: str) -> Receipt:
    """Remove a domain from an organization."""
    return change(ctx, Org, org_id, lambda org: org.remove_domain(domain), needs="org.write")


def set_org_metadata(ctx: Context, *, org_id: str, values: Mapping[str, bytes]) -> Receipt:
    """Keep values under keys."""
    return change(ctx, Org, org_id, lambda org: org.set_metadata(values), needs="org.write")


def remove_org_metadata(ctx: Context, *, org_id: str, keys: tuple[str, ...]) -> Receipt:
    """Forget keys."""
    return change(ctx, Org, org_id, lambda org: org.remove_metadata(keys), needs="org.write")


def add_org_member(ctx: Context, *, org_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of an organization."""
    return change(ctx, Org, org_id, lambda org: org.add_member(user_id, roles), needs="org.member.write")


def change_org_member(ctx: Context, *, org_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give an administrator of an organization other roles."""
    return change(ctx, Org, org_id, lambda org: org.change_member(user_id, roles), needs="org.member.write")


def remove_org_member(ctx: Context, *, org_id: str, user_id: str) -> Removal:
    """Take an administrator's rights over an organization."""
    decide = lambda org: org.remove_member(user_id)
    return remove(ctx, Org, org_id, decide, needs="org.member.delete", gone=takes_from(user_id))
