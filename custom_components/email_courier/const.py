"""Names that are stored and shared."""

from __future__ import annotations

import logging
from typing import Final

DOMAIN: Final = "email_courier"
LOGGER: Final = logging.getLogger(__package__)

DOCUMENTATION: Final = "https://github.com/email-courier/email-courier/blob/main/docs"
EVENT_MAIL: Final = f"{DOMAIN}_mail"
"""The event that something has become of a mail, for one of its recipients."""

EVENT_ACTION: Final = f"{DOMAIN}_action"
"""The event that somebody has pressed a button in a mail, in the shape of the companion app's."""

ANSWER_PATH: Final = f"/api/{DOMAIN}/answer"
ANSWER_TOKEN: Final = "t"
"""Where the buttons of a mail lead, and how the rest of the link is named there."""

SUBENTRY_RECIPIENT: Final = "recipient"
SUBENTRY_REPORT: Final = "report"

SIGNAL_NOTIFIED: Final = f"{DOMAIN}_notified_{{}}"
"""The signal that an action of our own has sent to a recipient, by the id of its subentry."""

SIGNAL_REPORT: Final = f"{DOMAIN}_report_{{}}"
"""The signal that a report has another next or last time, by the id of its subentry."""

SIGNAL_MAIL: Final = f"{DOMAIN}_mail"
"""The signal of what becomes of mail: the account, and the event, None when it was just loaded."""

SIGNAL_ANSWER: Final = f"{DOMAIN}_answer"
"""The signal that somebody has answered a mail: the answer."""

SIGNAL_UNLOADED: Final = f"{DOMAIN}_unloaded"
"""The signal that an account is being unloaded: the id of its entry."""

CONF_ALLOW_PLAIN_LOGIN: Final = "allow_plain_login"
CONF_AUTHORITY: Final = "authority"
CONF_AUTHORIZE_URL: Final = "authorize_url"
CONF_BACKUP_ACCOUNT: Final = "backup_account"
CONF_BACKUP_AFTER: Final = "backup_after"
CONF_BCC: Final = "bcc"
CONF_CA_FILE: Final = "ca_file"
CONF_CC: Final = "cc"
CONF_DELIVERED_AT: Final = "delivered_at"
"""When a test mail of the dialog was last taken; ISO 8601 in UTC, and optional."""
CONF_DEFAULT_SUBJECT: Final = "default_subject"
CONF_DROP_LARGE_ATTACHMENTS: Final = "drop_large_attachments"
CONF_ENCRYPTION: Final = "encryption"
CONF_FINGERPRINT: Final = "certificate_fingerprint"
CONF_FLOOD_LIMIT: Final = "flood_limit"
CONF_HELLO_NAME: Final = "hello_name"
CONF_HIDE_SUBJECTS: Final = "hide_subjects"
CONF_IMPLEMENTATION: Final = "auth_implementation"
CONF_LAYOUT: Final = "layout"
CONF_LOGIN_WITH: Final = "login_with"
CONF_MAX_MAILS: Final = "max_mails"
CONF_MAX_MEGABYTES: Final = "max_megabytes"
CONF_PROVEN_AT: Final = "proven_at"
"""When the dialog's handshake last passed; ISO 8601 in UTC, and optional."""
CONF_REPLACES: Final = "replaces"
"""What automations may still name of the account that was taken over, and whom that wrote to."""
CONF_REPLY_TO: Final = "reply_to"
CONF_SCOPE: Final = "scope"
CONF_SENDER: Final = "sender"
CONF_SENDER_NAME: Final = "sender_name"
CONF_SIGN_IN: Final = "sign_in"
CONF_TENANT: Final = "tenant"
CONF_TEST_RECIPIENT: Final = "test_recipient"
CONF_TIMEOUT: Final = "timeout"
CONF_TO: Final = "to"
CONF_TOKEN_URL: Final = "token_url"
CONF_TRUST_CERTIFICATE: Final = "trust_certificate"
CONF_USE_SIGN_IN: Final = "use_sign_in"
CONF_WAITING_AFTER: Final = "waiting_after"
CONF_WRITE_FIRST: Final = "write_first"

KEPT_OPTIONS: Final = {CONF_LAYOUT: "plain"}
"""What accounts of release 1.0 go on with until their options say otherwise."""


SUBJECT_FIRST_LINE: Final = "first_line"
"""The default subject of accounts made since 1.1.0."""
SUBJECT_HOME_ASSISTANT: Final = "home_assistant"
"""That of accounts made by 1.0.0, and what an account without a choice has."""
SUBJECT_OF_CORE: Final = "Home Assistant"
"""The subject that Home Assistant's own actions give a mail without a title."""

DEFAULT_BACKUP_AFTER: Final = 5
DEFAULT_MAX_MAILS: Final = 10_000
DEFAULT_MAX_MEGABYTES: Final = 1000
DEFAULT_TIMEOUT: Final = 30
DEFAULT_WAITING_AFTER: Final = 30
MIN_TIMEOUT: Final = 5
MAX_TIMEOUT: Final = 300
