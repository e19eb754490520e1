# language: fr
@consumer
Fonctionnalité: Consulter le DMP par l'API Pro Santé Connectée
  Le jeton de Pro Santé Connect est échangé contre un jeton de l'API du DMP, lié au certificat de la
  DRIMbox ; une session que Pro Santé Connect termine ne montre plus rien.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-IDT-01 @KIT-API-PSC
  Scénario: Le DMP est consulté avec un jeton de son API
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la Consommatrice échange une fois le jeton du radiologue contre un jeton de l'API du DMP
    Et chaque demande au DMP porte ce jeton
    Et la page présente l'examen

  @SCN-IDT-02 @KIT-API-PSC
  Scénario: Un échange de jeton refusé est dit
    Étant donné un serveur d'autorisation du DMP qui refuse les échanges de jeton
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page dit pourquoi rien n'est montré
    Et aucun document n'est cherché dans le DMP

  @SCN-IDT-03 @KIT-FIN-SESSION
  Scénario: Une session finie chez Pro Santé Connect l'est aussi sur la page
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et le radiologue authentifié sur la page du patient
    Quand Pro Santé Connect annonce la fin de la session du radiologue
    Alors la Consommatrice prend acte de la fin de la session
    Et rien n'est montré sans authentification
