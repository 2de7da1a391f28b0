"""Models that datamodel-code-generator makes of the description take what the board says."""

import importlib
import sys

import pytest

from tests.support.generated import TOOLS, made
from tests.support.people import Person

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def models(tmp_path_factory, shared_servers):
    folder = tmp_path_factory.mktemp("models")
    served = folder / "openapi.json"
    served.write_bytes(shared_servers("on").get("/api/v1/openapi.json").content)
    made(
        TOOLS / "datamodel-codegen", "--input", served, "--input-file-type", "openapi", "--output-model-type",
        "pydantic_v2.BaseModel", "--output", folder / "made_by_datamodel_codegen.py", folder=folder,
    )  # fmt: skip
    sys.path.insert(0, str(folder))
    yield importlib.import_module("made_by_datamodel_codegen")
    sys.path.remove(str(folder))


def test_answers_are_what_the_models_say(models, server):
    """A poll's, with a deletion in it; a page of history; a search; an account; a refusal."""
    person, before = Person(server), server.cursor
    kept, gone = person.post("kept words"), person.post("gone words")
    person.api.delete(f"/api/v1/messages/{gone['id']}")
    poll = models.Messages.model_validate(server.get(f"/api/v1/messages?after={before}").json())
    assert [type(changed.root).__name__ for changed in poll.messages] == ["Message", "Deleted"]
    page = server.get(f"/api/v1/messages?before={gone['id']}&limit=1").json()
    assert models.Messages.model_validate(page).messages[0].root.id == kept["id"]
    assert models.Found.model_validate(server.get("/api/v1/search?q=kept").json()).messages[0].body == "kept words"
    assert models.AccountReply.model_validate(person.api.get("/api/v1/me").json()).account.id == person.id
    assert models.ErrorReply.model_validate(server.get("/api/v1/messages/0").json()).error.code == "not_found"


def test_fields_to_come_do_not_break_a_model_of_today(models):
    """Nothing forbids them."""
    message = {"id": 1, "body": "x", "author": {"id": 2, "name": "Ada", "picture": "/p"}, "edited_at": None}
    assert models.Message.model_validate(message | {"created_at": "2031-11-23T18:27:03.123Z", "reply_to": 0}).id == 1
