"""The files for Fly.io and Render, as far as they can be known here: no platform has read them in a test."""

import re
import tomllib
import urllib.parse

import httpx
import yaml

from net import drain
from settings import read_settings
from tests.deploy.test_deploy import answers, begun, platform
from tests.support.patience import PATIENCE
from tests.support.server import ROOT, until

FLY = tomllib.loads((ROOT / "fly.toml").read_text())
CHECK = {"grace_period", "interval", "timeout", "method", "path", "protocol"}
FLY_KEYS = {
    "": {"app", "primary_region", "kill_signal", "kill_timeout", "build", "env", "mounts", "http_service", "vm"},
    "build": {"dockerfile"},
    "mounts": {"source", "destination", "initial_size", "snapshot_retention", "scheduled_snapshots"},
    "http_service": {"internal_port", "force_https", "auto_stop_machines", "auto_start_machines", "concurrency", "checks"},
    "http_service.concurrency": {"type", "soft_limit", "hard_limit"},
    "http_service.checks": CHECK,
    "vm": {"size", "memory", "cpus", "cpu_kind"},
}  # fmt: skip
"""What https://fly.io/docs/reference/configuration/ has, of what a board may need."""
RENDER = yaml.safe_load((ROOT / "render.yaml").read_text())
WEB = RENDER["services"][0]
RENDER_KEYS = {
    "": {"services"},
    "services": {"type", "name", "runtime", "plan", "region", "branch", "numInstances", "buildCommand", "startCommand",
                 "healthCheckPath", "maxShutdownDelaySeconds", "disk", "envVars"},
    "services.disk": {"name", "mountPath", "sizeGB"},
    "services.envVars": {"key", "value", "generateValue", "sync"},
}  # fmt: skip
"""What https://render.com/docs/blueprint-spec has, of what a board may need."""
ENDING = drain.DRAIN_SECONDS + drain.LEAVE_SECONDS


def unknown(value, keys, place=""):
    """The paths of all keys that are not in the list for their place; a place without a list takes any."""
    if isinstance(value, list):
        return [one for item in value for one in unknown(item, keys, place)]
    if not isinstance(value, dict) or place not in keys:
        return []
    found = [f"{place}.{key}".lstrip(".") for key in value.keys() - keys[place]]
    return found + [
        one for key, item in value.items() for one in unknown(item, keys, f"{place}.{key}".lstrip("."))
    ]  # fmt: skip


def test_a_key_that_a_platform_does_not_know_is_found():
    assert unknown({"ap": "x", "vm": [{"memory": "1gb", "mem": 1}], "env": {"ANY": "1"}}, FLY_KEYS) == ["ap", "vm.mem"]


def test_fly_toml_fits_the_image_and_the_server():
    """Port, volume and settings are those of the Dockerfile; each is known, and taken by the server."""
    dockerfile = (ROOT / FLY["build"]["dockerfile"]).read_text()
    service, limits, checks = FLY["http_service"], FLY["http_service"]["concurrency"], FLY["http_service"]["checks"]
    assert unknown(FLY, FLY_KEYS) == []
    assert f"\nEXPOSE {service['internal_port']}\n" in dockerfile
    assert f"\nVOLUME {FLY['mounts']['destination']}\n" in dockerfile
    made_there = dict(re.findall(r"(\w+)=(\S+)", re.search(r"\nENV ((?:.*\\\n)*.*)", dockerfile)[1]))
    settings = read_settings([], FLY["env"] | made_there)
    assert settings.database_url.startswith(f"sqlite:///{FLY['mounts']['destination']}/")
    assert settings.port == service["internal_port"] and settings.address == "0.0.0.0"
    assert settings.public_url == f"https://{FLY['app']}.fly.dev" and settings.client_header == "Fly-Client-IP"
    assert service["force_https"] and [check["path"] for check in checks] == ["/healthz"]
    assert FLY["kill_signal"] == "SIGTERM" and FLY["kill_timeout"] > ENDING
    assert limits["type"] == "requests" and settings.max_parked < limits["soft_limit"] < limits["hard_limit"]


def test_fly_toml_has_one_machine_and_it_stays():
    """A second one would be another board, and one that is stopped would answer no open page."""
    service = FLY["http_service"]
    assert isinstance(FLY["mounts"], dict) and len(FLY["vm"]) == 1 and "processes" not in FLY
    assert service["auto_stop_machines"] == "off" and service["auto_start_machines"] is True


def test_render_yaml_is_for_one_instance_with_a_disk():
    """Its settings are known and taken; the board is on the disk, which no free plan has."""
    assert unknown(RENDER, RENDER_KEYS) == [] and len(RENDER["services"]) == 1
    assert (WEB["type"], WEB["runtime"], WEB["numInstances"]) == ("web", "python", 1) and WEB["plan"] != "free"
    assert WEB["buildCommand"] == "pip install -r requirements.txt" and WEB["maxShutdownDelaySeconds"] > ENDING
    settings = read_settings([], values() | {"METRICS_TOKEN": "0123456789abcdef" * 3})
    assert settings.database_url.startswith(f"sqlite:///{WEB['disk']['mountPath']}/")
    asked = [one["key"] for one in WEB["envVars"] if one.get("sync") is False]
    made = [one["key"] for one in WEB["envVars"] if one.get("generateValue")]
    assert asked == ["PUBLIC_URL"] and made == ["METRICS_TOKEN"]


def values():
    return {one["key"]: one["value"] for one in WEB["envVars"] if "value" in one}


def test_render_s_command_starts_a_board_that_is_well(tmp_path):
    """By the shell, with PORT in the environment; a check with the board's name, as Render's has it, finds it well.

    What Cloudflare says of the client counts, whatever is in X-Forwarded-For.
    """
    own = {"PUBLIC_URL": "https://board.example.org", "METRICS_TOKEN": "0123456789abcdef" * 3}
    env = platform(tmp_path, **{name: value for name, value in values().items() if name != "DATABASE_URL"}, **own)
    with begun(WEB["startCommand"], env, tmp_path) as url:
        health = urllib.parse.urljoin(url, WEB["healthCheckPath"])
        until(lambda: answers(health))
        headers = {
            "Host": "board.example.org",
            "CF-Connecting-IP": "192.0.2.7",
            "X-Forwarded-For": "203.0.113.5, 10.1.2.3",
        }
        headers["Authorization"] = f"Bearer {own['METRICS_TOKEN']}"
        assert httpx.get(health, headers=headers, timeout=PATIENCE).json()["client"] == "192.0.2.7"
