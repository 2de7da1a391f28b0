"""What people see of the fake Facebook: the dialog that asks them, and a page to change names or remove the app."""

import urllib.parse
from typing import Any

import tornado.web
from tornado.httpclient import AsyncHTTPClient

from fake_facebook.memory import Memory, Person

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Fake Facebook</title><link rel="icon" href="data:,">
<style>:root{color-scheme:light dark}body{max-width:36rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}
fieldset,section{margin:1rem 0;padding:1rem;border:1px solid #8888;border-radius:.5rem}label{display:block}
button{margin:.25rem .25rem .25rem 0;padding:.4rem 1rem}code{overflow-wrap:anywhere}</style>
<p><b>Fake Facebook</b>, on this machine only. No password, no real people.</p>"""


class PageHandler(tornado.web.RequestHandler):
    memory: Memory

    def initialize(self, memory: Memory) -> None:
        self.memory = memory

    def show(self, template: str, **values: Any) -> None:
        page = tornado.template.Template(HEAD + template)
        self.finish(page.generate(memory=self.memory, **values))

    def person(self, number: str) -> Person:
        person = self.memory.people.get(int(number))
        if person is None:
            raise tornado.web.HTTPError(404)
        return person


class Dialog(PageHandler):
    """GET asks; POST takes the answer back to the app. https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""

    FIELDS = ("client_id", "redirect_uri", "response_type", "scope", "state")

    def asked(self) -> dict[str, str]:
        """Returns the fields of the request. Shows a page and raises Finish if the real dialog would not even ask."""
        asked = {name: self.get_argument(name, "", strip=False) for name in self.FIELDS}
        asked["response_type"] = asked["response_type"] or "code"
        problem = self.memory.problem_with_dialog(*(asked[name] for name in self.FIELDS[:4]))
        if problem:
            self.set_status(400)
            self.show("<h1>Sorry, something went wrong.</h1><p>{{ problem }}</p>", problem=problem)
            raise tornado.web.Finish
        return asked

    def get(self, version: str) -> None:
        self.show(
            """<h1>Log in to the app</h1><form method="post">
            {% for name, value in asked.items() %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% end %}
            <fieldset><legend>Who are you?</legend>{% for person in memory.people.values() %}
            <label><input type="radio" name="person" value="{{ person.number }}"{% if person.number == 1 %} checked{% end %}> {{ person.name }}</label>{% end %}
            </fieldset><p>The app will receive your name and profile picture.</p>
            <button name="answer" value="continue">Continue</button><button name="answer" value="cancel">Cancel</button></form>""",
            asked=self.asked(),
        )

    def post(self, version: str) -> None:
        asked = self.asked()
        state = {"state": asked["state"]} if asked["state"] else {}
        if self.get_argument("answer", "") == "continue":
            person = self.person(self.get_argument("person", "1"))
            answer = {"code": self.memory.give_code(person, asked["redirect_uri"])}
        else:
            answer = {
                "error": "access_denied",
                "error_code": "200",
                "error_description": "Permissions error",
                "error_reason": "user_denied",
            }
        # The real one adds this fragment to every redirect back.
        self.redirect(f"{asked['redirect_uri']}?{urllib.parse.urlencode(answer | state)}#_=_")


class Home(PageHandler):
    """The page where people change their name or remove the app."""

    def get(self) -> None:
        self.show(
            """<h1>People</h1>{% if memory.said %}<section id="said"><p>The app answered:</p><code>{{ memory.said }}</code></section>{% end %}
            {% for person in memory.people.values() %}<section id="person{{ person.number }}"><h2>{{ person.name }}</h2>
            <p>Id for this app: <code>{{ memory.scoped_id(person) }}</code></p>
            <form method="post" action="/people/{{ person.number }}/rename"><input name="name" value="{{ person.name }}" aria-label="Name"><button>Change name</button></form>
            <form method="post" action="/people/{{ person.number }}/deauthorize"><button>Remove the app</button></form>
            <form method="post" action="/people/{{ person.number }}/delete"><button>Have my data deleted</button></form></section>{% end %}"""
        )


class PersonAction(PageHandler):
    async def post(self, number: str, action: str) -> None:
        person, app = self.person(number), self.memory.app
        if action == "rename":
            person.name = self.get_argument("name")
        else:
            self.memory.forget_tokens(person)
            await self.call(app.deauthorize_url if action == "deauthorize" else app.deletion_url, person)
        self.redirect("/", status=303)

    async def call(self, url: str, person: Person) -> None:
        """Calls the app from server to server, as the real one does: a form with one field and no browser's headers."""
        body = urllib.parse.urlencode({"signed_request": self.memory.signed_request(person)})
        client = AsyncHTTPClient()
        try:
            answer = await client.fetch(
                url, method="POST", body=body, user_agent="facebookplatform/1.0", raise_error=False
            )
        except OSError as error:
            self.memory.said = f"nothing: {error.strerror}"
            return
        self.memory.said = f"{answer.code} {(answer.body or b'').decode(errors='replace')}"
