# language: fr
@source
Fonctionnalité: Refuser les images à qui n'y a pas droit
  Chaque refus est encadré par deux demandes conformes sur le même accès : un serveur éteint ne
  refuse pas.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 2 séries publié

  @SCN-IMR-01 @DB.SO.33 @KIT-SEC-TOK-01
  Scénario: Sans jeton
    Quand une DRIMbox de la liste blanche demande la première série sans jeton
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-02 @DB.SO.33 @KIT-SEC-TOK-18
  Scénario: Jeton inconnu de Pro Santé Connect
    Quand une DRIMbox de la liste blanche demande la première série avec un jeton forgé
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-03 @DB.SO.33 @KIT-SEC-TOK-05
  Scénario: Jeton expiré
    Quand une DRIMbox de la liste blanche demande la première série avec un jeton expiré
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-04 @DB.SO.33 @KIT-SEC-TOK-12
  Scénario: Jeton de rafraîchissement présenté comme jeton d'accès
    Quand une DRIMbox de la liste blanche demande la première série avec un jeton de rafraîchissement
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-05 @DB.SO.34 @KIT-SEC-TOK-23
  Scénario: Profession non autorisée
    Quand une DRIMbox de la liste blanche demande la première série pour un professionnel non autorisé
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-06 @DB.SO.37 @KIT-SEC-DIC-02
  Scénario: Examen qui n'a pas donné lieu à un KOS
    Quand une DRIMbox de la liste blanche demande une série d'un examen jamais publié
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-07 @DB.SO.38 @KIT-SEC-DIC-02
  Scénario: Identifiant de KOS périmé
    Quand une DRIMbox de la liste blanche demande la première série avec un identifiant de KOS périmé
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-08 @DB.SO.32 @KIT-SEC-DIC-03
  Scénario: Série absente du KOS présenté
    Quand une DRIMbox de la liste blanche demande une série du PACS que le KOS ne référence pas
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-09 @DB.SO.98 @KIT-LISTE-BLANCHE @KIT-SEC-TLS-16
  Scénario: DRIMbox absente de la liste blanche
    Quand une DRIMbox absente de la liste blanche demande la première série
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-10 @DB.SO.98 @KIT-SEC-TLS-03
  Scénario: Certificat client d'une autre autorité
    Quand une DRIMbox dont le certificat vient d'une autre autorité demande la première série
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-11 @DB.SO.98 @DB.SO.99 @KIT-SEC-TLS-01
  Scénario: Sans certificat client
    Quand une DRIMbox sans certificat client demande la première série
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-12 @DB.SO.32
  Scénario: Image retirée du PACS depuis la publication
    Étant donné que la seconde série a déjà été rendue une fois
    Et que le PACS ne montre plus une image de la seconde série
    Quand une DRIMbox de la liste blanche demande cette image
    Alors la demande est refusée, entre deux demandes conformes acceptées

  @SCN-IMR-13 @KIT-REVOCATION @KIT-SEC-TLS-09
  Scénario: Certificat client révoqué
    Quand une DRIMbox dont le certificat est révoqué demande la première série
    Alors la demande est refusée, entre deux demandes conformes acceptées
