"""The Consumer's web application: contextual call, login, page, exports, logout.

One module by subject, each giving the routes of its own; `application` puts them together. No step
can be skipped: a page is only shown to the professional who logged in for its context, and a
context only exists because of a call. Cookies are SameSite=Lax and every address of a context is
unguessable, so that no other site can make a browser act on it.
"""

from drimbox_ref.consumer.web.application import ConsumerWeb

__all__ = ["ConsumerWeb"]
