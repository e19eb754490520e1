# language: fr
@consumer
Fonctionnalité: Consulter et importer un examen fait ailleurs
  Appelée par le RIS pour un patient, la DRIMbox Consommatrice authentifie le professionnel,
  trouve les KOS dans le DMP, va chercher les images et les range dans le PACS local.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 2 séries publié par une autre DRIMbox

  @SCN-CON-01 @DB.CO.48 @DB.CO.54 @DB.CO.63 @DB.CO.67 @DB.CO.91 @DB.CO.92 @DMP/UX.08 @DMP/AIRS.06
  Scénario: De l'appel contextuel à la liste des examens
    Quand le RIS appelle la Consommatrice pour ce patient
    Et le radiologue s'authentifie avec Pro Santé Connect
    Alors la Consommatrice vérifie l'accès au DMP avant de le consulter
    Et la Consommatrice trouve l'examen dans le DMP en mode AIR
    Et le VIHF reprend ce que Pro Santé Connect dit du radiologue
    Et la page présente l'examen

  @SCN-CON-02 @DB.CO.60 @DB.CO.74 @DB.CO.77 @DB.CO.84 @DB.CS.83 @DB.VI-CO.11 @DB.VI-CO.12 @DB.VI-CO.13 @DB.VI-CO.14
  Scénario: L'export range les images dans le PACS local
    Étant donné le radiologue authentifié sur la page du patient
    Quand le radiologue demande l'export de l'examen
    Alors toutes les images de l'examen arrivent dans le PACS local
    Et elles y portent l'IPP local du patient
    Et rien d'autre n'y est modifié
    Et la Consommatrice a demandé chaque série par WADO-RS avec le jeton et l'identifiant du KOS
    Et le jeton n'a jamais atteint le navigateur

  @SCN-CON-03 @DB.CO.65 @DB.CO.60 @KIT-SEC-TOK-31
  Scénario: Un jeton qui expire bientôt est renouvelé avant de partir
    Étant donné des jetons d'accès de 20 secondes
    Et le radiologue authentifié sur la page du patient
    Quand le radiologue demande l'export de l'examen
    Alors la Consommatrice renouvelle le jeton avant de demander les images
    Et toutes les images de l'examen arrivent dans le PACS local

  @SCN-CON-04 @DB.CO.54
  Scénario: La page ne montre que les examens du patient de l'appel
    Étant donné un autre patient, qui a un examen, consulté juste avant par le radiologue
    Quand le RIS appelle la Consommatrice pour ce patient dans la même session
    Alors la Consommatrice cherche dans le DMP les documents de ce patient
    Et le DMP lui rend l'examen
    Et la page présente l'examen
