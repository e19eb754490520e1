# language: fr
@consumer
Fonctionnalité: Exporter vers un PACS qui ne prend pas tout
  Le PACS local choisit les syntaxes de transfert dans lesquelles il reçoit : ce qu'il refuse tel
  quel lui est envoyé décompressé, sans qu'une valeur change.

  @SCN-EXP-04 @DB.CO.60 @DB.CO.74
  Scénario: Un PACS local qui ne prend que des images non compressées
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série en JPEG-LS de ce patient à une Source de la liste blanche
    Et un PACS local qui n'accepte que des images non compressées
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue demande l'export de l'examen
    Alors les images sont dans le PACS local, décompressées, de mêmes valeurs
