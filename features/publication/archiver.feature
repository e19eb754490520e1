# language: fr
@source
Fonctionnalité: Reprendre l'archive d'une Source
  Une DRIMbox est remplacée : ce qu'elle a publié part avec elle, dans la forme des échantillons.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-ARC-01 @DB.SO.22 @DB.SO.29
  Scénario: L'archive exportée dit ce que la Source a publié
    Étant donné un examen CT de 1 série publié
    Quand l'administrateur exporte l'archive locale de la Source en XDM
    Alors l'archive exportée contient le KOS publié, l'identifiant du compte rendu et l'entryUUID
    Et le lot exporté se juge conforme
