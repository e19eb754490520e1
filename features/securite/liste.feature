# language: fr
@source
Fonctionnalité: Faire croire à la Source une fausse liste blanche
  Chaque fausse liste nomme un inconnu. Crue, elle lui ouvre la porte ; refusée, elle laisse en
  vigueur la dernière liste valide, dont les membres sont servis avant et après. Pour finir, une
  liste juste nomme le même inconnu, qui est servi : la Source relit bien la liste.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-SEC-WL-01 @KIT-SEC-WL-01
  Scénario: WL-01 Liste sans signature
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : sans signature
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-02 @KIT-SEC-WL-02
  Scénario: WL-02 Liste changée après signature
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : un hôte changé ; un nom changé ; une date changée ; une espace ajoutée ; une valeur de signature changée
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-04 @KIT-SEC-WL-04
  Scénario: WL-04 Liste signée sous un autre nom que celui de l'agence
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : signée d'un autre nom ; signée d'une autre structure
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-05 @KIT-SEC-WL-05
  Scénario: WL-05 Liste signée du bon nom, par un certificat qui n'en est pas un
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : signée d'une autre autorité ; signée d'un certificat de client
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-06 @KIT-SEC-WL-06
  Scénario: WL-06 Liste d'un signataire qui ne vaut plus
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : d'un signataire expiré ; d'un signataire révoqué
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-07 @KIT-SEC-WL-07
  Scénario: WL-07 Liste bien signée, d'une autre date
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : ancienne ; de l'avenir
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-12 @KIT-SEC-WL-12
  Scénario: WL-12 Liste juste, d'un signataire de relève ou très longue
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : d'un signataire de relève ; de 10 000 entrées
    Alors chacune de ces listes est mise en vigueur

  @SCN-SEC-WL-13 @KIT-SEC-WL-13
  Scénario: WL-13 Liste qui ne se télécharge pas
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : HTTP 404 ; HTTP 500 ; page HTML ; fichier tronqué ; connexion coupée
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche
