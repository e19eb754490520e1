"""Binds the scenarios of features/publication."""

from pytest_bdd import scenarios

scenarios("publication")
