# language: fr
@source
Fonctionnalité: Faire publier par un message piégé
  Un examen est publié avant, un compte rendu juste l'est après. Entre les deux, chaque message
  piégé est d'un compte rendu à lui, sur un examen que le PACS détient : cru, il serait publié.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-SEC-HL7-03 @KIT-SEC-HL7-03
  Scénario: HL7-03 Document piégé
    Quand le RIS envoie un compte rendu dont le document est : base64 faux ; PDF ; rien ; XML coupé ; DTD sans effet ; fichier par une entité ; adresse par une entité ; bombe d'entités ; CDA d'un autre patient ; CDA sans examen ; 32 Mio de zéros
    Alors chaque message est refusé, ou l'administrateur en est alerté
    Et aucun autre KOS n'est publié

  @SCN-SEC-HL7-04 @KIT-SEC-HL7-04
  Scénario: HL7-04 Noms qui sont des programmes, échappements bancals
    Quand le RIS envoie un compte rendu où patient, auteur et structure se nomment : SQL ; LDAP ; XPath ; HTML ; attribut ; XML ; interpréteur ; gabarit
    Et le RIS envoie un compte rendu où le nom du patient porte un échappement : hexadécimal coupé ; hexadécimal impair ; local ; non fini ; ouvert en fin de champ ; de jeu de caractères
    Alors chaque nom est publié tel quel, ou refusé, et montré échappé
    Et chaque message a une réponse
    Et un compte rendu juste est publié ensuite
