"""The parameters of the API: each is obeyed or refused, as docs/protocol.md says, and each refusal says what is wrong."""

import pytest

from handlers.operations.openapi import description
from settings import read_settings
from tests.support.people import PASSWORD, Person, client, refused


def ids(response):
    assert response.status_code == 200, response.text
    return [message["id"] for message in response.json()["messages"]]


@pytest.fixture(scope="module")
def board(shared_servers):
    """With more messages than an answer has."""
    server = shared_servers("on")
    server.client.cookies.clear()
    for number in range(101):
        server.post(f"parameters {number}")
    return server


@pytest.mark.parametrize(
    "path", ["/api/v1/messages?", "/api/v1/messages?before=999999&", "/api/v1/search?q=parameters&"]
)
def test_a_limit_above_the_most_counts_as_that(board, path):
    """1.0 took it, and clients may send it; the description has the number."""
    most = ids(board.get(f"{path}limit=100"))
    assert len(most) == 100 and ids(board.get(f"{path}limit=101")) == most == ids(board.get(f"{path}limit={10**17}"))


def test_the_description_has_the_greatest_limit():
    """So that a generated client asks for no more than it gets."""
    for path in ("/api/v1/messages", "/api/v1/search"):
        parameters = description(read_settings([], {}))["paths"][path]["get"]["parameters"]
        [limit] = [one["schema"] for one in parameters if one["name"] == "limit"]
        assert (limit["minimum"], limit["maximum"]) == (1, 100)


def test_the_last_of_two_counts(board):
    """In the address and in a form."""
    assert len(ids(board.get("/api/v1/messages?limit=5&limit=6"))) == 6
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = board.client.post("/api/v1/messages", content="body=first&body=last", headers=form)
    assert posted.json()["body"] == "last"


@pytest.mark.parametrize(
    "query", ["wait=20", "before=999999&wait=20", "limit=3&wait=20"]
)  # with a deadline far off, a poll that were parked would be answered with nothing
def test_nothing_waits_without_a_cursor(board, query):
    """There is nothing to wait for; the answer has messages at once."""
    assert ids(board.get(f"/api/v1/messages?{query}"))


def test_what_a_request_does_not_take_is_ignored(board):
    """Links get parameters on their way, and a search has no cursor."""
    assert ids(board.get("/api/v1/search?q=parameters&after=k3f9x2mq-1&fbclid=x")) == ids(
        board.get("/api/v1/search?q=parameters")
    )
    assert ids(board.get("/get?limit=1&before=2&_=3")) == ids(board.get("/get"))


@pytest.mark.parametrize("query", ["q=", "q=%20", "q=%22%22"])
def test_a_query_without_words_finds_nothing(board, query):
    """But one must be there."""
    assert board.get(f"/api/v1/search?{query}").json() == {"messages": [], "older": False}


@pytest.mark.parametrize(
    ("query", "words"),
    [("limit=-1", "“limit” must be 1 or more."), ("limit=0", "“limit” must be 1 or more."),
     ("before=-1", "“before” must be 0 or more."), ("before=1.5", "“before” must be a whole number of at most 18 digits."),
     ("before=" + "9" * 19, "“before” must be a whole number of at most 18 digits."),
     ("before=%D9%A1", "“before” must be a whole number of at most 18 digits."),
     ("before=--1", "“before” must be a whole number of at most 18 digits."),
     ("&".join(f"p{n}=1" for n in range(51)), "more than 50 parameters or fields")],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(board, query, words):
    """A number that is too small is told apart from what is no number."""
    response = board.get(f"/api/v1/messages?{query}")
    assert response.status_code == 400 and words in response.json()["error"]["message"]


def test_a_form_of_too_many_fields_is_told_so(board):
    """In the same words."""
    response = board.client.post("/api/v1/messages", data={f"p{n}": "1" for n in range(51)})
    assert response.status_code == 400 and "50 parameters or fields" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [("GET", "/api/v1/signin", "This address takes only POST."), ("POST", "/get", "This address takes only GET."),
     ("DELETE", "/api/v1/tokens", "This address takes only GET and POST."), ("POST", "/api", "This address takes only GET."),
     ("GET", "/api/v1/tokens/1", "This address takes only DELETE.")],
)  # fmt: skip
def test_another_method_is_refused_with_the_right_one(board, method, path, words):
    """Allow says it to programs, this to people."""
    response = Person(board).api.request(method, path, headers={"Accept": "application/json"})
    assert response.json()["error"] == {"code": "method_not_allowed", "message": words}


def test_a_method_that_nothing_takes_is_refused_where_nothing_is(board):
    """No address could be named that takes it; the answer is a page as elsewhere."""
    answer = board.client.request("FOO", "/nothing")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS") and "takes only" not in answer.text
    assert "Traceback" not in board.log.read_text()


def test_each_refusal_speaks_of_what_was_tried(board):
    """Deleting is not changing, a token is no message, and one's own password is no username."""
    ada, bob = Person(board), Person(board)
    path = f"/api/v1/messages/{ada.post('mine')['id']}"
    words = {
        "PATCH": "Only its author can change a message.",
        "DELETE": "Only its author or a moderator can delete a message.",
    }
    for method, said in words.items():
        json = {"body": "x"} if method == "PATCH" else None
        tried = bob.api.request(method, path, json=json)
        assert refused(tried, 403, "not_yours") and tried.json()["error"]["message"] == said
        tried = board.client.request(method, path, json=json)
        assert refused(tried, 401, "sign_in_first") and tried.json()["error"]["message"] == f"{said} Please sign in."
    for path in ("/api/v1/tokens/abc", "/api/v1/tokens/999999"):
        tried = ada.api.delete(path)
        assert refused(tried, 404, "not_found") and "message" not in tried.json()["error"]["message"]
    tried = ada.api.post("/api/v1/tokens", json={"name": "bot", "password": "not this one"})
    assert refused(tried, 401, "wrong_password") and tried.json()["error"]["message"] == "This is not your password."


def test_a_new_token_is_not_said_to_have_been_used(board):
    """The page says so; in the API, whose clients know a time there, it is the time when it was made."""
    ada = Person(board)
    made = ada.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    assert made["last_used_at"] == made["created_at"]
    browser = ada.browser()
    assert "Not used yet" in browser.get("/account").text
    client(board, made["token"]).get("/api/v1/me")
    assert "Not used yet" not in browser.get("/account").text


def test_a_slash_too_many_leads_to_the_page_for_programs(board):
    """/api/ is what one types."""
    response = board.get("/api/")
    assert response.status_code == 301 and response.headers["Location"] == "/api"


@pytest.mark.parametrize("path", ["/signin", "/signup"])
def test_a_guest_finds_the_page_for_programs(board, path):
    """From where one looks for a way in; the page itself asks for no account."""
    assert 'href="/api"' in board.get(path).text
    assert "Programs read this board" in board.get("/api").text
