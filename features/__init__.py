"""Scenarios in French Gherkin, by domain, tagged with requirement ids; `steps/` is a thin
vocabulary on bench."""

from pathlib import Path

__all__ = ["FEATURES", "STEP_MODULES"]

FEATURES = Path(__file__).resolve().parent
STEP_MODULES = (
    "features.steps.patients",
    "features.steps.publication",
    "features.steps.vie",
    "features.steps.pannes",
    "features.steps.archive",
    "features.steps.liaison",
    "features.steps.services",
    "features.steps.changements",
    "features.steps.compte_rendu",
    "features.steps.produit",
    "features.steps.images",
    "features.steps.liens",
    "features.steps.securite",
    "features.steps.liste_blanche",
    "features.steps.messages",
    "features.steps.jetons",
    "features.steps.requetes",
    "features.steps.tls",
    "features.steps.consultation",
    "features.steps.rudesse",
    "features.steps.exports",
    "features.steps.pacs_local",
    "features.steps.identite",
    "features.steps.connexion_psc",
    "features.steps.connexion_ciba",
    "features.steps.page",
    "features.steps.visualisation",
    "features.steps.projet",
    "features.steps.fourni",
    "features.steps.operateur",
)
