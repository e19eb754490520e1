"""The HTML that a browser sees: login, error, goodbye. French, no script, no outside resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jinja2 import DictLoader, Environment, StrictUndefined

from simulators.psc.professionals import Professional

__all__ = ["error_page", "goodbye_page", "kept_page", "login_page"]

_BASE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{% block title %}{% endblock %} · Pro Santé Connect (simulateur)</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
fieldset { border: 1px solid #888; border-radius: .4rem }
label { display: block; padding: .2rem 0 }
button { font: inherit; padding: .4rem 1rem; margin: 1rem .5rem 0 0 }
small { color: #555 }
</style>
</head>
<body>
<h1>{{ self.title() }}</h1>
{% block body %}{% endblock %}
</body>
</html>
"""

_LOGIN = """{% extends "base" %}
{% block title %}Connexion{% endblock %}
{% block body %}
<p>Le service <strong>{{ client }}</strong> demande à vous identifier.</p>
<form id="psc-login" method="post" action="{{ action }}">
<input type="hidden" name="demande" value="{{ demande }}">
<fieldset>
<legend>Professionnels de test</legend>
{% for each in professionals -%}
<label><input type="radio" name="professionnel" value="{{ each.id }}" required>
{{ each.display }} <small>{{ each.id }}</small></label>
{% endfor -%}
</fieldset>
<button name="action" value="confirmer">Se connecter</button>
<button name="action" value="annuler" formnovalidate>Annuler</button>
</form>
{% endblock %}
"""

_ERROR = """{% extends "base" %}
{% block title %}Erreur{% endblock %}
{% block body %}<p role="alert">{{ message }}</p>{% endblock %}
"""

_GOODBYE = """{% extends "base" %}
{% block title %}Déconnexion{% endblock %}
{% block body %}<p role="status">Vous êtes déconnecté.</p>{% endblock %}
"""

_KEPT = """{% extends "base" %}
{% block title %}Connexion retenue{% endblock %}
{% block body %}<p><a href="{{ address }}">Retour au service</a></p>{% endblock %}
"""

_ENVIRONMENT = Environment(
    loader=DictLoader(
        {"base": _BASE, "login": _LOGIN, "error": _ERROR, "goodbye": _GOODBYE, "kept": _KEPT}
    ),
    autoescape=True,
    undefined=StrictUndefined,
)


def login_page(
    *, action: str, hidden: Mapping[str, str], client: str, professionals: Iterable[Professional]
) -> str:
    """The form by which a test professional says who they are."""
    template = _ENVIRONMENT.get_template("login")
    return template.render(
        action=action, client=client, professionals=list(professionals), **hidden
    )


def error_page(message: str) -> str:
    """What went wrong, when there is nowhere to redirect to."""
    return _ENVIRONMENT.get_template("error").render(message=message)


def goodbye_page() -> str:
    """After a logout without return address."""
    return _ENVIRONMENT.get_template("goodbye").render()


def kept_page(address: str) -> str:
    """The address of return, where whoever reads it may take it elsewhere."""
    return _ENVIRONMENT.get_template("kept").render(address=address)
