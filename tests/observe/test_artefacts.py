"""Rows 33–38 of the operations reference: rules that promtool tests, a dashboard and a page that name what exists."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from iam.observe.catalog import METRICS, markdown
from tests.servers import ROOT

FOLDER = ROOT / "deploy" / "observability"
NAME = re.compile(r"\bgatehouse_\w+")


def rules():
    content = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def exists(name):
    """A metric, or one of the series of a histogram."""
    return name in METRICS or re.sub(r"_(bucket|count|sum)$", "", name) in METRICS


def test_row33_to_row38_rules_are_valid_and_fire_at_their_thresholds():
    checked = subprocess.run(
        ["promtool", "check", "rules", "alerts.yml"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_is_tested_both_ways():
    tests = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
    for rule in rules():
        asked = [one for test in tests for one in test["alert_rule_test"] if one["alertname"] == rule["alert"]]
        assert {bool(one["exp_alerts"]) for one in asked} == {True, False}, rule["alert"]


def test_the_handbooks_six_thresholds_are_there():
    said = {rule["alert"]: rule["expr"] for rule in rules()}
    for alert, end in (
        ("GatehouseRequestLatencyHigh", "> 0.5"),
        ("GatehousePushLatencyHigh", "> 0.1"),
        ("GatehouseProjectionLagHigh", "> 1000"),
        ("GatehouseDatabasePoolFull", "> 0.8"),
        ("GatehouseCacheHitRateLow", "< 0.9"),
        ("GatehouseLoginErrorRateHigh", "> 0.01"),
    ):
        assert said[alert].endswith(end)


def test_rules_and_dashboard_name_only_metrics_that_exist():
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {name for text in [*asked, *(rule["expr"] for rule in rules())] for name in NAME.findall(text)}
    assert names and not [name for name in names if not exists(name)]
    shown = {name for text in asked for name in NAME.findall(text)}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} == set(METRICS), "a metric that nobody sees"


def test_the_page_tells_every_metric_and_alert():
    page = (ROOT / "deploy" / "docs" / "observability.md").read_text()
    assert markdown() in page
    assert not [rule["alert"] for rule in rules() if f"| {rule['alert']} |" not in page]


def test_every_expression_is_promql(tmp_path: Path):
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    groups = [{"name": "panels", "rules": [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]}]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": groups}))
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "panels.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
