"""The sealed dossier of a run: proofs as a verifier receives them, and what shows alterations."""
