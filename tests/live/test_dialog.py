"""Forms are filled by the names of their fields, and else left as they were shown."""

import pytest

from .client import Json
from .dialog import fill

HOST = {"name": "host", "required": True, "selector": {"text": {}}}
PORT = {"name": "port", "required": True, "default": 587, "selector": {"number": {}}}
USER = {
    "name": "username",
    "optional": True,
    "description": {"suggested_value": "me"},
    "selector": {"text": {}},
}
SECTION = {"name": "more", "type": "expandable", "schema": [PORT, USER]}


@pytest.mark.parametrize(
    ("schema", "values", "answers"),
    [
        ([HOST], {"host": "mail"}, {"host": "mail"}),
        ([HOST], {}, {}),
        ([PORT, USER], {}, {"port": 587, "username": "me"}),
        ([PORT, USER], {"port": 465, "username": None}, {"port": 465}),
        (
            [HOST, SECTION],
            {"host": "a", "port": 1},
            {"host": "a", "more": {"port": 1, "username": "me"}},
        ),
    ],
)
def test_a_form_is_filled(schema: list[Json], values: Json, answers: Json) -> None:
    assert fill(schema, values) == answers
