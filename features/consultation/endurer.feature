# language: fr
@consumer
Fonctionnalité: Se garder d'une Source impolie
  Une Source de la liste blanche peut être mal réglée, en panne ou usurpée. Aucun jeton ne part
  avant que la confiance soit établie, rien de faux n'arrive dans le PACS local, la page dit ce qui
  se passe, et l'examen s'exporte dès que la Source va bien.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et une Source de la liste blanche, qui vient de donner l'examen d'un autre patient

  @SCN-END-01 @DB.VI-CO.13 @DB.VI-CO.27 @KIT-SEC-TLS-20 @KIT-SEC-TLS-21
  Scénario: Le certificat de la Source n'est pas le bon
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source montre tour à tour un certificat : d'un autre hôte ; d'une autre autorité ; échu ; auto-signé ; de client, et l'examen est demandé chaque fois
    Alors aucun jeton ne part vers la Source
    Et la page dit chaque fois que l'export a échoué
    Et rien de cet examen n'est dans le PACS local
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-02 @KIT-LISTE-BLANCHE @KIT-SEC-TOK-30
  Scénario: La Source renvoie ailleurs
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source renvoie tour à tour : un autre hôte ; le même hôte en clair, et l'examen est demandé chaque fois
    Alors aucun jeton ne part vers un autre hôte ni en clair
    Et la page dit chaque fois que l'export a échoué
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-03 @KIT-LISTE-BLANCHE @KIT-SEC-TOK-30
  Scénario: L'adresse que donne le KOS mène hors de la liste blanche
    Étant donné des KOS de ce patient qui donnent pour adresse : http en clair ; un hôte listé devant un autre hôte ; un hôte listé dans le nom d'un autre ; la machine elle-même
    Quand chacun de ces examens est demandé : http en clair ; un hôte listé devant un autre hôte ; un hôte listé dans le nom d'un autre ; la machine elle-même
    Alors aucun jeton ne part vers la Source
    Et la page dit chaque fois que l'export a échoué
    Et rien de cet examen n'est dans le PACS local
    Et la Source donne encore l'examen d'un autre patient

  @SCN-END-04 @DB.VI-CO.27 @KIT-SEC-TOK-32
  Scénario: La Source refuse ou ne répond pas
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source répond tour à tour : HTTP 401 ; HTTP 403 ; HTTP 404 ; HTTP 406 ; HTTP 410 ; HTTP 500 ; HTTP 503 avec Retry-After ; connexion fermée, et l'examen est demandé chaque fois
    Alors la page dit chaque fois que l'export a échoué
    Et les messages disent, dans l'ordre : jeton ; profession ; récupération ; récupération ; récupération ; récupération ; récupération ; connexion
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-05 @DB.VI-CO.27 @KIT-SEC-DIC-11
  Scénario: La réponse de la Source ne se lit pas ou s'arrête
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source répond tour à tour : frontière finale absente ; connexion coupée au milieu ; frontière autre qu'annoncée ; frontière non annoncée ; page HTML ; en-têtes démesurés ; réponse comprimée mille fois, et l'examen est demandé chaque fois
    Alors la page dit chaque fois que l'export a échoué
    Et le PACS local n'a que des images du KOS, et rien d'incomplet n'est dit terminé
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-06 @DB.CO.60 @KIT-SEC-DIC-11
  Scénario: La série rendue n'est pas celle du KOS
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source répond tour à tour : image en trop ; image manquante ; images en double, et l'examen est demandé chaque fois
    Alors le PACS local n'a que des images du KOS, et rien d'incomplet n'est dit terminé
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-07 @DB.VI-CO.27 @KIT-SEC-DIC-11
  Scénario: La Source rend une syntaxe de transfert qui n'a pas été demandée
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source rend des images dans une syntaxe de transfert qui n'a pas été demandée
    Alors la page dit chaque fois que l'export a échoué
    Et les messages disent, dans l'ordre : syntaxe de transfert
    Et rien de cet examen n'est dans le PACS local
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-08 @DB.VI-CO.27 @KIT-SEC-DIC-11
  Scénario: La Source rend des objets d'une SOP Class que rien ne prend en charge
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source rend des objets d'une SOP Class privée
    Alors la page dit chaque fois que l'export a échoué
    Et les messages disent, dans l'ordre : SOP Class
    Et rien de cet examen n'est dans le PACS local
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-09 @KIT-SOURCE-HOSTILE
  Scénario: La réponse de la Source ne finit pas
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source rend une image sans fin
    Alors la réponse sans fin est coupée
    Et la page dit chaque fois que l'export a échoué
    Et rien de cet examen n'est dans le PACS local
    Et l'examen s'exporte quand la Source est redevenue normale

  @SCN-END-10 @KIT-SOURCE-HOSTILE
  Scénario: Une Source lente ne retient pas les autres examens
    Étant donné un examen CT de 1 série de ce patient à cette même Source
    Quand la Source rend cet examen octet par octet, pendant qu'un autre examen lui est demandé
    Alors l'autre examen est exporté sans attendre
    Et l'examen lent arrive entier quand la Source a repris son rythme

  @SCN-END-11 @KIT-SEC-DIC-07
  Scénario: Les fichiers de la Source sont malformés
    Quand la Source rend des fichiers piégés d'un examen par piège : le préfixe DICM absent ; mille octets manquent à la fin ; une longueur au-delà de la fin du fichier ; une séquence qui n'est pas fermée ; dix mille séquences l'une dans l'autre ; 256 Mio de zéros sous Deflated Explicit VR
    Alors la page dit chaque fois que l'export a échoué
    Et rien de cet examen n'est dans le PACS local
    Et la Source donne encore l'examen d'un autre patient

  @SCN-END-12 @KIT-SEC-DIC-07 @KIT-SEC-DIC-09
  Scénario: Les fichiers de la Source portent un programme
    Quand la Source rend des fichiers piégés d'un examen par piège : un préambule de programme (MZ) ; un préambule de page HTML ; un script dans un élément privé ; un jeu de caractères inconnu ; des échappements ISO 2022 bancals ; des balises dans PatientName et SeriesDescription
    Alors chaque examen est entier dans le PACS local, ou dit en échec
    Et aucune page ne porte de balise venue d'un fichier
    Et la Source donne encore l'examen d'un autre patient

  @SCN-END-13 @KIT-SEC-DIC-08
  Scénario: Les pixels de la Source mentent
    Quand la Source rend des fichiers piégés d'un examen par piège : 65 535 lignes et colonnes annoncées ; un milliard d'images annoncées ; plus de bits utiles que de bits alloués ; zéro ligne et zéro colonne annoncées
    Alors chaque examen est entier dans le PACS local, ou dit en échec
    Et la Source donne encore l'examen d'un autre patient
