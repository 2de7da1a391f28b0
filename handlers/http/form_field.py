"""The fields of forms: `{% module Field("name", "Name", kind="name") %}` in a template is one of them."""

from collections.abc import Container

import tornado.web

from handlers.http.errors import RefusedError

KINDS: dict[str, dict[str, str | bool]] = {
    "username": {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    "new-username": {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": "32"},
    "password": {"type": "password", "autocomplete": "current-password"},
    "new-password": {"type": "password", "autocomplete": "new-password"},
    "name": {"autocomplete": "name", "dir": "auto", "lang": ""},
    "bot": {"maxlength": "50", "dir": "auto", "lang": ""},
    "board": {"maxlength": "80", "autocomplete": "off", "dir": "auto", "lang": ""},
    "line": {"maxlength": "200", "autocomplete": "off", "dir": "auto", "lang": ""},
    "slug": {
        "maxlength": "40",
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
        "dir": "ltr",
    },
    "people": {
        "maxlength": "600",
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
        "dir": "auto",
        "lang": "",
    },
    "url": {
        "type": "url",
        "maxlength": "1000",
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
        "dir": "ltr",
    },
    "code": {"data-link": True, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
}
"""What browsers and password managers are told about each kind of field."""

PEOPLE = ("invite", "username", "owner")
NEW_PASSWORD = ("new", "password")
REFUSED_FIELDS = {
    "bad_name": ("name",),
    "name_reserved": ("name",),
    "name_differs": ("name",),
    "about_too_long": ("about",),
    "bad_slug": ("slug",),
    "slug_taken": ("slug",),
    "random_slug": ("slug",),
    "rules_too_long": ("rules",),
    "no_such_account": PEOPLE,
    "names_several": PEOPLE,
    "owns_board": PEOPLE,
    "too_many_names": PEOPLE,
    "opens_past": ("read_by",),
    "closes_board": ("read_by",),
    "bad_url": ("url",),
    "bad_username": ("username",),
    "username_taken": ("username",),
    "invite_needed": ("invite",),
    "link_gone": ("invite",),
    "password_length": NEW_PASSWORD,
    "password_common": NEW_PASSWORD,
    "password_not_text": NEW_PASSWORD,
    "wrong_password": ("password",),
}
"""What a refusal is about, by its code: the first of these fields that was sent. Others are about the whole form."""


def field_of(refused: RefusedError, sent: Container[str]) -> str | None:
    """Returns the name of the field at which a refusal stands, among those that were sent."""
    return next((name for name in REFUSED_FIELDS.get(refused.code, ()) if name in sent), None)


class Field(tornado.web.UIModule):
    """A field with its label, its hint, and the sign that it is the refused one."""

    def render(
        self,
        id: str,
        label: str,
        value: str | None = None,
        *,
        kind: str,
        name: str | None = None,
        hint: str = "",
        described_by: str | None = None,
        here: RefusedError | None = None,
        is_bad: bool = False,
        has_focus: bool | None = None,
        is_hidden: bool = False,
        is_optional: bool = False,
    ) -> bytes:
        """`name` is the id if it is not given. `described_by` is the id of a hint that stands elsewhere.

        `here` is the refusal of the field's form: if it is about this field, it stands here. `is_bad` is for a field that
        is refused by words elsewhere. Without `has_focus`, a refused field has the focus.
        """
        is_told = here is not None and field_of(here, self.request.body_arguments) == (name or id)
        is_bad = is_bad or is_told
        is_hidden = is_hidden and not is_bad
        hints = ["refused" if is_bad else None, f"{id}-hint" if hint else described_by]
        attributes = {
            "name": name or id,
            "value": value,
            **KINDS[kind],
            "required": not is_hidden and not is_optional,
            "aria-describedby": " ".join(filter(None, hints)) or None,
            "aria-invalid": "true" if is_bad else None,
            "autofocus": is_bad if has_focus is None else has_focus,
        }
        given = [(key, value) for key, value in attributes.items() if value is not None and value is not False]
        names = {"id": id, "label": label, "hint": hint, "is_hidden": is_hidden, "is_optional": is_optional}
        names["refused"] = here if is_told else None
        return self.render_string("field.html", attributes=given, **names)
