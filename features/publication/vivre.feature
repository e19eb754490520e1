# language: fr
@source
Fonctionnalité: Suivre la vie du compte rendu
  Un compte rendu corrigé, masqué ou annulé : le KOS est remplacé ou dépublié dans le DMP, et dans
  l'archive de la Source. Rien n'a changé : rien n'est publié.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-VIE-01 @DB.SO.13 @DB.SO.22
  Scénario: Un numéro de demande corrigé remplace le KOS
    Étant donné un examen CT de 1 série publié
    Quand le RIS envoie le compte rendu corrigé, au numéro de demande changé
    Alors le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS porte le numéro de demande corrigé
    Et l'archive de la Source contient le nouveau KOS

  @SCN-VIE-02 @DB.SO.97
  Scénario: Un compte rendu masqué masque le KOS
    Étant donné un examen CT de 1 série publié
    Quand le RIS envoie le compte rendu masqué aux professionnels de santé
    Alors le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS est masqué aux professionnels de santé

  @SCN-VIE-03 @DB.SO.13 @DB.SO.14
  Scénario: Des images de plus quand le compte rendu est renvoyé
    Étant donné un examen CT de 1 série publié
    Quand des images s'ajoutent à l'examen dans le PACS
    Et le RIS renvoie le compte rendu dans un nouveau message
    Alors le KOS en vigueur est remplacé par un autre
    Et le nouveau KOS référence exactement les images de l'examen

  @SCN-VIE-04 @DB.SO.13
  Scénario: Une visibilité modifiée dans le DMP n'empêche pas le remplacement
    Étant donné un examen CT de 1 série publié
    Et un KOS dont la visibilité a été modifiée entre-temps dans le DMP
    Quand le RIS envoie le compte rendu corrigé, au numéro de demande changé
    Alors le KOS en vigueur est remplacé par un autre
    Et la Source avait cherché dans le DMP l'entrée du KOS

  @SCN-VIE-05 @DB.SO.12 @DB.SO.13
  Scénario: Rien n'a changé quand le compte rendu est renvoyé
    Étant donné un examen CT de 1 série publié
    Quand le RIS renvoie le compte rendu dans un nouveau message
    Alors aucun autre KOS n'est publié

  @SCN-VIE-06 @DB.SO.97 @DB.SO.37
  Scénario: Un compte rendu annulé dépublie le KOS et ferme ses images
    Étant donné un examen CT de 1 série publié
    Et un autre examen du patient publié sous un autre compte rendu
    Et un KOS dont la visibilité a été modifiée entre-temps dans le DMP
    Quand le RIS annule le compte rendu
    Alors le KOS est dépublié du DMP
    Et la Source avait cherché dans le DMP l'entrée du KOS
    Quand une DRIMbox de la liste blanche demande l'examen dépublié, entre deux demandes de l'autre
    Alors la demande reçoit un refus précis, sans donnée du patient

  @SCN-VIE-07 @DB.SO.03 @DB.SO.12 @DB.SO.13 @DB.SO.97
  Scénario: Créer, remplacer puis dépublier par MDM
    Étant donné un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu par MDM^T02
    Alors la Source acquitte par AA
    Et 1 KOS est publié dans le DMP
    Quand le RIS envoie par MDM^T10 le compte rendu corrigé, au numéro de demande changé
    Alors la Source acquitte par AA
    Et le KOS en vigueur est remplacé par un autre
    Quand le RIS annule le compte rendu par MDM^T04
    Alors la Source acquitte par AA
    Et le KOS est dépublié du DMP

  @SCN-VIE-08 @DB.SO.97 @DB.SO.21 @DB.SO.45
  Scénario: L'annulation d'un compte rendu jamais reçu n'écrit rien et alerte
    Étant donné un examen CT de 1 série dans le PACS
    Quand le RIS annule le compte rendu
    Alors l'administrateur est alerté
    Et l'échec est tracé avec sa raison
    Et rien n'est écrit dans le DMP

  @SCN-VIE-09 @DB.SO.13 @DB.SO.21 @DB.SO.22
  Scénario: Un remplacement que le DMP refuse ne perd rien
    Étant donné un examen CT de 1 série publié
    Et un DMP qui refuse les dépôts
    Quand le RIS envoie le compte rendu corrigé, au numéro de demande changé
    Alors l'administrateur est alerté
    Et le KOS d'avant reste en vigueur, seul
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source rend encore des images sous ce KOS
    Quand le DMP accepte de nouveau les dépôts et le RIS renvoie le compte rendu corrigé
    Alors le KOS en vigueur est remplacé par un autre
