# language: fr
@consumer
Fonctionnalité: Exporter sans redemander, sans prêter, et comme on le choisit
  Ce qu'un professionnel a obtenu est gardé pour lui : la Source n'est pas interrogée deux fois, et
  un autre professionnel passe par ses propres droits.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 2 séries de ce patient à une Source de la liste blanche
    Et le radiologue authentifié sur la page du patient

  @SCN-EXP-01 @DB.CO.70
  Scénario: Ce qui est dans le cache local n'est pas redemandé
    Quand le radiologue exporte l'examen vers le PACS local
    Et le radiologue l'exporte de nouveau après un autre appel
    Alors la Source n'est pas interrogée une seconde fois
    Et l'examen entier est dans le PACS local

  @SCN-EXP-02 @KIT-DROITS-PERSONNELS
  Scénario: Un autre professionnel passe par ses propres droits
    Quand le radiologue exporte l'examen vers le PACS local
    Et un autre radiologue de la même structure l'exporte à son tour
    Alors la Source a reçu pour chaque série le jeton de cet autre radiologue
    Et l'examen entier est dans le PACS local

  @SCN-EXP-03 @DB.CO.73 @DB.CO.74
  Scénario: Le radiologue choisit un export avec perte
    Quand le radiologue choisit un export avec perte
    Alors la Consommatrice préfère des syntaxes avec perte dans sa requête WADO-RS
    Et l'examen entier est dans le PACS local
