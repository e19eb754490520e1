# language: fr
@source
Fonctionnalité: Publier une fois et une seule malgré les pannes du DMP et du PACS
  Le DMP peut s'arrêter avant d'enregistrer, après avoir enregistré sans répondre, ou au milieu
  de sa réponse, être occupé ; le PACS peut refuser qu'on l'interroge. Le KOS est publié, et il ne
  l'est qu'une fois.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS

  @SCN-RES-01 @KIT-REPRISE
  Scénario: Le DMP coupe avant d'enregistrer
    Étant donné un DMP qui coupera la connexion avant d'enregistrer
    Quand le RIS envoie le compte rendu
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-RES-02 @KIT-REPRISE
  Scénario: Le DMP enregistre puis coupe sans répondre
    Étant donné un DMP qui coupera la connexion après avoir enregistré
    Quand le RIS envoie le compte rendu
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-RES-03 @KIT-REPRISE
  Scénario: Le DMP coupe au milieu de sa réponse
    Étant donné un DMP qui coupera la connexion au milieu de sa réponse
    Quand le RIS envoie le compte rendu
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-RES-04 @KIT-REPRISE
  Scénario: Le DMP est arrêté puis redémarré pendant la publication
    Étant donné un DMP arrêté
    Quand le RIS envoie le compte rendu
    Et le DMP redémarre après un premier échec de la Source
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-RES-05 @KIT-REPRISE
  Scénario: Le DMP est occupé, puis en panne, puis enregistre
    Étant donné un DMP occupé au prochain dépôt, et en panne au suivant
    Quand le RIS envoie le compte rendu
    Alors le DMP détient exactement 1 KOS pour chaque examen

  @SCN-RES-06 @KIT-REPRISE @DB.SO.14
  Scénario: Le PACS refuse deux associations, puis les accepte
    Étant donné un PACS qui refusera les deux prochaines associations
    Quand le RIS envoie le compte rendu
    Alors le DMP détient exactement 1 KOS pour chaque examen
    Et chaque KOS référence exactement les images de son examen
