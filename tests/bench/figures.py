"""The figures of single calls, each beside its calibration of the same run, and full beside empty."""

from collections.abc import Mapping, Sequence

from tests.bench.inner import WRITERS, Inner
from tests.bench.loading import get_ready
from tests.bench.rounds import compared, in_turn, measuring, medians, say, timed
from tests.bench.sides import FULL, Bench, started
from tests.bench.wire import Wire, with_token

ROUNDS, BLOCK = 400, 20
SIGN_INS, FEW = 60, 5
PUSHES, PUSH_BLOCK = 16, 240
"""Blocks of pushes, and pushes in each."""
LISTS = 30
SORTS = ("USER_NAME", "FIRST_NAME", "LAST_NAME", "NICK_NAME", "DISPLAY_NAME", "EMAIL", "STATE", "TYPE", "CREATION_DATE")
MOST_SECONDS = 0.1
"""For the first page of a list."""


def figures(bench: Bench) -> None:
    """Prepare, load when rows are asked for, measure, print."""
    get_ready(bench)
    is_full = len(bench.sides) > 1
    inner = {side.name: Inner(side) for side in bench.sides}
    with measuring():
        bench.tidy()
        started(bench.sides)
        ratios = _web(bench, inner)
        if is_full:
            _lists(bench)
        for side in bench.sides:
            side.stop()
        ratios["push"] = _pushes(inner)
    for one in inner.values():
        one.end()
    if is_full:
        say(f"\n{FULL} : empty   " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
        worst = max(ratios.values())
        say(f"the largest is {worst:.2f}; the aim is at most 1.10: {'met' if worst <= 1.1 else 'MISSED'}")


def _web(bench: Bench, inner: Mapping[str, Inner]) -> dict[str, float]:
    """What goes over the web; answers full : empty."""
    wires = {side.name: Wire(side.port, with_token(side.port, bench.house)) for side in bench.sides}
    bare = medians(in_turn({name: timed(wire.bare) for name, wire in wires.items()}, ROUNDS, BLOCK))
    select = medians(in_turn({name: one.block("select") for name, one in inner.items()}, ROUNDS, BLOCK))
    say("bare Django request       " + _told(bare))
    say("prepared point select     " + _told(select))
    found = {}
    for name, blocks in {
        "introspection": {side: timed(wire.introspect) for side, wire in wires.items()},
        "userinfo": {side: timed(wire.userinfo) for side, wire in wires.items()},
        "client-credentials token": {side: timed(wire.new_token) for side, wire in wires.items()},
        "CreateUser": {side: timed(wire.create_user) for side, wire in wires.items()},
    }.items():
        took = medians(in_turn(blocks, ROUNDS, BLOCK))
        say(f"{name:26}{_told(took)}")
        for side, one in took.items():
            say(
                f"{'':26}{side}: {bare[side] / one:.2f} of a bare Django request, {one / select[side]:.1f} point selects"
            )
        found[name] = _ratio(took)
    found["password sign-in"] = _sign_ins(bench, wires, inner)
    return found


def _sign_ins(bench: Bench, wires: Mapping[str, Wire], inner: Mapping[str, Inner]) -> float:
    """A session with a password, beside hashing alone."""
    persons = {side: iter(bench.house.persons * SIGN_INS) for side in wires}

    def sign_in(side: str) -> None:
        status, _ = wires[side].sign_in(next(persons[side]))
        if status != 201:
            raise SystemExit(f"a sign-in answered {status}")

    hashing = medians(in_turn({side: one.block("hash") for side, one in inner.items()}, SIGN_INS, FEW))
    took = medians(in_turn({side: timed(lambda side=side: sign_in(side)) for side in wires}, SIGN_INS, FEW))
    say("argon2id alone            " + _told(hashing))
    say("password sign-in          " + _told(took))
    for side, one in took.items():
        say(f"{'':26}{side}: {hashing[side] / one:.2f} of it hashing")
    return _ratio(took)


def _lists(bench: Bench) -> None:
    """The first page of users by every sort key, in the full database."""
    wire, slowest = Wire(bench.sides[-1].port, bench.house), 0.0
    for sort in SORTS:
        for ascending in (True, False):
            body = {"sortingColumn": f"USER_FIELD_NAME_{sort}", "query": {"limit": 100, "asc": ascending}}
            took = medians(in_turn({FULL: timed(lambda body=body: wire.call("/v2/users", body))}, LISTS, LISTS))
            say(f"first page of users by {sort.lower()}, {'up' if ascending else 'down'}: {took[FULL] * 1000:.1f} ms")
            slowest = max(slowest, took[FULL])
    told = "met" if slowest <= MOST_SECONDS else "MISSED"
    say(f"the slowest takes {slowest * 1000:.1f} ms; the aim is at most {MOST_SECONDS * 1000:.0f} ms: {told}")


def _pushes(inner: Mapping[str, Inner]) -> float:
    """Two facts by 8 connections, beside the bare SQL of the same rows; nothing is served meanwhile."""
    ours = _rates({side: one.crowd("push") for side, one in inner.items()})
    plain = _rates({side: one.crowd("bare push") for side, one in inner.items()})
    for name, rates in (("push of 2 facts", ours), ("bare SQL push", plain)):
        told = ", ".join(f"{side} {rate:.0f} per second" for side, rate in rates.items())
        say(f"{name:26}{told}{compared(rates, more_is_better=True)}")
    for side, rate in ours.items():
        say(f"{'':26}{side}: {rate / plain[side]:.2f} of the bare SQL push ({WRITERS} connections)")
    return 1 / _ratio(ours)


def _rates(blocks: Mapping[str, object]) -> dict[str, float]:
    """Pushes per second: the median over the blocks."""
    return {side: 1 / one for side, one in medians(in_turn(blocks, PUSHES * PUSH_BLOCK, PUSH_BLOCK)).items()}  # type: ignore[arg-type]


def _told(took: Mapping[str, float]) -> str:
    return ", ".join(f"{side} {seconds * 1000:.2f} ms" for side, seconds in took.items()) + compared(took)


def _ratio(by_side: Mapping[str, float]) -> float:
    values: Sequence[float] = list(by_side.values())
    return values[-1] / values[0]
