"""Addresses that the dialog's texts name; a text itself holds none, so that no translation can."""

from typing import Final

REGISTRATION_LINKS: Final = {
    "project_url": "https://console.cloud.google.com/projectcreate",
    "api_url": "https://console.cloud.google.com/apis/library/gmail.googleapis.com",
    "consent_url": "https://console.cloud.google.com/auth/overview",
    "clients_url": "https://console.cloud.google.com/auth/clients",
    "registrations_url": (
        "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"
    ),
}
"""Where a person registers Home Assistant as a client of Google or Microsoft."""

EXAMPLE_LINKS: Final = {
    "authorize_example": "https://id.example.com/oauth2/authorize",
    "token_example": "https://id.example.com/oauth2/token",
}
"""What the addresses of a provider of one's own look like.

Pages do not break them in the middle: a longer one would not fit a phone.
"""
