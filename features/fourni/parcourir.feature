# language: fr
@source @consumer
Fonctionnalité: Parcourir toute la chaîne avec un compte rendu fourni
  Un compte rendu que nous n'avons pas écrit (drimbench run --report) est envoyé comme le ferait
  le RIS ; ses examens sont publiés, trouvés par un autre site, et importés.

  @SCN-FOU-01 @DB.SO.03 @DB.SO.11 @DB.SO.12 @DB.SO.14 @DB.SO.18 @DB.SO.19 @DB.CO.48 @DB.CO.54 @DB.CO.60 @DB.CO.67 @DB.CO.77
  Scénario: Le compte rendu fourni est publié, consulté et importé
    Étant donné le compte rendu fourni, dont les examens sont dans le PACS
    Quand le RIS envoie le compte rendu fourni
    Alors la Source acquitte par AA
    Et un KOS est publié pour chaque examen du compte rendu
    Et la Source n'interroge le PACS que sur ces examens
    Quand le radiologue consulte ce patient depuis un autre site
    Alors la page présente tous les examens
    Quand le radiologue demande l'export de chaque examen
    Alors toutes les images de tous les examens arrivent dans le PACS local
    Et elles y portent l'IPP local du patient
