# language: fr
@consumer
Fonctionnalité: Chercher, lire, comprendre sur la page du patient
  La page montre ce que le DMP tient du patient de l'appel : les examens que l'on cherche, les
  comptes rendus qui vont avec, et quand rien ne vient, pourquoi.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-PAG-01 @DB.CO.55 @DMP/UX.27
  Scénario: Les critères du radiologue vont jusqu'au DMP
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue ne cherche plus que les examens de modalité « MR »
    Alors la recherche demande au DMP la modalité « MR »
    Et la page ne présente plus l'examen

  @SCN-PAG-02 @DB.CO.58 @DMP/UX.15
  Scénario: Le compte rendu d'un examen se lit à côté de lui
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et un compte rendu de niveau 3 de cet examen dans le DMP
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue ouvre le compte rendu
    Alors le texte du compte rendu se lit

  @SCN-PAG-03 @KIT-DMP-DIT
  Scénario: Le DMP trouve trop de documents
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et un DMP qui répond aux recherches par l'erreur « XDSTooManyResults »
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page dit pourquoi rien n'est montré
    Et la page montre l'examen quand le DMP répond de nouveau

  @SCN-PAG-04 @DB.CO.48 @DB.CO.54 @KIT-SEC-OIC-12
  Scénario: Deux patients dans deux onglets
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et un autre patient, qui a un examen, consulté juste avant par le radiologue
    Quand le RIS appelle la Consommatrice pour ce patient dans la même session
    Et le radiologue recharge l'onglet de l'autre patient
    Alors cet onglet montre toujours l'autre patient et son examen

  @SCN-PAG-05 @KIT-DMP-DIT
  Scénario: Le DMP ne donne qu'une partie de ce qu'il a trouvé
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et un DMP qui ne donne aux recherches qu'une partie de ce qu'il trouve
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page montre l'examen, et dit que le DMP n'a pas tout donné

  @SCN-PAG-06 @KIT-SEC-SML-05
  Scénario: Les réponses du DMP sont piégées
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Quand le DMP répond tour à tour par : une déclaration de type de document ; une bombe d'entités ; une entité qui mène à un fichier ; 64 Mio de base64 à la place d'un document ; un document annoncé, sans sa partie MTOM ; deux parties MTOM du même Content-ID ; une réponse qui ne finit pas, et la page est ouverte chaque fois
    Alors la page dit chaque fois pourquoi rien n'est montré
    Et la réponse sans fin du DMP est coupée
    Et la page montre l'examen quand les réponses du DMP sont justes
