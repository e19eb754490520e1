"""Binds the scenarios of features/securite."""

from pytest_bdd import scenarios

scenarios("securite")
