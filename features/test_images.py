"""Binds the scenarios of features/images."""

from pytest_bdd import scenarios

scenarios("images")
