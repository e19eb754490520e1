# language: fr
@consumer
Fonctionnalité: Se connecter par ce que Pro Santé Connect n'a pas dit
  Chaque tentative est encadrée par deux connexions conformes, chacune dans un navigateur vide, qui
  montrent l'examen.

  Contexte:
    Étant donné un patient d'identité qualifiée dont le DMP est ouvert
    Et un examen CT de 1 série publié par une autre DRIMbox

  @SCN-SEC-OIC-01 @KIT-SEC-OIC-01
  Scénario: OIC-01 Retour de Pro Santé Connect sans son state
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : sans state ; state inconnu ; state d'un autre navigateur
    Et l'adresse de retour d'une connexion est ouverte dans un autre navigateur, avant puis après avoir servi
    Alors chaque tentative ne connecte personne

  @SCN-SEC-OIC-02 @KIT-SEC-OIC-02
  Scénario: OIC-02 Jeton d'identité fautif
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : iss ; aud ; azp ; sans sub ; exp passé ; sans exp ; iat à venir ; autre nonce ; sans nonce ; autre clé ; alg none ; HS256 par la clé publique ; at_hash
    Alors chaque tentative ne connecte personne

  @SCN-SEC-OIC-03 @KIT-SEC-OIC-03
  Scénario: OIC-03 Retour d'un autre fournisseur d'identité
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : iss de retour d'un autre ; sans iss de retour
    Alors chaque tentative ne connecte personne

  @SCN-SEC-OIC-04 @KIT-SEC-OIC-04
  Scénario: OIC-04 Code qui ne vaut rien, erreur qui porte du HTML
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : sans code ; code inconnu ; code déjà servi ; code d'un autre client ; code et retour chariot ; erreur qui porte du HTML
    Alors chaque tentative ne connecte personne
    Et aucune page ne porte le script que disait Pro Santé Connect

  @SCN-SEC-OIC-05 @KIT-SEC-OIC-05
  Scénario: OIC-05 Défi PKCE de chaque connexion
    Quand le radiologue s'authentifie deux fois, dans deux navigateurs
    Alors chaque demande d'autorisation porte son propre défi S256

  @SCN-SEC-OIC-06 @KIT-SEC-OIC-06
  Scénario: OIC-06 Renvoi ouvert par un paramètre d'adresse
    Quand une connexion est menée ailleurs par ses paramètres : redirect_uri ; post_logout_redirect_uri ; returnTo
    Alors la Consommatrice ne mène jamais ailleurs

  @SCN-SEC-OIC-07 @KIT-SEC-OIC-07
  Scénario: OIC-07 Découverte d'un autre que Pro Santé Connect
    Quand la Consommatrice redémarre et le radiologue s'authentifie alors que Pro Santé Connect rend : découverte d'un autre issuer ; découverte d'adresses http ; découverte de clés d'un autre ; découverte renvoyée ailleurs
    Alors chaque tentative ne connecte personne

  @SCN-SEC-OIC-08 @KIT-SEC-OIC-08
  Scénario: OIC-08 Réponse inattendue du point de jetons
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : type BEARER
    Alors chaque tentative montre l'examen
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : type inconnu
    Alors chaque tentative ne connecte personne
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : sans expires_in ; expires_in négatif ; expires_in en texte ; sans refresh_token
    Alors chaque tentative est utilisable ou refusée clairement

  @SCN-SEC-OIC-09 @KIT-SEC-OIC-09
  Scénario: OIC-09 Userinfo d'un autre, ou d'on ne sait qui
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : sub d'un autre ; userinfo sans sub ; JWT non signé ; JWT d'une clé inconnue
    Alors chaque tentative ne connecte personne

  @SCN-SEC-OIC-10 @KIT-SEC-OIC-10
  Scénario: OIC-10 Session fixée d'avance, lue par un script, vivante après sa fin
    Quand le radiologue se connecte, se déconnecte et revient, ses cookies rejoués à chaque fois
    Alors les cookies de la session sont hors de portée des scripts et des autres sites
    Et aucun identifiant de session n'est dans une adresse
    Et la session commence à la connexion et finit à la déconnexion

  @SCN-SEC-OIC-11 @KIT-SEC-OIC-11
  Scénario: OIC-11 Jeton de déconnexion forgé
    Étant donné le radiologue authentifié sur la page du patient
    Quand un jeton de déconnexion faux est posté à la Consommatrice : alg none ; autre clé ; iss ; aud ; nonce ; sans events ; autre events ; ni sub ni sid ; autre sid
    Alors chaque jeton de déconnexion est refusé et la session demeure
    Quand Pro Santé Connect annonce la fin de la session du radiologue
    Alors la Consommatrice prend acte de la fin de la session
    Et rien n'est montré sans authentification

  @SCN-SEC-OIC-13 @KIT-SEC-OIC-13
  Scénario: OIC-13 Userinfo inattendu de la bonne personne
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : une activité
    Alors chaque tentative montre l'examen
    Quand le radiologue s'authentifie alors que Pro Santé Connect rend : aucune activité ; cinquante activités ; textes vides ; sans SubjectRefPro ; noms qui portent du HTML ; noms qui renversent l'écriture ; noms sur plusieurs lignes ; noms de 10 Ko
    Alors chaque tentative est utilisable ou refusée clairement
    Et aucune page ne porte le script que disait Pro Santé Connect
