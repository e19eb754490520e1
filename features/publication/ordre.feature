# language: fr
@source
Fonctionnalité: Recevoir les messages d'un compte rendu dans le désordre
  Deux messages d'un même compte rendu se doublent en chemin : celui qui arrive en retard ne défait
  pas ce que l'autre a demandé.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série dans le PACS

  @SCN-ORD-01 @KIT-ORDRE
  Scénario: L'annulation arrive avant la création
    Quand le RIS crée puis annule le compte rendu, et l'annulation arrive d'abord
    Alors aucun KOS n'est publié

  @SCN-ORD-02 @KIT-ORDRE
  Scénario: La correction arrive avant la création
    Quand le RIS crée puis corrige le compte rendu, et la correction arrive d'abord
    Alors 1 KOS est publié dans le DMP
    Et aucun autre KOS n'est publié
    Et le KOS en vigueur porte le numéro de demande corrigé
