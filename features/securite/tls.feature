# language: fr
@source
Fonctionnalité: Ouvrir la porte des images sous un faux nom
  Chaque tentative est encadrée par deux demandes conformes sur le même accès : un serveur éteint,
  ou qui refuse tout le monde, ne refuse personne.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié

  @SCN-SEC-TLS-02 @KIT-SEC-TLS-02
  Scénario: TLS-02 Certificat signé par lui-même
    Quand la première série est demandée sous un certificat : signé par lui-même
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-04 @KIT-SEC-TLS-04
  Scénario: TLS-04 Certificat d'une autorité qui se fait passer pour l'IGC-Santé
    Quand la première série est demandée sous un certificat : d'autorités de mêmes noms
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-05 @KIT-SEC-TLS-05
  Scénario: TLS-05 Certificat de la gamme de production devant une boîte réglée pour celle de test
    Quand la première série est demandée sous un certificat : de la gamme de production
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-06 @KIT-SEC-TLS-06
  Scénario: TLS-06 Certificat de l'IGC-Santé qui n'est pas celui d'un client
    Quand la première série est demandée sous un certificat : de signature ; d'usage serveur ; de l'autorité des personnes
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-07 @KIT-SEC-TLS-07
  Scénario: TLS-07 Certificat de serveur de l'IGC-Santé, qui vaut aussi pour un client
    Quand la première série est demandée deux fois sous un certificat : SERV SSL
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TLS-08 @KIT-SEC-TLS-08
  Scénario: TLS-08 Certificat hors de ses dates
    Quand la première série est demandée sous un certificat : expiré ; pas encore valable ; d'une ancienne autorité
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-10 @KIT-SEC-TLS-10
  Scénario: TLS-10 CRL qui ne s'obtient pas, ou ne vaut rien
    Quand la première série est demandée deux fois sous un certificat dont la CRL est : injoignable ; HTTP 404 ; échue ; signée d'une autre clé ; tronquée ; de 100 Mio ; boucle de redirections
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TLS-11 @KIT-SEC-TLS-11
  Scénario: TLS-11 Réponses OCSP qui ne prouvent rien
    Quand la première série est demandée sous un certificat révoqué dont l'OCSP répond : tryLater ; internalError ; périmée ; d'un répondeur sosie ; d'un répondeur du marché ; d'un répondeur sans l'usage ; pour un autre numéro ; rejouée, sans nonce ; rejouée, à l'autre nonce ; à la signature changée
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-12 @KIT-SEC-TLS-12
  Scénario: TLS-12 Certificat montré sans son intermédiaire
    Quand la première série est demandée deux fois sous un certificat : sans son intermédiaire
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TLS-13 @KIT-SEC-TLS-13
  Scénario: TLS-13 Certificat dont les adresses mènent chez l'attaquant
    Quand la première série est demandée sous un certificat dont les adresses mènent à l'attaquant : signé par lui-même ; d'autorités de mêmes noms ; de l'IGC-Santé, aux adresses ldap et file
    Alors personne n'est venu aux adresses de l'attaquant

  @SCN-SEC-TLS-14 @KIT-SEC-TLS-14
  Scénario: TLS-14 Chaîne que la norme interdit
    Quand la première série est demandée sous un certificat : d'une autorité en trop ; d'extension critique inconnue
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-15 @KIT-SEC-TLS-15
  Scénario: TLS-15 Certificat d'une cryptographie trop faible
    Quand la première série est demandée sous un certificat : de clé RSA 1024 ; signé par SHA-1
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-17 @KIT-SEC-TLS-17
  Scénario: TLS-17 Nom presque égal à celui d'un membre
    Quand la première série est demandée sous un certificat : en capitales ; espace à la fin ; préfixe ; suffixe ; homographe ; OU de plus ; RDN à plusieurs valeurs ; nom entier dans O ; virgule échappée ; octet nul
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-18 @KIT-SEC-TLS-18
  Scénario: TLS-18 Nom d'un membre, d'une autre structure
    Quand la première série est demandée sous un certificat : autre OU ; autre ST ; autre O
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-19 @KIT-SEC-TLS-19
  Scénario: TLS-19 Pair ôté de la liste pendant que sa connexion demeure
    Quand un pair ôté de la liste blanche redemande la première série par : connexion gardée ; session TLS 1.2 reprise ; session TLS 1.3 reprise
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-22 @KIT-SEC-TLS-22
  Scénario: TLS-22 Protocoles d'autrefois
    Quand une poignée de main n'offre que : SSL 3.0 ; TLS 1.0 ; TLS 1.1
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-23 @KIT-SEC-TLS-23
  Scénario: TLS-23 Suites qui ne chiffrent pas, ou plus, et celles que déconseille le guide de l'ANSSI
    Quand une poignée de main n'offre que les suites : NULL ; EXPORT ; RC4 ; 3DES
    Alors chaque tentative est refusée sans rien livrer
    Quand une poignée de main n'offre, deux fois, que les suites : RSA sans échange éphémère ; CBC seules ; DHE
    Alors chaque tentative est servie ou refusée, toujours de même

  @SCN-SEC-TLS-24 @KIT-SEC-TLS-24
  Scénario: TLS-24 Rétrogradation, compression et renégociation
    Quand une poignée de main feint un repli, offre la compression, puis recommence dans sa session
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-25 @KIT-SEC-TLS-25
  Scénario: TLS-25 En-têtes d'un frontal, à la place du certificat
    Quand la première série est demandée sans certificat, puis sous un nom absent de la liste, un en-tête de frontal portant celui d'un membre : X-SSL-Client-Cert ; X-Client-DN ; SSL_CLIENT_S_DN ; X-Forwarded-Client-Cert
    Alors chaque tentative est refusée sans rien livrer

  @SCN-SEC-TLS-26 @KIT-SEC-TLS-26
  Scénario: TLS-26 HTTP en clair
    Quand la première série est demandée en clair à chaque port HTTP de la Source
    Alors aucun port ne rend rien en clair

  @SCN-SEC-TLS-28 @KIT-SEC-TLS-28
  Scénario: TLS-28 Poignées de main sans fin, ou démesurées
    Quand la première série est demandée pendant que 300 connexions sont : connexions muettes ; poignées de main à un octet ; poignées de main à moitié dites
    Alors la demande conforme est servie au milieu de chaque foule
    Quand une poignée de main porte cent certificats, puis un message de 16 Mio
    Alors chaque tentative a une réponse entière

  @SCN-SEC-TLS-29 @KIT-SEC-TLS-29
  Scénario: TLS-29 Demandes de deux longueurs
    Quand un membre envoie une demande ambiguë : CL.TE ; TE.CL ; deux Content-Length ; Content-Length double ; Content-Length signé ; espace avant les deux points ; codage inconnu ; deux codages
    Alors chaque demande ambiguë est refusée, et sa connexion fermée

  @SCN-SEC-TLS-30 @KIT-SEC-TLS-30
  Scénario: TLS-30 Nom d'un autre hôte, ou aucun
    Quand la Source est abordée deux fois sans SNI, sous celui d'un autre hôte, puis sous son en-tête Host
    Alors chaque tentative est servie ou refusée, toujours de même
