# language: fr
@source
Fonctionnalité: Suivre ce que le PACS dit d'un examen changé
  Le PACS rejette des images par une note IOCM, ou annonce par OMI^O23 que l'examen a changé. La
  Source l'interroge de nouveau, quel que soit le motif : changé, le KOS est remplacé ; vide, il est
  dépublié ; inchangé, rien n'est publié.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-CHG-01 @DB.SO.25 @DB.SO.26
  Scénario: Une série rejetée pour la sécurité du patient quitte le KOS et n'est plus rendue
    Étant donné un examen CT de 2 séries publié
    Et une DRIMbox de la liste blanche qui en a déjà obtenu chaque série
    Quand le PACS rejette une série par une note 113037, qu'il transmet à la Source
    Alors la Source accepte la note
    Et la Source interroge de nouveau le PACS
    Et le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS référence exactement les images de l'examen
    Et la Source agit au nom de la structure et du professionnel du lot précédent
    Quand une DRIMbox de la liste blanche demande la série rejetée, entre deux demandes de l'autre
    Alors rien de rejeté n'est rendu

  @SCN-CHG-02 @DB.SO.25 @DB.SO.26
  Scénario: Un examen rejeté en entier est dépublié, même si le PACS en montre encore la note
    Étant donné un examen CT de 1 série publié
    Et un KOS dont la visibilité a été modifiée entre-temps dans le DMP
    Quand le PACS rejette tout l'examen par une note 113038, qu'il transmet à la Source
    Alors la Source accepte la note
    Et le KOS est dépublié du DMP
    Et la Source avait cherché dans le DMP l'entrée du KOS
    Et la Source agit au nom de la structure et du professionnel du lot précédent

  @SCN-CHG-03 @DB.SO.25 @DB.SO.26
  Scénario: Des images dont la conservation est échue ne sont plus rendues dans leur série
    Étant donné un examen CT de 2 séries publié
    Quand le PACS rejette une image de chaque série par une note 113039, qu'il transmet à la Source
    Alors la Source accepte la note
    Et le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS référence exactement les images de l'examen
    Quand une DRIMbox de la liste blanche demande la première série sous le nouveau KOS
    Alors aucune image rejetée n'est rendue

  @SCN-CHG-04 @DB.SO.25 @DB.SO.26
  Scénario: Une série rejetée pour sa qualité, que le PACS montre encore, reste publiée
    Étant donné un examen CT de 2 séries publié
    Quand le PACS rejette une série par une note 113001, la montre encore et transmet la note
    Alors la Source accepte la note
    Et la Source interroge de nouveau le PACS
    Et aucun autre KOS n'est publié
    Et le KOS d'avant reste en vigueur, seul

  @SCN-CHG-05 @KIT-OMI
  Scénario: Des images ajoutées, que le PACS annonce par OMI^O23
    Étant donné un examen CT de 1 série publié
    Quand des images s'ajoutent à l'examen dans le PACS
    Et le PACS annonce par OMI^O23 que l'examen a changé
    Alors la Source acquitte par AA
    Et la Source interroge de nouveau le PACS
    Et le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS référence exactement les images de l'examen
    Et la Source agit au nom de la structure et du professionnel du lot précédent

  @SCN-CHG-06 @KIT-OMI
  Scénario: Un examen supprimé du PACS, qui l'annonce par OMI^O23
    Étant donné un examen CT de 1 série publié
    Quand le PACS supprime l'examen
    Et le PACS annonce par OMI^O23 que l'examen a changé
    Alors la Source acquitte par AA
    Et le KOS est dépublié du DMP
    Et la Source avait cherché dans le DMP l'entrée du KOS
