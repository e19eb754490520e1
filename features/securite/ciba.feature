# language: fr
@consumer
Fonctionnalité: Se connecter par CIBA
  La Consommatrice demande à Pro Santé Connect d'interroger le radiologue sur son téléphone, et
  attend. Chaque tentative est encadrée par deux connexions conformes qui montrent l'examen.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié par une autre DRIMbox
    Et une Consommatrice qui authentifie par CIBA

  @SCN-SEC-CIB-01 @KIT-SEC-CIB-01
  Scénario: CIB-01 Attente, puis demande de ralentir
    Quand le radiologue tarde à répondre, et Pro Santé Connect demande de ralentir
    Alors l'intervalle entre deux interrogations est tenu
    Et chaque tentative montre l'examen

  @SCN-SEC-CIB-02 @KIT-SEC-CIB-02
  Scénario: CIB-02 Demande refusée, expirée, inconnue
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : accès refusé ; demande expirée ; demande inconnue
    Alors chaque tentative ne connecte personne
    Et la fin de chaque demande est dite, et elle n'est plus interrogée

  @SCN-SEC-CIB-03 @KIT-SEC-CIB-03
  Scénario: CIB-03 Accusé de réception sans ses champs, ou d'un intervalle absurde
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : sans auth_req_id
    Alors chaque tentative ne connecte personne
    Et chaque interrogation nomme une demande que Pro Santé Connect a donnée
    Quand des connexions attendent côte à côte alors que Pro Santé Connect accuse réception : sans interval ; interval nul ; interval négatif ; interval d'un jour ; sans expires_in
    Alors chaque tentative est utilisable ou refusée clairement
    Et la connexion sans interval aboutit
    Et aucune attente ne dure plus que sa demande
    Et l'intervalle entre deux interrogations est tenu

  @SCN-SEC-CIB-04 @KIT-SEC-CIB-04
  Scénario: CIB-04 Chiffres à comparer sur les deux écrans
    Quand 10 connexions commencent, chacune dans un navigateur
    Alors chaque page montre les deux chiffres du téléphone, que rien n'annonce

  @SCN-SEC-CIB-05 @KIT-SEC-CIB-05
  Scénario: CIB-05 Identité d'un autre que celui qui s'est annoncé
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : session d'un autre professionnel ; jeton d'identité d'un autre
    Alors chaque tentative ne connecte personne
