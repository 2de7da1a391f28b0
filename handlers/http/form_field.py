"""The fields of forms: `{% module Field("name", "Name", kind="name") %}` in a template is one of them."""

import tornado.web

KINDS: dict[str, dict[str, str | bool]] = {
    "username": {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    "new-username": {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": "32"},
    "password": {"type": "password", "autocomplete": "current-password"},
    "new-password": {"type": "password", "autocomplete": "new-password"},
    "name": {"autocomplete": "name", "dir": "auto", "lang": ""},
    "bot": {"maxlength": "50", "dir": "auto", "lang": ""},
    "board": {"maxlength": "80", "autocomplete": "off", "dir": "auto", "lang": ""},
    "line": {"maxlength": "200", "autocomplete": "off", "dir": "auto", "lang": ""},
    "slug": {"maxlength": "40", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    "people": {
        "maxlength": "600",
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
        "dir": "auto",
        "lang": "",
    },
    "code": {"data-link": True, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
}
"""What browsers and password managers are told about each kind of field."""


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
        is_bad: bool = False,
        has_focus: bool | None = None,
        is_hidden: bool = False,
        is_optional: bool = False,
    ) -> bytes:
        """`name` is the id if it is not given. `described_by` is the id of a hint that stands elsewhere.

        Without `has_focus`, a refused field has the focus.
        """
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
        return self.render_string("field.html", attributes=given, **names)
