# language: fr
@consumer
Fonctionnalité: Ne pas consulter sans droit ni confiance

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-COR-01 @DB.CO.93
  Scénario: Le patient a refusé la consultation
    Quand le RIS appelle la Consommatrice pour ce patient avec le consentement « non »
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page dit pourquoi rien n'est montré
    Et le DMP n'est pas consulté

  @SCN-COR-02 @DB.CO.94
  Scénario: Le consentement est inconnu
    Quand le RIS appelle la Consommatrice pour ce patient avec le consentement « inconnu »
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page dit pourquoi rien n'est montré
    Et le DMP n'est pas consulté

  @SCN-COR-03 @DB.CO.48 @KIT-SEC-OIC-12
  Scénario: Paramètre obligatoire absent
    Quand le RIS appelle la Consommatrice sans le paramètre « PatientID »
    Alors l'appel est refusé et le paramètre « PatientID » est nommé

  @SCN-COR-04 @DMP/UX.08
  Scénario: DMP fermé
    Étant donné un patient d'identité qualifiée dont le DMP est fermé
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la page dit pourquoi rien n'est montré
    Et aucun document n'est cherché dans le DMP

  @SCN-COR-05 @KIT-LISTE-BLANCHE @DB.VI-CO.27 @KIT-SEC-TOK-30
  Scénario: Source absente de la liste blanche
    Étant donné un examen CT de 1 série publié par une DRIMbox absente de la liste blanche
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue demande l'export de l'examen
    Alors la page dit que l'export a échoué
    Et aucun jeton n'est envoyé à cette Source
    Et aucune image n'arrive dans le PACS local

  @SCN-COR-06 @DB.CO.68 @KIT-SEC-DIC-10
  Scénario: Les images reçues portent l'INS d'un autre patient
    Étant donné un examen CT de 1 série publié par une DRIMbox qui se trompe d'INS
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue demande l'export de l'examen
    Alors la page dit que l'export a échoué
    Et aucune image n'arrive dans le PACS local

  @SCN-COR-07 @DB.CO.63
  Scénario: L'adresse de la page ne suffit pas à la voir
    Étant donné un examen CT de 1 série publié par une autre DRIMbox
    Et le radiologue authentifié sur la page du patient
    Quand l'adresse de la page est ouverte dans un autre navigateur
    Alors rien n'est montré sans authentification
