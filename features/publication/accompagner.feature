# language: fr
@source
Fonctionnalité: Accompagner le compte rendu que le RIS publie
  Le RIS publie lui-même le compte rendu dans le DMP, le remplace et le supprime, puis en envoie la
  copie. La Source n'en publie que les KOS, qui se retrouvent par les mêmes numéros.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert

  @SCN-ACC-01 @KIT-COMPTE-RENDU
  Scénario: Le compte rendu du RIS et les KOS de la Source se retrouvent par les mêmes numéros
    Étant donné 3 examens CT dans le PACS
    Quand le RIS publie le compte rendu dans le DMP, puis en envoie la copie
    Alors la Source acquitte par AA
    Et 3 KOS sont publiés dans le DMP
    Et le compte rendu et ses KOS portent dans le DMP les mêmes numéros
    Et la Source ne publie pas le compte rendu

  @SCN-ACC-02 @KIT-COMPTE-RENDU
  Scénario: Le RIS remplace puis supprime son compte rendu, le KOS suit
    Étant donné un examen CT de 1 série dans le PACS
    Quand le RIS publie le compte rendu dans le DMP, puis en envoie la copie
    Alors 1 KOS est publié dans le DMP
    Quand le RIS remplace le compte rendu dans le DMP, au numéro de demande corrigé, puis en envoie la copie
    Alors le KOS en vigueur est remplacé par un autre
    Et le compte rendu et ses KOS portent dans le DMP les mêmes numéros
    Quand le RIS supprime le compte rendu du DMP, puis en envoie la copie
    Alors le KOS est dépublié du DMP
    Et la Source ne publie pas le compte rendu
