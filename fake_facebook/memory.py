"""What the fake Facebook knows: one app, some people, and the codes and tokens that it has given out."""

import base64
import dataclasses
import hashlib
import hmac
import itertools
import json
import secrets
import time
import urllib.parse

from fake_facebook.errors import GraphError

CODE_SECONDS = 600
TOKEN_SECONDS = 5_183_944  # sixty days, as the real one gives
NAMES = ["Ada Lovelace", "Grace Hopper", "李小龍", "Zoë Müller-Lüdenscheidt"]
SCOPES = {"public_profile", "email"}


@dataclasses.dataclass(frozen=True)
class App:
    """What the app's developer has entered at Facebook."""

    id: str
    secret: str
    redirect_uri: str
    deauthorize_url: str
    deletion_url: str


@dataclasses.dataclass
class Person:
    number: int
    name: str
    has_picture: bool = True


@dataclasses.dataclass
class Code:
    person: Person
    redirect_uri: str
    given_at: float
    used: bool = False


class Memory:
    def __init__(self, app: App, code_seconds: float = CODE_SECONDS) -> None:
        self.app = app
        self.code_seconds = code_seconds
        self.people = {number: Person(number, name, number != 2) for number, name in enumerate(NAMES, 1)}
        self.said = ""
        """What the board answered to the last call, for the page."""
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, Person] = {}
        self._numbers = itertools.count(1)

    def scoped_id(self, person: Person) -> str:
        """The id that a person has for this app, and for no other."""
        digest = hashlib.sha256(f"{self.app.id} {person.number}".encode()).digest()
        return str(10_000_000_000_000_000 + int.from_bytes(digest[:6], "big"))

    # --- the dialog

    def problem_with_dialog(self, client_id: str, redirect_uri: str, response_type: str, scope: str) -> str | None:
        """Returns what the dialog says instead of asking, or None."""
        if client_id != self.app.id:
            return "Invalid App ID: The provided app ID does not look like a valid app ID."
        parts = urllib.parse.urlsplit(redirect_uri)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == "localhost"):
            return "Insecure Login Blocked: You can't get an access token or log in to this app from an insecure page."
        if redirect_uri != self.app.redirect_uri:
            return (
                "URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's "
                "Client OAuth Settings."
            )
        if response_type != "code":
            return "Invalid response_type."
        if unknown := set(scope.replace(",", " ").split()) - SCOPES:
            return f"Invalid Scopes: {', '.join(sorted(unknown))}."
        return None

    def give_code(self, person: Person, redirect_uri: str) -> str:
        code = "AQ" + secrets.token_urlsafe(120)
        self._codes[code] = Code(person, redirect_uri, time.time())
        return code

    # --- the Graph API

    def redeem(self, client_id: str, client_secret: str, redirect_uri: str, code: str) -> str:
        """Returns an access token for the code. Raises GraphError."""
        if not client_id:
            raise GraphError("Missing client_id parameter.", 101)
        if client_id != self.app.id:
            raise GraphError("Error validating application. Cannot get application info due to a system error.", 101)
        if not redirect_uri:
            raise GraphError("Missing redirect_uri parameter.", 191)
        if not hmac.compare_digest(client_secret.encode(), self.app.secret.encode()):
            raise GraphError("Error validating client secret.", 1)
        given = self._codes.get(code)
        if given is None:
            raise GraphError("Invalid verification code format.", 100)
        if redirect_uri != given.redirect_uri:
            words = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"
            raise GraphError(words, 100, 36008)
        if given.used:
            raise GraphError("This authorization code has been used.", 100, 36009)
        if time.time() - given.given_at > self.code_seconds:
            raise GraphError("This authorization code has expired.", 100, 36007)
        given.used = True
        token = f"EAA{secrets.token_hex(60)}"
        self._tokens[token] = given.person
        return token

    def bearer(self, token: str, proof: str) -> Person:
        """Returns the person whose token it is. Raises GraphError."""
        if not token:
            words = "An active access token must be used to query information about the current user."
            raise GraphError(words, 2500)
        person = self._tokens.get(token)
        if person is None:
            raise GraphError("Invalid OAuth access token - Cannot parse access token", 190)
        if not proof:
            words = "API calls from the server require an appsecret_proof argument"
            raise GraphError(words, 100, type="GraphMethodException")
        expected = hmac.new(self.app.secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof.encode(), expected.encode()):
            words = "Invalid appsecret_proof provided in the API argument"
            raise GraphError(words, 100, type="GraphMethodException")
        return person

    def forget_tokens(self, person: Person) -> None:
        """Forgets the person's tokens, because the person has removed the app."""
        self._tokens = {token: one for token, one in self._tokens.items() if one is not person}

    # --- calls to the app

    def signed_request(self, person: Person) -> str:
        about = {"user_id": self.scoped_id(person), "algorithm": "HMAC-SHA256", "issued_at": int(time.time())}
        payload = unpadded(json.dumps(about, separators=(",", ":")).encode())
        return f"{unpadded(hmac.new(self.app.secret.encode(), payload.encode(), hashlib.sha256).digest())}.{payload}"


def unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
