"""People in tests: accounts, and clients that act for them."""

import itertools
import re

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def new_username() -> str:
    return f"person_{next(_numbers)}"


class Person:
    """An account with a client for its token and one for its browser session."""

    def __init__(self, server, username=None, password=PASSWORD, name=None):
        self.server = server
        self.username = username or new_username()
        self.password = password
        fields = {"username": self.username, "password": password} | ({"name": name} if name else {})
        response = server.client.post("/api/v1/signup", json=fields)
        assert response.status_code == 201, response.text
        self.id = response.json()["account"]["id"]
        self.api = client(server, self.sign_in())

    def sign_in(self):
        """A new token."""
        fields = {"username": self.username, "password": self.password}
        response = self.server.client.post("/api/v1/signin", json=fields)
        assert response.status_code == 200, response.text
        return response.json()["token"]

    def browser(self):
        """A new browser session."""
        browser = self.server.open()
        response = browser.post("/signin", data={"username": self.username, "password": self.password})
        assert response.status_code == 303 and browser.cookies, response.text
        return browser

    def post(self, body):
        response = self.api.post("/api/v1/messages", json={"body": body})
        assert response.status_code == 201, response.text
        return response.json()


def client(server, token):
    return server.open(headers={"Authorization": f"Bearer {token}"})


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code, response.text
    return True


def session_of(browser):
    """The secret in a browser's cookie, whose name has the port of the board in it."""
    [secret] = {c.value for c in browser.cookies.jar if re.fullmatch(r"longboard(-\d+)?", c.name)}
    return secret
