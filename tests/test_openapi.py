"""The API's description is true: generated requests, good and bad, get only answers that it names."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from handlers.openapi import description
from settings import read_settings
from tests.conftest import ROOT, Server
from tests.people import PASSWORD, Person
from tests.test_docs import run

schema = schemathesis.openapi.from_dict(description(read_settings([], {})))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("openapi"), poll_seconds=1)
    server.person = Person(server, "schema_owner")
    server.bot = server.person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    yield server
    assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, board):
    """No request, however made up, gets a fault, or an answer that the description doesn't know."""
    signs_out = case.path.endswith("signout")
    headers = {} if signs_out else {"Authorization": board.person.api.headers["Authorization"]}
    response = case.call(base_url=board.url, headers=headers)
    case.validate_response(response, excluded_checks=beyond_schema(response))


def beyond_schema(response):
    """Checks that don't know of refusals which a schema can't describe: a common password, NUL, a used invitation."""
    if response.status_code == 400 and not response.content:  # what is no HTTP gets Tornado's bare 400
        return CHECKS.get_all()
    code = response.json()["error"]["code"] if response.status_code >= 400 else ""
    if response.status_code == 410:
        return CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])
    if response.status_code == 422 or code.endswith("_not_text"):
        return CHECKS.get_by_names(["positive_data_acceptance"])
    return []


def test_the_description_names_every_route_of_the_api(board):
    """Nothing is left out, nothing made up."""
    from handlers import ROUTES

    described = set(board.get("/api/v1/openapi.json").json()["paths"])
    routes = {re.sub(r"\([^)]*\)", "{id}", route[0]) for route in ROUTES if route[0].startswith("/api/v1/")}
    assert described == routes - {r"/api/v1/openapi\.json"}


def test_the_curl_lines_of_the_api_page_work(start):
    """Whoever types along on /api gets what it says."""
    server = start()
    page = server.get("/api").text
    lines = re.findall(r"^(?:<pre><code>)?(curl .*?)(?:</code></pre>)?$", page, re.MULTILINE)
    assert len(lines) == 7
    commands = [
        line.replace("&#x27;", "'").replace("&#39;", "'").replace("<i>cursor</i>", "$cursor&wait=0").replace("<i>token</i>", "$token")
        for line in lines
    ]  # fmt: skip
    commands[1] = commands[1].replace("'", '"')
    commands[5], commands[6] = (
        command.replace("'Authorization: Bearer $token'", '"Authorization: Bearer $token"') for command in commands[5:7]
    )
    commands[0] = f'cursor=$({commands[0]} | sed \'s/.*cursor":"//; s/".*//\'); echo $cursor'
    commands[4] = f'token=$({commands[4]} | sed \'s/.*token":"//; s/".*//\'); echo $token'
    printed = run(commands, server)
    assert printed[0].endswith("-0") and '"messages":[]' in printed[1]
    assert '"body":"Hello from a script"' in printed[2] and '"username":"ada"' in printed[3]
    assert printed[4].startswith("lb_") and '"name":"ada"' in printed[5] and printed[6] == ""
    assert PASSWORD not in page and (ROOT / "templates/api.html").exists()
