"""/debug/metrics: what it tells, whom, and that its labels stay closed."""

import secrets

import pytest
from django.conf import settings
from django.test import Client

from eventstore.models import EventRow
from iam.followers import follow_now
from iam.observe import exposition, meter
from iam.observe.catalog import METRICS
from projections.models import Checkpoint, Horizon
from tests.conftest import HOST


@pytest.fixture
def counting():
    made = exposition.start()
    yield made
    exposition.stop()


def begin_at_the_first_fact():
    """Rolled-back tests leave holes in PostgreSQL's sequence: the horizon starts behind them."""
    first = EventRow.objects.order_by("position").values_list("position", flat=True).first()
    Horizon.objects.update_or_create(id=1, defaults={"position": first - 1, "waiting_for": 0})


def scrape(web, **headers):
    return web.get("/debug/metrics", headers=headers)


def value(text, start):
    """The sum of the series that begin like this."""
    found = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start)]
    return sum(found)


def test_row33_requests_are_timed_by_wire_method_route_and_outcome(counting, house, api, web):
    api.get(f"/v2/users/{house.admin}")
    api.get("/v2/users/nobody")
    text = scrape(web).content.decode()
    name = "gatehouse_request_duration_seconds_count"
    label = 'method="GET",outcome="{}",route="/v2/users/{{user_id}}",wire="rest"'
    assert value(text, f"{name}{{{label.format('ok')}}}") == 1
    assert value(text, f"{name}{{{label.format('refused')}}}") == 1


def test_row34_pushes_are_timed_and_facts_counted(counting, house, web):
    house.person("someone")
    text = scrape(web).content.decode()
    assert value(text, "gatehouse_push_duration_seconds_count") >= 1
    assert value(text, "gatehouse_pushed_facts_total") >= value(text, "gatehouse_push_duration_seconds_count")


def test_row35_the_lag_counts_facts_that_were_not_fed(counting, house, web):
    lag = 'gatehouse_projection_lag_facts{projection="hours"}'
    assert value(scrape(web).content.decode(), lag) == EventRow.objects.count()
    begin_at_the_first_fact()
    follow_now()
    text = scrape(web).content.decode()
    assert value(text, lag) == value(text, 'gatehouse_projection_lag_seconds{projection="hours"}') == 0
    house.person("someone")
    text = scrape(web).content.decode()
    assert value(text, lag) > 0
    assert value(text, 'gatehouse_projection_stopped{projection="hours"}') == 0


def test_row47_a_stopped_projection_is_seen(counting, house, web):
    begin_at_the_first_fact()
    follow_now()
    Checkpoint.objects.filter(projection="hours").update(error="ValueError: no", failed_position=3)
    assert value(scrape(web).content.decode(), 'gatehouse_projection_stopped{projection="hours"}') == 1


def test_row36_connections_are_told_on_postgresql(counting, house, web):
    from django.db import connection

    text = scrape(web).content.decode()
    assert value(text, "gatehouse_database_up ") == 1
    if connection.vendor == "postgresql":
        assert value(text, "gatehouse_postgres_connections_max ") == settings.CONFIG.Database.Postgres.MaxOpenConns
        assert 0 < value(text, "gatehouse_postgres_connections_in_use ") <= 10
        assert value(text, "gatehouse_postgres_server_connections ") > 0
        assert value(text, "gatehouse_postgres_server_connections_max ") == 200


def test_row38_sign_ins_are_counted_by_outcome(counting, house, web):
    from users.commands import sessions

    person = house.person()
    id = sessions.create_session(house.system)
    sessions.check_user(house.system, session_id=id, user_id=person)
    sessions.check_password(house.system, session_id=id, user_id=person, password="Correct-Horse-9")
    for _ in range(5):
        with pytest.raises(Exception, match=r"password\."):
            sessions.check_password(house.system, session_id=id, user_id=person, password="wrong")
    text = scrape(web).content.decode()
    counted = {one: value(text, f'gatehouse_sign_ins_total{{outcome="{one}"}}') for one in ("ok", "failed", "refused")}
    assert counted["ok"] == 1
    assert counted["failed"] + counted["refused"] == 5


def test_every_metric_is_told(counting, house, web):
    text = scrape(web).content.decode()
    assert not [name for name in METRICS if f"# HELP {name.removesuffix('_total')}" not in text]
    assert value(text, "gatehouse_hashing_room ") > 0
    assert value(text, "gatehouse_process_resident_bytes ") > 1e7
    assert 'gatehouse_outbox_messages{state="queued"}' in text


def test_h10_labels_do_not_grow_with_what_attackers_send(counting, house, web):
    for _ in range(3):
        web.get("/somewhere")
        web.generic("BREW", "/somewhere", headers={"x-request-id": "x"})
    before = len(scrape(web).content.splitlines())
    for _ in range(200):
        word = secrets.token_hex(8)
        web.get(f"/{word}", headers={"x-request-id": word, "user-agent": word, "traceparent": word})
        web.generic(word.upper(), f"/v2/users/{word}")
        web.get(f"/v2/users/{word}?{word}={word}")
        meter.add("gatehouse_sign_ins_total", outcome=word)
        meter.add("gatehouse_cache_hits_total", cache=word)
    text = scrape(web).content.decode()
    assert len(text.splitlines()) - before < 100
    assert word not in text and word.upper() not in text


def test_h10_a_metric_has_only_so_many_series(counting, monkeypatch):
    monkeypatch.setattr(meter, "MOST_SERIES", 10)
    for number in range(50):
        meter.add("gatehouse_request_duration_seconds", 1, wire="rest", method="GET", route=f"/{number}", outcome="ok")
    assert len([line for line in counting.text().decode().splitlines() if "_seconds_count{" in line]) == 10


PEERS = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.2.3.4", "192.168.1.1", "fd00::1", "203.0.113.9", "", "x")
SEEN = {
    "by default": ("", "", PEERS[:3]),
    "of proxies": ("10.0.0.0/8", "", PEERS[:4]),
    "of networks": ("", "10.0.0.0/8,fd00::/8", (*PEERS[:4], "fd00::1")),
    "by everybody": ("", "0.0.0.0/0,::/0", PEERS),
}


@pytest.mark.parametrize(("proxies", "networks", "may"), SEEN.values(), ids=SEEN)
def test_h11_figures_are_for_the_loopback_and_networks_that_are_named(
    counting, house, monkeypatch, proxies, networks, may
):
    monkeypatch.setattr(settings.CONFIG, "TrustedProxies", proxies)
    monkeypatch.setattr(settings.CONFIG.Metrics, "Networks", networks)
    for peer in PEERS:
        client = Client(HTTP_HOST=HOST, REMOTE_ADDR=peer)
        assert client.get("/debug/metrics").status_code == (200 if peer in may else 404), peer
    for header in ("x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip"):
        told = {header: "for=127.0.0.1" if header == "forwarded" else "127.0.0.1"}
        assert scrape(Client(HTTP_HOST=HOST), **told).status_code == (200 if networks.startswith("0") else 404)


def test_h11_with_a_token_only_who_has_it(counting, house, web, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.Metrics, "Token", "scraper-secret")
    assert scrape(web).status_code == 404
    assert scrape(web, authorization="Bearer wrong").status_code == 404
    outside = Client(HTTP_HOST=HOST, REMOTE_ADDR="203.0.113.9")
    assert scrape(outside, authorization="Bearer scraper-secret").status_code == 200


def test_switched_off_the_page_is_not_there(counting, house, web, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.Metrics, "Type", "none")
    assert scrape(web).status_code == 404


def test_a_figure_that_cannot_be_had_costs_no_other(counting, house, web, monkeypatch):
    def broken():
        raise RuntimeError("no")

    monkeypatch.setattr(meter, "_of_database", [broken, *meter._of_database])
    assert value(scrape(web).content.decode(), "gatehouse_database_up ") == 1
