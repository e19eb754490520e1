"""Is the exam that the PACS holds the one of the report? (DB.SO.16, DB.SO.17)."""

from __future__ import annotations

from drimbox_ref.source.values import Ban, FoundStudy, Mismatch, Order, ReportOrder

__all__ = ["CoherenceMatcher"]


class CoherenceMatcher:
    """Compares local patient id and accession numbers.

    Values are compared as they are: an IPP is not a number. Assigning authorities are not
    compared: the requirements speak of values, and archives name authorities in their own ways.
    A patient may have an IPP in each of several domains: where the configuration says which are
    the PACS's, only those count.
    """

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """The orders of the report that this study fulfils, at least one."""
        wrong_patient = self._wrong_patient(report, study)
        if wrong_patient:
            return Mismatch(
                ban=Ban.IPP,
                message=f"{wrong_patient} Aucune publication pour l'examen {study.uid}.",
                advice="Vérifier l'identité du patient dans le RIS et dans le PACS, corriger, "
                "puis renvoyer le compte-rendu.",
            )
        wanted = {order.accession: order for order in report.orders if order.accession}
        unknown = sorted(number for number in study.accessions if number not in wanted)
        if unknown or not study.accessions:
            found = ", ".join(repr(number) for number in unknown) or "aucun numéro"
            expected = ", ".join(repr(number) for number in sorted(wanted)) or "aucun numéro"
            return Mismatch(
                ban=Ban.ACCESSION,
                message=f"Accession number de l'examen dans le PACS : {found} ; compte-rendu : "
                f"{expected}. Aucune publication pour l'examen {study.uid}.",
                advice="Vérifier le rattachement de l'examen à la demande dans le PACS et dans "
                "le RIS, corriger, puis renvoyer le compte-rendu.",
            )
        return tuple(wanted[number] for number in study.accessions)

    def _wrong_patient(self, report: ReportOrder, study: FoundStudy) -> str:
        patient = report.patient
        every = [(patient.ipp, patient.ipp_oid), *patient.other_ipps] if patient.ipp else []
        if not every:
            return "Le message du RIS ne porte pas d'IPP (PID-3, type PI)."
        domains = study.patient_domains
        known = [value for value, oid in every if not domains or oid in domains]
        if not known:
            return (
                f"Le message du RIS ne porte pas d'IPP du domaine du PACS {study.pacs} "
                f"({', '.join(domains)})."
            )
        others = [value for value in study.patient_ids if value not in known]
        if others or not study.patient_ids:
            found = ", ".join(repr(value) for value in others) or "aucun"
            said = ", ".join(repr(value) for value in known)
            return f"IPP de l'examen dans le PACS : {found} ; IPP du message : {said}."
        return ""
