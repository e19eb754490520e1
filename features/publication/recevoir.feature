# language: fr
@source
Fonctionnalité: Recevoir les comptes rendus, par quelque liaison qu'ils viennent
  Un RIS parle en clair ou par TLS, d'un trait ou par fragments, seul ou avec d'autres : chaque
  message est entendu entier, une fois, et n'est entendu que celui qui a le droit d'entrer.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-REC-01 @DB.SO.03 @KIT-MLLP-TLS
  Scénario: Un compte rendu par MLLP sur TLS mutuel
    Étant donné un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu par TLS, sous son certificat
    Alors la Source acquitte par AA
    Et 1 KOS est publié dans le DMP

  @SCN-REC-02 @KIT-MLLP-TLS @KIT-SEC-HL7-01
  Scénario: Par TLS, seul un certificat de l'IGC-Santé est entendu
    Étant donné un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu par TLS, sous son certificat
    Alors la Source acquitte par AA
    Quand d'autres l'envoient sans certificat, puis sous celui d'une autre autorité, avant le RIS
    Alors seul le RIS est entendu

  @SCN-REC-03 @DB.SO.03 @KIT-LIAISON @KIT-SEC-HL7-01
  Scénario: Trois messages sur une connexion, en fragments
    Étant donné 3 examens CT dans le PACS
    Quand le RIS envoie un compte rendu pour chacun sur une même connexion, en fragments
    Alors la Source acquitte chaque message par AA
    Et le DMP détient exactement 1 KOS pour chaque examen

  @SCN-REC-04 @DB.SO.03 @KIT-LIAISON @KIT-SEC-HL7-01
  Scénario: Cinq RIS envoient au même instant
    Étant donné 5 examens CT dans le PACS
    Quand autant de RIS envoient chacun un compte rendu au même instant
    Alors la Source acquitte chaque message par AA
    Et le DMP détient exactement 1 KOS pour chaque examen
