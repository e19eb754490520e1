"""Quand le PACS local ne prend pas tout."""

from __future__ import annotations

from pytest_bdd import given, then

from bench.breaking import Breaking
from bench.consulting import Consulting
from bench.exporting import Exporting
from bench.undone import expect_undone
from simulators.modality import JPEG_LS_LOSSLESS


@given("un examen CT de 1 série en JPEG-LS de ce patient à une Source de la liste blanche")
def compressed_exam(exporting: Exporting) -> None:
    """The Source gives its images as it has them."""
    exporting.publish(1, transfer_syntax=JPEG_LS_LOSSLESS)


@given("un PACS local qui n'accepte que des images non compressées")
def uncompressed_only(breaking: Breaking) -> None:
    """By negotiation, until the scenario ends."""
    breaking.refuse_compression()


@then("les images sont dans le PACS local, décompressées, de mêmes valeurs")
def undone(consulting: Consulting) -> None:
    """All of them."""
    expect_undone(consulting)
