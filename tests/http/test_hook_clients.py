"""Incoming webhooks, posted to by programs that others wrote, and with what such programs send. One that needs Node is tried
by bin/test --clients; Alertmanager, if it is installed (Debian: apt install prometheus-alertmanager).
"""

import json
import os
import shutil
import subprocess

import apprise
import httpx
import pytest
from slack_sdk.webhook import WebhookClient

from tests.http.test_boards import promoted
from tests.http.test_hooks import bodies, make_hook
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import ROOT, until

NODE = ROOT / "tests" / "node"
ALERTMANAGER = os.environ.get("ALERTMANAGER") or shutil.which("prometheus-alertmanager")


@pytest.fixture(scope="module")
def hook(tmp_path_factory):
    """A server, and the path of a webhook there."""
    from tests.support.server import Server

    server = Server(tmp_path_factory.mktemp("hooks"))
    yield server, make_hook(promoted(server))[0]
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_slack_s_own_client_posts(hook):
    """https://github.com/slackapi/python-slack-sdk: text, blocks and attachments; its answer is what its docs assert."""
    server, path = hook
    client = WebhookClient(server.url + path)
    answer = client.send(text="Deployed <https://example.org/12|#12> to *production*")
    assert (answer.status_code, answer.body) == (200, "ok")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Disk* is at 91 %"}}, {"type": "divider"}]
    answer = client.send(text="Disk is at 91 %", blocks=blocks, attachments=[{"text": "on `db1`", "color": "#c00"}])
    assert (answer.status_code, answer.body) == (200, "ok")
    assert bodies(server)[-2:] == [
        "Deployed [#12](https://example.org/12) to **production**",
        "**Disk** is at 91 %\non `db1`",
    ]
    wrong = WebhookClient(server.url + path[:-1]).send(text="x")
    assert (wrong.status_code, wrong.body) == (404, "no_service")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what its other plugins import
@pytest.mark.parametrize(
    ("way", "shown"),
    [
        ("mmost://{host}/{one}", ["The river", "It is rising"]),
        ("rocket://{id}/{secret}@{host}", ["The river", "It is rising"]),
        ("json://{host}/hooks/{id}/{secret}", ["**The river**\nIt is rising"]),
        ("form://{host}/hooks/{id}/{secret}", ["**The river**\nIt is rising"]),
        ("mmost://{host}/{one}0", None),
    ],
)
def test_apprise_notifies(hook, way, shown):
    """https://github.com/caronc/apprise: as Mattermost (whose address has one part), as Rocket.Chat, and as JSON."""
    server, path = hook
    _, _, id, secret = path.split("/")
    notifier = apprise.Apprise()
    address = way.format(host=f"127.0.0.1:{server.port}", id=id, secret=secret, one=f"{id}x{secret}")
    assert notifier.add(address)
    before = bodies(server)
    assert bool(notifier.notify(title="The river", body="It is rising")) is (shown is not None)
    new = bodies(server)[len(before) :]
    assert all(words in "\n".join(new) for words in shown or ()) and len(new) == (shown is not None)


@pytest.mark.skipif(not ALERTMANAGER, reason="Alertmanager is not installed: apt install prometheus-alertmanager")
def test_alertmanager_reports_an_alert(hook, tmp_path):
    """https://github.com/prometheus/alertmanager, with nothing set up but the address."""
    server, path = hook
    port = free_port()
    config = tmp_path / "alertmanager.json"  # JSON is YAML
    receiver = {
        "name": "board",
        "slack_configs": [{"api_url": server.url + path, "channel": "#any", "send_resolved": True}],
    }
    config.write_text(json.dumps({"route": {"receiver": "board", "group_wait": "0s"}, "receivers": [receiver]}))
    command = [ALERTMANAGER, f"--config.file={config}", f"--storage.path={tmp_path}", f"--web.listen-address=127.0.0.1:{port}",
               "--cluster.listen-address="]  # fmt: skip
    with (
        (tmp_path / "log").open("w") as log,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):
        program = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(lambda: is_ready(client))
            alert = {"labels": {"alertname": "Flood", "river": "Thames"}, "annotations": {"summary": "Rising"}}
            client.post("/api/v2/alerts", json=[alert]).raise_for_status()
            until(lambda: "Flood" in bodies(server)[-1])
        finally:
            program.kill()
            program.wait()
    said = (tmp_path / "log").read_text()
    assert bodies(server)[-1].startswith("**[FIRING:1]") and "Notify attempt failed" not in said


def is_ready(client):
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.clients
def test_slack_s_client_for_node_posts(hook):
    """https://github.com/slackapi/node-slack-sdk, @slack/webhook."""
    server, path = hook
    run = subprocess.run(
        ["node", NODE / "webhook.mjs", server.url + path], cwd=NODE, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (run.returncode, run.stdout) == (0, "ok"), run.stderr
    assert bodies(server)[-1] == "From **Node**"


GRAFANA = {
    "channel": "#alerts",
    "username": "Grafana",
    "icon_emoji": ":warning:",
    "attachments": [
        {
            "color": "#D63232", "title": "[FIRING:1] HighWater Thames (Teddington)",
            "title_link": "https://grafana.example.org/alerting/list",
            "text": "**Firing**\n\nValue: A=2.31\nLabels:\n - alertname = HighWater\n - river = Thames\nAnnotations:\n"
                    " - summary = The gauge is above 2.1 m\nSilence: https://grafana.example.org/alerting/silence/new\n",
            "fallback": "[FIRING:1] HighWater Thames (Teddington)", "footer": "Grafana v11.2.0",
            "footer_icon": "https://grafana.com/static/assets/img/fav32.png", "ts": 1795832736, "mrkdwn_in": ["pretext"],
        }
    ],
}  # fmt: skip
"""As Grafana's contact point of the kind “Slack” sends it: without a text. Its docs name these fields."""
UPTIME_KUMA = {
    "text": "Uptime Kuma Alert",
    "channel": None,
    "username": "Uptime Kuma (bot)",
    "icon_emoji": None,
    "attachments": [
        {
            "color": "#e01e5a",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Boathouse router"}},
                {"type": "section", "fields": [
                    {"type": "mrkdwn", "text": "*Message*\n[Boathouse router] [:red_circle: Down] timeout of 48000ms exceeded"},
                    {"type": "mrkdwn", "text": "*Time (UTC)*\n2026-11-28 02:27:31.111"},
                ]},
                {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Visit Uptime Kuma"},
                                                  "url": "https://kuma.example.org/dashboard/1"}]},
            ],
        }
    ],
}  # fmt: skip
"""As Uptime Kuma's notification of the kind “Slack” sends it, with its message in blocks within an attachment."""


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (GRAFANA, "**[FIRING:1] HighWater Thames (Teddington)**\nhttps://grafana.example.org/alerting/list\n**Firing**\n\nValue: A=2.31\n"),
        (UPTIME_KUMA, "Uptime Kuma Alert\n**Boathouse router**\n**Message**\n[Boathouse router] [:red_circle: Down] timeout"),
    ],
)  # fmt: skip
def test_what_monitors_send_is_shown_whole(hook, payload, shown):
    """Replayed: these programs are in no registry of packages."""
    server, path = hook
    answer = server.client.post(path, json=payload)
    assert answer.content == b"ok" and answer.headers["Content-Type"].startswith("text/plain")
    last = bodies(server)[-1]
    assert last.startswith(shown) and "footer" not in last
    assert server.client.post(path, json=payload).content == b"ok" and bodies(server).count(last) == 1
