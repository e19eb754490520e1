# language: fr
@source
Fonctionnalité: Obtenir des images par une demande piégée
  L'adresse, le verbe, les en-têtes ou le nombre des demandes sont ce que personne n'attend. Chaque
  tentative est encadrée par deux demandes conformes.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-SEC-ARC-02 @KIT-SEC-ARC-02
  Scénario: ARC-02 KOS importé par un inconnu
    Quand le KOS d'un examen non publié est remis sans authentification par : importKOS ; api importKOS ; import du service ; import d'administration ; dépôt STOW ; PUT du KOS ; import à la porte d'administration
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-DIC-01 @KIT-SEC-DIC-01
  Scénario: DIC-01 UID piégé dans l'adresse
    Quand la première série est demandée sous un UID piégé : remontée de dossiers ; octet nul derrière ; 65 caractères ; zéro en tête ; lettres ; rien ; chiffres arabes ; joker
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-DIC-04 @KIT-SEC-DIC-04
  Scénario: DIC-04 Accept étrange
    Quand la première série est demandée sous un Accept étrange : aucun ; des virgules ; 300 valeurs, la bonne au bout ; q démesuré ; q vide ; guillemet sans fin ; syntaxe illisible ; plusieurs en-têtes
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-DIC-05 @KIT-SEC-DIC-05
  Scénario: DIC-05 Autres verbes et services, sans KOS
    Quand un membre demande, sous son jeton et sans KOS : recherche par patient ; recherche de séries ; images de la série ; metadata ; rendered ; bulkdata ; POST ; POST à la racine ; PUT ; DELETE ; TRACE
    Alors aucune tentative n'apprend rien à personne

  @SCN-SEC-DIC-06 @KIT-SEC-DIC-06
  Scénario: DIC-06 Demandes partielles, conditionnelles, ou trente à la fois
    Quand la première série est demandée avec ces en-têtes : Range ; cent Range ; If-None-Match ; If-Match ; Expect inconnu ; Upgrade
    Et la première série est demandée 30 fois au même instant
    Alors chaque tentative a une réponse entière

  @SCN-SEC-HLT-01 @KIT-SEC-HLT-01
  Scénario: HLT-01 Signe de vie sans jeton
    Quand un membre demande, sans jeton : racine ; racine suivie d'une barre ; recherche d'examens
    Alors aucune tentative n'apprend rien à personne

  @SCN-SEC-HLT-02 @KIT-SEC-HLT-02
  Scénario: HLT-02 Signe de vie comme passage
    Quand un membre demande, sans jeton : série suivie d'une barre ; série et point-virgule ; racine et deux points ; racine et %2e%2e ; deux barres ; capacités de la série ; HEAD de la série ; POST de la racine ; DELETE
    Alors aucune tentative n'apprend rien à personne

  @SCN-SEC-HLT-03 @KIT-SEC-HLT-03
  Scénario: HLT-03 Réglages de mise au point
    Quand un membre demande, à chaque porte HTTP de la Source : consoles de mise au point ; descriptions d'interface ; mesures et état interne ; administration ; fichiers du produit
    Et la première série est demandée sans jeton, au lieu duquel : admin, admin ; admin, password ; orthanc, orthanc ; X-Debug ; X-No-Auth ; X-Test-User
    Alors chaque tentative est refusée sans rien livrer
    Quand une page d'une autre origine demande la Source et la première série
    Alors aucune réponse n'est permise à une page d'une autre origine
