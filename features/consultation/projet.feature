# language: fr
@consumer
Fonctionnalité: Jouer les scénarios du projet pas à pas
  SCN_DB/CO.01 et SCN_DB/CO.02 tels que les exports publics de 2022 et 2023 les décrivent (grade :
  projet), gestes et preuves. Un pilote fait les gestes ; avec le pilote « personne », chacun est une
  consigne, et ce que l'écran doit laisser est demandé en capture.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et deux examens de ce patient à une autre DRIMbox : A, de deux séries, la première avec perte, et B

  @SCN-PRJ-01 @DB.CO.54 @DB.CO.57 @DB.CO.67 @DB.CS.53 @DB.VI-CO.15
  Scénario: SCN_DB/CO.01, de l'appel contextuel à la demande des images
    Quand le RIS fait l'appel contextuel
    Alors le journal porte la preuve SCN_DB/CO.01.01.01, l'appel contextuel
    Et l'écran garde la preuve SCN_DB/CO.01.02.01, la fenêtre de Pro Santé Connect
    Quand le radiologue passe par Pro Santé Connect
    Alors le journal porte la preuve SCN_DB/CO.01.03.01, la recherche des KOS
    Et l'écran garde la preuve SCN_DB/CO.01.04.01, les examens A et B et le professionnel
    Et le journal porte la preuve SCN_DB/CO.01.04.02, la lecture des KOS
    Quand le radiologue demande la série 1 de l'examen A
    Alors le journal porte la preuve SCN_DB/CO.01.05.01, l'ouverture de la visionneuse
    Et la demande de la série 1 de l'examen A porte la preuve SCN_DB/CO.01.06.01

  @SCN-PRJ-02 @DB.CO.57 @DB.CO.60 @DB.CO.77 @DB.VI-CO.11 @DB.VI-CO.14
  Scénario: SCN_DB/CO.02, de l'affichage des images à leur export
    Étant donné le radiologue devant la liste des examens A et B
    Quand le radiologue demande la série 1 de l'examen A
    Alors la réponse de la série 1 de l'examen A porte la preuve SCN_DB/CO.02.01.01, avec perte
    Et l'écran garde la preuve SCN_DB/CO.02.02.01, la visionneuse
    Et la mesure SCN_DB/CO.02.02.02 est celle de la première image de la série 1 de l'examen A
    Quand le radiologue demande la série 2 de l'examen A
    Alors la demande de la série 2 de l'examen A porte la preuve SCN_DB/CO.02.05.01
    Et l'écran garde la preuve SCN_DB/CO.02.05.02, la visionneuse
    Et la réponse de la série 2 de l'examen A porte la preuve SCN_DB/CO.02.05.03, sans perte
    Et la mesure SCN_DB/CO.02.05.05 est celle de la première image de la série 2 de l'examen A
    Quand le radiologue revient à la liste des examens
    Et le radiologue demande la série 1 de l'examen B
    Alors l'écran garde la preuve SCN_DB/CO.02.05.06, la visionneuse
    Et la demande de la série 1 de l'examen B porte la preuve SCN_DB/CO.02.05.07
    Et la réponse de la série 1 de l'examen B porte la preuve SCN_DB/CO.02.05.08, sans perte
    Quand le radiologue revient à la liste des examens
    Et le radiologue exporte l'examen B vers le PACS local
    Alors le PACS local porte la preuve SCN_DB/CO.02.07.01, l'examen B sous l'IPP local
    Et le PACS local porte la preuve SCN_DB/CO.02.07.02, les images de l'examen B
    Et la mesure SCN_DB/CO.02.07.03 est celle de l'export de l'examen B
