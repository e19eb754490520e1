# language: fr
@source
Fonctionnalité: Administrer l'archive d'une Source
  Une DRIMbox est remplacée : ce qu'elle a publié part avec elle, dans la forme des échantillons. Un
  examen a disparu du PACS sans que rien ne l'annonce : l'administrateur le fait chercher.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-ARC-01 @DB.SO.22 @DB.SO.29
  Scénario: L'archive exportée dit ce que la Source a publié
    Étant donné un examen CT de 1 série publié
    Quand l'administrateur exporte l'archive locale de la Source en XDM
    Alors l'archive exportée contient le KOS publié, l'identifiant du compte rendu et l'entryUUID
    Et le lot exporté se juge conforme

  @SCN-ARC-02 @DB.SO.28
  Scénario: La resynchronisation dépublie le KOS d'un examen disparu du PACS
    Étant donné un examen CT de 1 série publié
    Quand le PACS supprime l'examen
    Et l'administrateur lance la resynchronisation de la Source avec le PACS
    Alors le KOS est dépublié du DMP
    Et la Source avait cherché dans le DMP l'entrée du KOS
