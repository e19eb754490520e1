"""The professional's browser: contextual call, login, pages and forms."""

from simulators.user.browser import (
    CIBA_FIELD,
    CIBA_FORM,
    User,
    UserConfig,
    UserError,
    keys_of,
)
from simulators.user.page import Button, Form, Link, Page

__all__ = [
    "CIBA_FIELD",
    "CIBA_FORM",
    "Button",
    "Form",
    "Link",
    "Page",
    "User",
    "UserConfig",
    "UserError",
    "keys_of",
]
