# language: fr
@source
Fonctionnalité: Livrer les images d'un examen publié
  Une autre DRIMbox, authentifiée par son certificat et présente dans la liste blanche, demande
  les images d'une série avec le jeton Pro Santé Connect de son utilisateur.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-IMG-01 @DB.SO.32 @DB.SO.33 @DB.SO.34 @DB.SO.37 @DB.SO.38 @DB.SO.46 @DB.SO.90 @DB.SO.98 @DB.SO.99
  Scénario: Une série demandée dans les règles
    Étant donné un examen CT de 2 séries publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source rend toutes les images de la série et rien d'autre
    Et la Source a fait vérifier le jeton par Pro Santé Connect
    Et l'accès est tracé

  @SCN-IMG-02 @DB.SO.39
  Scénario: L'INS qualifiée du patient est portée dans les images
    Étant donné un examen CT de 1 série publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors chaque image porte l'INS du patient dans OtherPatientIDsSequence
    Et rien d'autre n'est modifié dans les images

  @SCN-IMG-03 @DB.SO.41
  Scénario: L'Implicit VR du PACS devient Explicit VR
    Étant donné un examen MR en Implicit VR Little Endian publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors chaque image est en Explicit VR Little Endian

  @SCN-IMG-04 @DB.SO.85 @DB.CS.83
  Scénario: La syntaxe de transfert préférée parmi celles du PACS
    Étant donné un examen CT compressé en JPEG-LS publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors chaque image est en JPEG-LS sans perte

  @SCN-IMG-05 @DB.SO.103
  Scénario: La disponibilité se vérifie sans jeton
    Quand une DRIMbox de la liste blanche demande les capacités du service
    Alors la Source décrit son service

  @DB.SO.32 @DB.SO.39 @DB.SO.41
  Plan du scénario: De vraies images <modalité> sont livrées sans autre changement que l'INS
    Étant donné un examen fait de vraies images <modalité> publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source rend toutes les images de la série et rien d'autre
    Et chaque image porte l'INS du patient dans OtherPatientIDsSequence
    Et rien d'autre n'est modifié dans les images

    @SCN-IMG-06-CT
    Exemples: scanner
      | modalité |
      | CT       |

    @SCN-IMG-06-MR
    Exemples: IRM
      | modalité |
      | MR       |

  @SCN-IMG-07 @DB.SO.32 @DB.SO.39
  Scénario: Une image seule
    Étant donné un examen CT de 2 séries publié
    Quand une DRIMbox de la liste blanche demande une seule image de la première série
    Alors la Source rend cette image et rien d'autre
    Et chaque image porte l'INS du patient dans OtherPatientIDsSequence

  @SCN-IMG-08 @DB.SO.85 @DB.CS.83
  Scénario: Le poids q décide entre les syntaxes que le PACS propose
    Le PACS garde l'examen en JPEG-LS et sait aussi l'envoyer sans compression, comme les archives.

    Étant donné un examen CT compressé en JPEG-LS publié
    Quand une DRIMbox de la liste blanche demande la première série de préférence sans compression
    Alors chaque image est en Explicit VR Little Endian

  @SCN-IMG-09 @DB.SO.85
  Scénario: Aucune image dans une syntaxe que la demande n'admet pas
    Étant donné un examen CT compressé en JPEG-LS presque sans perte publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors chaque image est dans une syntaxe de transfert que la demande admet

  @SCN-IMG-10 @DB.SO.32
  Scénario: Accept en une seule ligne, comme dans les échantillons de l'ANS
    Étant donné un examen CT de 1 série publié
    Quand une DRIMbox de la liste blanche demande la première série par un Accept d'une seule ligne
    Alors la Source rend toutes les images de la série et rien d'autre

  @SCN-IMG-11 @DB.SO.32 @DB.SO.35
  Scénario: Cinq séries demandées en même temps
    Étant donné un examen CT de 2 séries publié
    Quand une DRIMbox de la liste blanche demande cinq séries en même temps
    Alors chaque demande reçoit sa série, entière et seule

  @SCN-IMG-12 @DB.SO.32 @DB.SO.103
  Scénario: Ce que la Source annonce est servi
    Étant donné un examen CT de 2 séries publié
    Quand une DRIMbox de la liste blanche demande les capacités du service
    Alors l'examen entier, les métadonnées et les images annoncés sont servis

  @SCN-IMG-13 @DB.SO.14 @DB.SO.32
  Scénario: Le PACS ment sur ses comptes
    Étant donné un PACS qui ment sur ses comptes
    Et un examen CT de 2 séries publié
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source rend toutes les images de la série et rien d'autre
    Et chaque KOS référence exactement les images de son examen

  @SCN-IMG-14 @DB.SO.32
  Scénario: Le PACS n'envoie pas toutes les images demandées
    Étant donné un examen CT de 2 séries publié
    Et un PACS qui n'envoie plus la dernière image de ce qu'on lui demande
    Quand une DRIMbox de la liste blanche demande la première série
    Alors la Source ne fait pas passer une série incomplète pour entière
    Quand le PACS envoie de nouveau toutes ses images
    Et une DRIMbox de la liste blanche demande la première série
    Alors la Source rend toutes les images de la série et rien d'autre
