# language: fr
@consumer
Fonctionnalité: Voir des images avant de les importer
  La visionneuse s'ouvre sur un examen ou sur une série. C'est la DRIMbox Consommatrice qui demande
  les images à la Source, au niveau série et de préférence avec perte : le jeton reste chez elle.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 2 séries publié par une autre DRIMbox
    Et le radiologue authentifié sur la page du patient

  @SCN-VIS-01 @DB.CO.57 @DB.VI-CO.11 @DB.VI-CO.12 @DB.VI-CO.15
  Scénario: La visionneuse s'ouvre sur un examen
    Quand le radiologue ouvre la visionneuse sur l'examen
    Alors la Consommatrice demande la série à la Source
    Et elle préfère les syntaxes de transfert avec perte
    Et le jeton n'a jamais atteint le navigateur

  @SCN-VIS-02 @DB.CO.57
  Scénario: La visionneuse s'ouvre sur une série donnée
    Quand le radiologue ouvre la visionneuse sur la série 2
    Alors la Consommatrice demande la série à la Source
