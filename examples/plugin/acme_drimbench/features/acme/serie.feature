# language: fr
Fonctionnalité: Ce que le site d'ACME ajoute aux textes

  @SCN-ACME-01 @source @DB.SO.12
  Scénario: Le KOS publié nomme l'établissement
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu
    Alors 1 KOS est publié dans le DMP
    Et la publication ne prend pas plus de 3 échanges avec le DMP
