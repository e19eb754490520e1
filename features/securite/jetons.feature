# language: fr
@source
Fonctionnalité: Obtenir des images par un jeton qui n'en donne pas le droit
  Chaque tentative est encadrée par deux demandes conformes sur le même accès, chacune avec un jeton
  à elle.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-SEC-TOK-02 @KIT-SEC-TOK-02
  Scénario: TOK-02 Authorization mal faite
    Quand la première série est demandée sous un Authorization mal fait : Basic ; Bearer seul ; Bearer deux fois ; deux en-têtes ; 64 Kio ; jeton entre guillemets
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-03 @KIT-SEC-TOK-03
  Scénario: TOK-03 Mot Bearer ailleurs qu'à sa place
    Quand la première série est demandée sous un Authorization mal fait : Bearer derrière Basic ; Bearer collé
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-04 @KIT-SEC-TOK-04
  Scénario: TOK-04 Jeton dans l'adresse
    Quand la première série est demandée avec le jeton dans l'adresse seulement
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-06 @KIT-SEC-TOK-06
  Scénario: TOK-06 Session fermée après une demande servie
    Quand la première série est demandée encore une fois, la session du jeton fermée
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-07 @KIT-SEC-TOK-07
  Scénario: TOK-07 Introspection dont active n'est pas le booléen vrai
    Quand la première série est demandée alors que l'introspection dit : active "true" ; active "false" ; active 1 ; active null ; active absent ; active deux fois
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-08 @KIT-SEC-TOK-08
  Scénario: TOK-08 Introspection qui n'est pas ce qu'elle doit être
    Quand la première série est demandée alors que l'introspection rend : une page ; rien ; un objet profond ; 10 Mio ; une bombe gzip
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-09 @KIT-SEC-TOK-09
  Scénario: TOK-09 Introspection en panne
    Quand la première série est demandée alors que l'introspection rend : 401 ; 404 ; 429 ; 500 ; 503 ; coupure ; renvoi ailleurs ; certificat expiré ; certificat d'un autre hôte
    Alors chaque tentative est refusée sans rien livrer
    Et rien n'est demandé à un autre hôte

  @SCN-SEC-TOK-10 @KIT-SEC-TOK-10
  Scénario: TOK-10 Introspection active d'un jeton hors de ses dates
    Quand la première série est demandée alors que l'introspection dit : exp passé ; exp en texte ; exp infini ; nbf à venir ; iat à venir
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-11 @KIT-SEC-TOK-11
  Scénario: TOK-11 Jeton d'un autre environnement
    Quand la première série est demandée alors que l'introspection dit : iss d'ailleurs
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-12 @KIT-SEC-TOK-12
  Scénario: TOK-12 Jeton de rafraîchissement que PSC prend partout
    Quand la première série est demandée avec un jeton de rafraîchissement que PSC prend pour un jeton d'accès
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-13 @KIT-SEC-TOK-13
  Scénario: TOK-13 Jeton d'un autre service
    Quand la première série est demandée alors que l'introspection dit : un autre client ; un autre client
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TOK-14 @KIT-SEC-TOK-14
  Scénario: TOK-14 Jeton sans acr ou sans openid
    Quand la première série est demandée alors que l'introspection dit : sans acr ; sans acr ; sans openid ; sans openid
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TOK-15 @KIT-SEC-TOK-15
  Scénario: TOK-15 Jeton montré par un autre membre
    Quand la première série est demandée deux fois par un autre membre que celui du jeton
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TOK-16 @KIT-SEC-TOK-16
  Scénario: TOK-16 Jeton lié à un autre certificat
    Quand la première série est demandée avec un jeton lié : d'un autre certificat ; d'un autre, forme ANS
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-17 @KIT-SEC-TOK-17
  Scénario: TOK-17 Jeton lié par une empreinte presque juste
    Quand la première série est demandée avec un jeton lié : sans empreinte ; empreinte tronquée ; empreinte en capitales ; empreinte hexadécimale
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-18 @KIT-SEC-TOK-18
  Scénario: TOK-18 Jeton dont la signature ne vaut rien
    Quand la première série est demandée avec un jeton refait : alg none ; alg nOnE ; signature vide ; ES256 nulle ; crit inconnu
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-19 @KIT-SEC-TOK-19
  Scénario: TOK-19 Jeton dont l'en-tête mène ailleurs
    Quand la première série est demandée avec un jeton refait : jku ; x5u ; kid en chemin ; kid en SQL ; kid en adresse
    Alors chaque tentative est refusée sans rien livrer
    Et rien n'est demandé à un autre hôte

  @SCN-SEC-TOK-21 @KIT-SEC-TOK-21
  Scénario: TOK-21 Introspection d'une autre personne
    Quand la première série est demandée alors que l'introspection dit : une autre personne ; une autre personne
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TOK-22 @KIT-SEC-TOK-22
  Scénario: TOK-22 Jeton illisible
    Quand la première série est demandée avec un jeton refait : membres répétés ; hors UTF-8 ; mille niveaux ; jeton en cinq parties
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-24 @KIT-SEC-TOK-24
  Scénario: TOK-24 Userinfo d'une autre personne
    Quand la première série est demandée alors que userinfo dit : sub d'un autre ; sans sub
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-25 @KIT-SEC-TOK-25
  Scénario: TOK-25 Presque le jeton qui vient d'être accepté
    Quand la première série est demandée avec un jeton refait : charge changée ; jeton tronqué ; jeton allongé
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-28 @KIT-SEC-TOK-28
  Scénario: TOK-28 Horloge de PSC décalée de cinq minutes
    Quand la première série est demandée alors que l'introspection dit : cinq minutes de retard ; cinq minutes d'avance
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-29 @KIT-SEC-TOK-29
  Scénario: TOK-29 Jeton qui prend fin pendant la réponse
    Quand la session du jeton est fermée pendant la réponse, puis la série redemandée
    Alors la réponse commencée va à son terme
    Et chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-20 @KIT-SEC-TOK-20
  Scénario: TOK-20 Jeton d'une clé inconnue pendant que PSC change les siennes
    Quand la première série est demandée avec un jeton d'une clé inconnue alors que PSC publie : autres ; meme-kid ; sans-kid ; symetrique ; aucune
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TOK-26 @KIT-SEC-TOK-26
  Scénario: TOK-26 Foule d'un jeton, foule de jetons
    Quand la première série est demandée 200 fois à la fois avec un même jeton
    Et la première série est demandée 200 fois à la fois, chaque fois avec un jeton au hasard
    Alors chaque tentative a une réponse entière
    Et Pro Santé Connect n'est pas interrogé plus souvent que la Source

  @SCN-SEC-TOK-27 @KIT-SEC-TOK-27
  Scénario: TOK-27 Où restent les jetons
    Quand la première série est demandée avec des jetons que l'on reconnaîtra
    Alors aucun de ces jetons ne se lit dans une réponse ni sur une page d'administration

  @SCN-SEC-TRC-01 @KIT-SEC-TRC-01
  Scénario: TRC-01 Une demande ne forge pas de ligne dans la trace
    Quand la première série est demandée en écrivant une ligne de trace après : CR LF ; LF ; CR ; tabulation ; séparateur Unicode U+2028 ; ligne suivante U+0085 ; saut de page ; échappement de terminal ; octet nul
    Alors chaque tentative est refusée sans rien livrer
    Et aucune ligne de la trace n'est forgée

  @SCN-SEC-TRC-02 @KIT-SEC-TRC-02
  Scénario: TRC-02 Chaque refus et chaque accès laissent une trace
    Quand la première série est demandée sous un Authorization mal fait : Basic ; Bearer seul ; jeton entre guillemets
    Alors chaque tentative est refusée sans rien livrer
    Et chaque accès servi nomme dans la trace le professionnel, l'examen et le KOS
