"""The draft conformity scenarios of a Consumer, SCN_DB/CO.01 and SCN_DB/CO.02, step by step.

What each step demands and the proofs that it asks for are the requirements' (`Requirement.steps`,
`Requirement.proofs`); here is what is done. Paraphrased from ANS's public Squash exports of
2022-2023 (grade `draft`): two exams in the DMP, A of two series and B, whose images a Source holds.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONSUMER_STEPS", "DraftStep"]


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One step: its id in the drafts, and what is done, in French."""

    id: str
    action: str


CONSUMER_STEPS = (
    DraftStep("SCN_DB/CO.01.01", "Appel contextuel depuis le RIS ou le DPI."),
    DraftStep("SCN_DB/CO.01.02", "Authentification par Pro Santé Connect."),
    DraftStep("SCN_DB/CO.01.03", "Recherche des KOS dans le DMP."),
    DraftStep("SCN_DB/CO.01.04", "Choix du KOS de l'examen A et de sa première série."),
    DraftStep("SCN_DB/CO.01.05", "Ouverture de la visionneuse."),
    DraftStep("SCN_DB/CO.01.06", "Demande WADO-RS à la Source."),
    DraftStep("SCN_DB/CO.02.01", "Réponse de la Source, avec perte."),
    DraftStep("SCN_DB/CO.02.02", "Affichage progressif de la première série."),
    DraftStep("SCN_DB/CO.02.03", "Demande de la seconde série dans la visionneuse ouverte."),
    DraftStep("SCN_DB/CO.02.04", "WADO-RS et affichage de cette série, sans perte."),
    DraftStep("SCN_DB/CO.02.05", "Retour à la liste, demande de l'examen B."),
    DraftStep("SCN_DB/CO.02.06", "WADO-RS et affichage de l'examen B."),
    DraftStep("SCN_DB/CO.02.07", "Export de l'examen B vers le PACS local."),
)
