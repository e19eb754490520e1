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

  @SCN-SEC-WL-03 @KIT-SEC-WL-03
  Scénario: WL-03 Nom de la liste coupé par une balise
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : un commentaire au milieu d'un nom ; une instruction au milieu d'un nom ; une section CDATA à la fin d'un nom ; une référence de caractère à la fin d'un nom
    Alors chaque tentative est refusée sans rien livrer

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

  @SCN-SEC-WL-08 @KIT-SEC-WL-08
  Scénario: WL-08 Signature déplacée
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : la racine signée placée sous une autre ; une seconde ListeDomaines devant celle qui est signée ; deux signatures, dont une de n'importe qui ; la signature avant ce qu'elle signe ; une signature qui ne porte que sur un leurre ; deux éléments de l'Id que la signature nomme
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-09 @KIT-SEC-WL-09
  Scénario: WL-09 Transformation ou référence interdite
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : une transformation XSLT ; une transformation XPath ; un filtre XPath qui retire les entrées ; un filtre XPath d'intersection ; une transformation base64 ; une référence sans forme canonique ; une forme canonique qui garde les commentaires ; une référence à une adresse http ; une référence à un fichier
    Alors chaque tentative est refusée sans rien livrer
    Et personne n'est venu aux adresses que ces listes portent
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-10 @KIT-SEC-WL-10
  Scénario: WL-10 Liste signée par un algorithme faible
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : signée en rsa-sha1 ; signée en rsa-md5 ; d'empreinte md5 ; signée en hmac-sha256 par la clé publique ; signée en hmac-sha256 de zéro bit ; signée en DSA
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-11 @KIT-SEC-WL-11
  Scénario: WL-11 Clé du signataire qui se présente seule
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : signée d'une clé sans certificat (KeyValue) ; signée d'une clé à aller chercher ; signée de n'importe qui, le certificat de l'agence devant ; signée de n'importe qui, le certificat de l'agence derrière ; signée de n'importe qui, sous le certificat de l'agence ; signée de n'importe qui, sous mille certificats
    Alors chaque tentative est refusée sans rien livrer
    Et personne n'est venu aux adresses que ces listes portent
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-12 @KIT-SEC-WL-12
  Scénario: WL-12 Liste juste, d'un signataire de relève ou très longue
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : d'un signataire de relève ; de 10 000 entrées
    Alors chacune de ces listes est mise en vigueur

  @SCN-SEC-WL-13 @KIT-SEC-WL-13
  Scénario: WL-13 Liste qui ne se télécharge pas
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : HTTP 404 ; HTTP 500 ; page HTML ; fichier tronqué ; connexion coupée ; au goutte à goutte
    Alors chaque tentative est refusée sans rien livrer
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-15 @KIT-SEC-WL-15
  Scénario: WL-15 Liste en XML hostile
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : une entité externe ; une entité d'un fichier ; une DTD externe ; une entité paramètre externe ; un milliard de rires ; une entité longue, vingt mille fois ; une inclusion XInclude ; un schéma à aller chercher ; un million d'attributs ; cent mille éléments l'un dans l'autre
    Alors chaque tentative est refusée sans rien livrer
    Et personne n'est venu aux adresses que ces listes portent
    Et une alerte parle de la liste blanche

  @SCN-SEC-WL-16 @KIT-SEC-WL-16
  Scénario: WL-16 Liste bien signée, aux valeurs hostiles
    Quand l'agence publie pour liste blanche, un inconnu y étant nommé : une adresse https pour hôte ; un hôte et un port ; un hôte et un chemin ; un hôte à joker ; une adresse IP pour hôte ; un hôte et des espaces ; un hôte en punycode ; un joker pour nom ; le nom en majuscules ; le nom après une virgule ; le nom sans sa fin ; le nom et une suite ; des balises dans Denomination
    Alors chaque tentative est refusée sans rien livrer
