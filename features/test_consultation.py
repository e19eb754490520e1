"""Binds the scenarios of features/consultation."""

from pytest_bdd import scenarios

scenarios("consultation")
