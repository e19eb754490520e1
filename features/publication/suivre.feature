# language: fr
@source
Fonctionnalité: Suivre ce que devient l'examen dans le PACS du produit
  Un produit native a son PACS en lui : personne ne lui annonce par un objet IOCM qu'une image
  s'ajoute ou disparaît. Il le sait, et met à jour ou supprime le KOS dans le DMP.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-NAT-01 @DB.SO.27
  Scénario: Une image ajoutée à l'examen
    Quand une image s'ajoute à l'examen dans le PACS du produit
    Alors le KOS du DMP est remplacé par un autre, qui référence exactement les images de l'examen

  @SCN-NAT-02 @DB.SO.27
  Scénario: Une image retirée de l'examen
    Quand une image de l'examen est retirée du PACS du produit
    Alors le KOS du DMP est remplacé par un autre, qui référence exactement les images de l'examen

  @SCN-NAT-03 @DB.SO.27
  Scénario: L'examen entier retiré
    Quand l'examen est retiré du PACS du produit
    Alors le KOS est supprimé du DMP
