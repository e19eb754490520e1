# language: fr
@source
Fonctionnalité: Servir plusieurs PACS et plusieurs domaines d'identifiants
  Deux services d'imagerie, deux PACS : l'autorité du numéro d'accession dit lequel détient
  l'examen, et un PACS arrêté n'arrête pas l'autre.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-MUL-01 @DB.SO.04 @DB.SO.12
  Scénario: Un compte rendu d'examens de deux PACS
    Étant donné un examen CT de 1 série dans le PACS
    Et un examen MR de 1 série dans le second PACS
    Quand le RIS envoie le compte rendu
    Alors 2 KOS sont publiés dans le DMP
    Et chaque KOS référence exactement les images de son examen

  @SCN-MUL-02 @DB.SO.04 @DB.SO.32
  Scénario: L'autorité du numéro d'accession désigne le PACS, pour le KOS et pour les images
    Étant donné un examen CT dans le second PACS, dont le premier détient une image
    Quand le RIS envoie le compte rendu
    Alors 1 KOS est publié dans le DMP
    Et chaque KOS référence exactement les images de son examen
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source rend toutes les images de la série et rien d'autre

  @SCN-MUL-03 @DB.SO.04
  Scénario: Un PACS arrêté n'arrête pas l'autre
    Étant donné un examen CT de 1 série dans le second PACS
    Et un examen MR de 1 série dans le PACS
    Et le second PACS arrêté
    Quand le RIS envoie un compte rendu pour chacun
    Alors seul l'examen du premier PACS est publié
    Quand le second PACS redémarre
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-MUL-04 @DB.SO.04 @DB.SO.16
  Scénario: Un patient de deux domaines d'identifiants
    Étant donné un examen CT dans le second PACS, où le patient a un autre IPP
    Quand le RIS envoie le compte rendu
    Alors 1 KOS est publié dans le DMP
