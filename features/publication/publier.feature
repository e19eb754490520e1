# language: fr
@source
Fonctionnalité: Publier les examens d'un compte rendu
  La DRIMbox Source reçoit du RIS le compte rendu d'imagerie, demande au PACS ce que contient
  chaque examen et publie dans le DMP un manifeste (KOS) par examen.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-PUB-01 @DB.SO.03 @DB.SO.11 @DB.SO.14 @DB.SO.18 @DB.SO.19 @DB.SO.43 @DB.SO.44 @DMP/CONF.05
  Scénario: Un compte rendu d'un seul examen donne un KOS
    Étant donné un examen CT de 2 séries dans le PACS
    Quand le RIS envoie le compte rendu
    Alors la Source acquitte par AA
    Et la Source interroge le PACS 1 fois
    Et 1 KOS est publié dans le DMP
    Et chaque KOS référence exactement les images de son examen
    Et la réception est tracée
    Et la publication est tracée

  @SCN-PUB-02 @DB.SO.12 @DB.SO.14 @DB.SO.17
  Scénario: Un compte rendu de trois examens donne trois KOS
    Étant donné 3 examens CT dans le PACS
    Quand le RIS envoie le compte rendu
    Alors la Source interroge le PACS 3 fois
    Et 3 KOS sont publiés dans le DMP
    Et chaque KOS référence exactement les images de son examen
    Et chaque KOS porte la demande de son examen, et elle seule

  @SCN-PUB-03 @DB.SO.12
  Scénario: Un acte sans identifiant d'examen n'interroge pas le PACS
    Étant donné un examen MR de 1 série dans le PACS
    Et un acte de dépistage sans identifiant d'examen dans le compte rendu
    Quand le RIS envoie le compte rendu
    Alors 1 KOS est publié dans le DMP
    Et la Source interroge le PACS 1 fois

  @SCN-PUB-04 @DB.SO.22
  Scénario: La Source conserve le KOS, ses métadonnées et le compte rendu déclencheur
    Étant donné un examen MR de 1 série publié
    Alors l'archive de la Source contient le KOS publié et l'identifiant du compte rendu

  @SCN-PUB-05 @DB.SO.03 @DB.SO.12 @KIT-SEC-HL7-02
  Scénario: Le même compte rendu reçu deux fois n'est publié qu'une fois
    Étant donné un examen CT de 1 série publié
    Quand le RIS envoie le même compte rendu une seconde fois
    Alors la Source acquitte par AA
    Et aucun autre KOS n'est publié

  @SCN-PUB-06 @DB.SO.14 @DB.SO.18
  Scénario: Ce qui n'est pas une image est dans le KOS aussi
    Étant donné un examen CT dans le PACS, avec un tracé, un document structuré et une note d'images clés
    Quand le RIS envoie le compte rendu
    Alors 1 KOS est publié dans le DMP
    Et chaque KOS référence exactement les images de son examen
    Et chaque objet du KOS est référencé selon sa nature

  @SCN-PUB-07 @DB.SO.12 @DB.SO.22
  Scénario: Un examen de deux comptes rendus
    Étant donné un examen CT de 1 série publié
    Quand le RIS envoie un second compte rendu du même examen
    Alors l'archive de la Source contient le KOS en vigueur et les deux comptes rendus
