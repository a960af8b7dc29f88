"""The table: wrong and right settings, and the answer to each.

A row begins with what happened, in the words of the person at the form, with the answer and with
the remedy, if the server has one. Then comes what was typed, where it is not the usual (port 587,
STARTTLS, a login), and what the server is like. To add a row, copy the one in `rows` that is most
like it.
"""

from tests.mail.matrix.rows.broken_server import BROKEN_SERVER
from tests.mail.matrix.rows.certificate import CERTIFICATE
from tests.mail.matrix.rows.login import LOGIN
from tests.mail.matrix.rows.right import RIGHT
from tests.mail.matrix.rows.sender import SENDER
from tests.mail.matrix.rows.wrong_pair import WRONG_PAIR
from tests.mail.matrix.rows.wrong_place import WRONG_PLACE

TABLE = {
    "right settings": RIGHT,
    "wrong pair of port and encryption": WRONG_PAIR,
    "wrong place": WRONG_PLACE,
    "broken server": BROKEN_SERVER,
    "certificate and TLS": CERTIFICATE,
    "login": LOGIN,
    "sender": SENDER,
}
"""The rows by the kind of trouble."""

CASES = tuple(case for rows in TABLE.values() for case in rows)
