"""A profile as a TOML file that explains itself, and as a JSON schema for editors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any

import tomli_w
from pydantic import BaseModel

from bench.patients import TestPatient
from bench.profile import Challenge, ExpectedFailure, NeighbourPapers, Profile
from drimbench.profile_words import SECTIONS, WORDS
from spec.oids import INS_NIR_TEST

__all__ = ["as_toml", "json_schema"]

_ROWS: dict[str, type[BaseModel]] = {
    "papers": NeighbourPapers,
    "patients": TestPatient,
    "expected_failures": ExpectedFailure,
    "challenges": Challenge,
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "papers": {
        "neighbour": "dmp",
        "trust": "dmp-autorites.pem",
        "certificate": "structure-auth.pem",
        "key": "structure-auth.key",
        "client_ca": "",
    },
    "patients": {
        "ins": "279035121518989",
        "ins_oid": INS_NIR_TEST,
        "family": "PATIENT",
        "given": "TEST",
        "givens": "",
        "birth_date": date(1979, 3, 1),
        "sex": "F",
        "birthplace": "51215",
        "birthplace_city": "DOMMARTIN",
        "dmp": "ouvert",
    },
    "suites": {"nuit": ["publication", "DB.SO.12"]},
    "expected_failures": {
        "scenario": "SCN-REF-02",
        "reason": "corrigé dans la version 2.1",
        "until": date(2027, 1, 31),
    },
    "challenges": {
        "requirement": "DB.SO.15",
        "argument": "le texte demande d'avertir, pas de garder l'alerte",
        "decision": "",
        "by": "A. Martin",
        "on": date(2026, 11, 22),
    },
}


def as_toml(profile: Profile, *, schema: str = "") -> str:
    """The whole profile, each key explained; what is as by default is written as a comment.

    `schema` is the path of the JSON schema, for editors that know the `#:schema` line.
    """
    lines = [f"#:schema {schema}"] if schema else []
    lines += [
        f"# {SECTIONS['']}",
        "#",
        "#   drimbench run --profile CE-FICHIER",
        "#",
        "# Une ligne en commentaire montre la valeur par défaut. « env:NOM » prend la valeur d'une",
        "# variable d'environnement : c'est ainsi que s'écrit un secret. Elle n'est montrée nulle",
        "# part, sauf celle d'un nom, d'une adresse ou de l'identité du produit.",
        "",
    ]
    tables: list[str] = []
    for key, value in profile:
        if isinstance(value, BaseModel):
            lines_of = _table(key, value, type(value)())
        elif key in SECTIONS:
            lines_of = _free(key, value)
        else:
            lines += [*_key(key, key, value, Profile.model_fields[key].get_default()), ""]
            continue
        tables += [*lines_of, ""]
    return "\n".join([*lines, *tables]).rstrip() + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON schema of a profile, in French."""
    schema = Profile.model_json_schema()
    schema["title"], schema["description"] = "Profil drimbench", SECTIONS[""]
    definitions = schema["$defs"]
    for key, property in schema["properties"].items():
        property["description"] = SECTIONS.get(key) or WORDS[key]
        name = _definition(property)
        if "properties" in definitions.get(name, ()):
            definitions[name].pop("description", None)
            for inner, described in definitions[name]["properties"].items():
                described["description"] = WORDS[f"{key}.{inner}"]
    return schema


def _definition(property: dict[str, Any]) -> str:
    reference = property.get("$ref") or property.get("items", {}).get("$ref", "")
    return str(reference).rpartition("/")[2]


def _table(name: str, table: BaseModel, usual: BaseModel) -> Iterator[str]:
    yield f"# {SECTIONS[name]}"
    yield f"[{name}]"
    for key, value in table:
        yield from _key(f"{name}.{key}", key, value, getattr(usual, key))


def _free(name: str, value: Any) -> Iterator[str]:
    """A table whose keys are the user's, or a list of tables."""
    yield f"# {SECTIONS[name]}"
    if isinstance(value, tuple):
        model = _ROWS[name]
        for row in value:
            yield f"[[{name}]]"
            yield from (f"{key} = {_toml(inner)}" for key, inner in row)
        if not value:
            yield f"# [[{name}]]"
            for key in model.model_fields:
                yield f"# {key} = {_toml(_EXAMPLES[name][key])}  # {WORDS[f'{name}.{key}']}"
        return
    yield f"[{name}]"
    yield from (f"{_toml_key(key)} = {_toml(inner)}" for key, inner in value.items())
    if not value and name in _EXAMPLES:
        yield from (f"# {key} = {_toml(inner)}" for key, inner in _EXAMPLES[name].items())


def _key(path: str, key: str, value: Any, usual: Any) -> Iterator[str]:
    yield f"# {WORDS[path]}"
    yield f"{'# ' if value == usual else ''}{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml_key(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")


def _toml_key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
