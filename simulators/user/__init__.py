"""The professional's browser: contextual call, login, pages and forms."""

from simulators.user.browser import User, UserConfig, UserError, keys_of
from simulators.user.page import Button, Form, Link, Page

__all__ = ["Button", "Form", "Link", "Page", "User", "UserConfig", "UserError", "keys_of"]
