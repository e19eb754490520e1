# language: fr
@source
Fonctionnalité: Ne pas publier ce qui est incohérent
  Un compte rendu sans identité qualifiée, un examen absent du PACS, un IPP ou un numéro
  d'accession qui diffère : rien n'est publié, l'administrateur est alerté, rien n'est perdu.

  @SCN-REF-01 @DB.SO.11 @DB.SO.21 @DB.SO.45 @KIT-SEC-HL7-05
  Scénario: Identité non qualifiée
    Étant donné un patient d'identité provisoire dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu
    Alors aucun KOS n'est publié
    Et l'administrateur est alerté
    Et l'échec est tracé avec sa raison

  @SCN-REF-02 @DB.SO.15 @DB.SO.21 @DB.SO.45
  Scénario: Examen absent du PACS
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT que le PACS ne connaît pas
    Quand le RIS envoie le compte rendu
    Alors la Source interroge le PACS 1 fois
    Et aucun KOS n'est publié
    Et l'administrateur est alerté
    Et l'échec est tracé avec sa raison

  @SCN-REF-03 @DB.SO.16 @DB.SO.21 @DB.SO.45
  Scénario: L'IPP du PACS n'est pas celui du compte rendu
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT rangé dans le PACS sous un autre IPP
    Quand le RIS envoie le compte rendu
    Alors aucun KOS n'est publié
    Et l'administrateur est alerté
    Et l'échec est tracé avec sa raison

  @SCN-REF-04 @DB.SO.17 @DB.SO.21 @DB.SO.45
  Scénario: Le numéro d'accession du PACS n'est pas dans le compte rendu
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT rangé dans le PACS sous un autre numéro d'accession
    Quand le RIS envoie le compte rendu
    Alors aucun KOS n'est publié
    Et l'administrateur est alerté
    Et l'échec est tracé avec sa raison

  @SCN-REF-05 @DB.SO.19 @DB.SO.89 @DB.SO.21
  Scénario: Aucun certificat pour la structure du valideur
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un compte rendu validé dans une structure dont la Source n'a pas les certificats
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu
    Alors aucun KOS n'est publié
    Et l'administrateur est alerté

  @SCN-REF-06 @DB.SO.03
  Scénario: Message incohérent entre ORC-1 et OBX-11
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu avec ORC-1 « CA » et OBX-11 « F »
    Alors la Source ne prend pas ce message en compte

  @SCN-REF-07 @DB.SO.03 @KIT-SEC-HL7-02
  Scénario: Message d'une version inconnue
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu dans une version de HL7 et du volet qui n'existe pas
    Alors la Source ne prend pas ce message en compte

  @SCN-REF-08 @DB.SO.15
  Scénario: Les images arrivent après le compte rendu
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT que le PACS ne connaît pas
    Quand le RIS envoie le compte rendu
    Alors l'administrateur est alerté
    Quand les images arrivent dans le PACS et le RIS renvoie le compte rendu
    Alors 1 KOS est publié dans le DMP
    Et chaque KOS référence exactement les images de son examen

  @SCN-REF-09 @KIT-DESTDMP
  Scénario: Compte rendu qui n'est pas destiné au DMP
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS
    Quand le RIS envoie le compte rendu sans le destiner au DMP
    Alors le KOS n'est publié que si l'option « without_dmp » du profil le veut
