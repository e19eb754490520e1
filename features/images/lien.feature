# language: fr
@source
Fonctionnalité: Suivre le lien d'un compte rendu jusqu'aux images
  Le compte rendu porte un lien vers la visionneuse de la Source, que chacun peut atteindre. Ce qu'il
  désigne ne se montre qu'à une personne authentifiée, et quand ses identifiants vont ensemble.

  Contexte:
    Étant donné une Source dont les comptes rendus mènent à sa visionneuse
    Et un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 2 séries publié

  @SCN-LIE-01 @DB.VI_SO.07 @DB.VI_SO.08 @DB.VI_SO.09 @DB.VI-CS.26 @DB.VI-CS.29
  Scénario: Un professionnel suit le lien et voit l'examen du patient
    Quand une personne suit le lien du compte rendu
    Alors la visionneuse lui demande si elle est patient ou professionnel
    Et rien du patient ni de l'examen n'est montré
    Quand cette personne se dit professionnelle et s'authentifie avec Pro Santé Connect
    Alors la visionneuse montre les images de l'examen
    Et les traits du patient
    Et la mention d'un usage non diagnostique

  @DB.VI-SO.33 @DB.VI_SO.28 @DB.SO.47
  Plan du scénario: Un lien dont <identifiant> n'est pas le bon n'ouvre rien
    Étant donné un autre examen du patient publié sous un autre compte rendu
    Quand un professionnel suit le lien où <identifiant> n'est pas le bon, entre deux liens justes
    Alors chaque lien est refusé par un message qui ne montre rien
    Et chaque refus est tracé avec le professionnel et sa raison

    @SCN-LIE-02-EXAMEN
    Exemples: examen
      | identifiant |
      | l'examen    |

    @SCN-LIE-02-ACCESSION
    Exemples: numéro d'accession
      | identifiant           |
      | le numéro d'accession |

    @SCN-LIE-02-COMPTE-RENDU
    Exemples: compte rendu
      | identifiant     |
      | le compte rendu |

  @SCN-LIE-03 @DB.VI_SO.07 @DB.VI_SO.28
  Scénario: Un lien mal écrit est refusé par un message
    Quand un professionnel suit tour à tour un lien mal écrit : sans studyUID ; sans accessionNumber ; sans idCDA ; studyUID qui n'est pas un UID ; requestType=SERIES
    Alors chaque lien est refusé par un message qui ne montre rien

  @SCN-LIE-04 @DB.VI_SO.28 @DB.SO.97
  Scénario: Le lien d'un examen dépublié n'ouvre plus rien
    Étant donné un autre examen du patient publié sous un autre compte rendu
    Quand le RIS annule le compte rendu
    Alors le KOS est dépublié du DMP
    Quand un professionnel suit le lien de l'examen dépublié, entre deux liens de l'autre
    Alors chaque lien est refusé par un message qui ne montre rien

  @SCN-LIE-05 @DB.SO.46
  Scénario: Un lien suivi laisse une trace, ouvert ou non
    Quand une personne suit le lien du compte rendu
    Alors le passage de cette personne est tracé comme un échec
    Quand un professionnel suit le lien du compte rendu jusqu'aux images
    Alors l'ouverture est tracée avec le professionnel

  @SCN-LIE-06 @DB.VI_SO.07 @DB.VI_SO.09 @DB.VI-CS.29
  Scénario: Un correspondant suit le lien du compte rendu reçu par MSSanté
    Étant donné le compte rendu reçu par MSSanté par un correspondant
    Quand ce correspondant suit jusqu'aux images le lien qu'il y lit
    Alors la visionneuse montre les images de l'examen
    Et les traits du patient

  @SCN-LIE-07 @DB.VI_SO.07 @DB.VI_SO.08
  Scénario: Un patient suit le lien lu dans Mon espace santé
    Étant donné le compte rendu publié par le RIS dans le DMP
    Quand le patient suit le lien qu'il lit dans Mon espace santé
    Alors la visionneuse lui demande si elle est patient ou professionnel
    Et rien du patient ni de l'examen n'est montré

  @SCN-LIE-08 @DB.VI_SO.08
  Scénario: Un patient qui suit le lien sans pouvoir s'authentifier ne voit rien
    Le moyen d'authentifier les patients n'est pas fixé : l'option patient_access.

    Quand une personne suit le lien du compte rendu
    Et cette personne se dit patiente
    Alors rien du patient ni de l'examen n'est montré
    Et un message dit que l'accès des patients n'est pas ouvert

  @SCN-LIE-09 @DB.VI_SO.28
  Scénario: Un PACS qui ne répond pas se dit par un message
    Quand un professionnel suit le lien du compte rendu pendant que le PACS est arrêté
    Alors chaque lien est refusé par un message qui ne montre rien
