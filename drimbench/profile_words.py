"""What each key of a profile means, in French: for the files that `init` writes, and editors."""

from __future__ import annotations

from typing import Final

__all__ = ["SECTIONS", "WORDS"]

SECTIONS: Final = {
    "": "Ce que le produit revendique, où il est, et ce que le banc attend de lui.",
    "claims": "Ce que le produit revendique ; le reste est « sans objet », jamais un échec.",
    "product": "L'identité que montrent les rapports.",
    "source": "La DRIMbox Source : une commande qui la lance, ou les adresses où elle est déjà.",
    "consumer": "La DRIMbox Consommatrice : une commande, ou les adresses où elle est déjà.",
    "world": "Adresse et ports fixes des simulateurs, pour un produit configuré une fois ; 0 : "
    "un port libre.",
    "neighbours": "Ce que sont les voisins des boîtes : « simulé », « externe ADRESSE » (le banc "
    "n'en voit rien) ou « écouté ADRESSE » (les boîtes y passent par le banc, qui enregistre).",
    "papers": "Pour parler TLS à un voisin réel ; sans papiers, l'écoute ne voit que des octets "
    "scellés.",
    "certificates": "Ce que montre un produit qui a ses propres certificats : fichiers PEM, ou "
    "« env:NOM » pour leur texte ; vide : ce que le banc a émis. Jamais de clé.",
    "patients": "Patients que connaît un DMP réel, plusieurs de chaque état ; ils servent à tour "
    "de rôle.",
    "timing": "Ce que le banc attend, en secondes.",
    "load": "À quoi une personne ou un essai de charge compare ses mesures ; au rapport.",
    "fuzz": "Ce que « drimbench fuzz » peut malmener ; cette machine n'a pas à être écrite.",
    "demands": "Ce que les juges de fichiers exigent alors ; vide : rien de plus que les textes.",
    "options": "Points que les textes publics laissent ouverts (drimbench options les liste).",
    "suites": "Ce que joue « drimbench run --suite NOM » : scénarios, exigences, étiquettes, "
    "domaines ou rôles.",
    "expected_failures": "Un échec connu, admis jusqu'à un jour : dit à part, il ne compte pas.",
    "challenges": "Un essai tenu pour erroné : jugé comme les autres, l'argument est au rapport.",
}

WORDS: Final = {
    "name": "Nom de ce profil, dans les rapports.",
    "floor": "Sous ce niveau de confiance, une erreur n'est qu'un avertissement : "
    "faq, standard, sample, draft, demonstrator ou inferred.",
    "strict": "Un avertissement compte comme un échec.",
    "claims.source": "Le produit publie des examens et sert des images.",
    "claims.consumer": "Le produit consulte les examens des autres.",
    "claims.mode": "proxy : devant un PACS ; native : le PACS en est une partie.",
    "claims.omi": "proxy : il prend aussi OMI^O23 du PACS ; faux : les notes IOCM seules.",
    "product.name": "Nom commercial.",
    "product.version": "Version soumise aux essais.",
    "product.vendor": "Éditeur.",
    "source.command": "Commande et arguments ; {python}, {config} et {ready} sont remplacés.",
    "source.mllp": "adresse:port où elle reçoit les comptes rendus (MLLP).",
    "source.mllps": "adresse:port où elle les reçoit par MLLP sur TLS mutuel ; tous, si "
    "source.mllp est vide.",
    "source.wado": "adresse:port où elle sert les images (WADO-RS, TLS).",
    "source.dicom": "adresse:port où elle reçoit les objets du PACS (C-STORE).",
    "source.iocm": "adresse:port où elle reçoit les notes IOCM du PACS ; vide : source.dicom.",
    "source.admin": "adresse:port de ses alertes et traces ; sans elle, une personne les relit.",
    "source.viewer": "adresse:port de sa visionneuse, où mènent les liens de ses comptes rendus ; "
    "vide : les scénarios qui la jugent sont laissés.",
    "source.viewer_host": "Nom « vi » de cette visionneuse ; vide : celui de source.host, vi au "
    "lieu de db.",
    "source.viewer_redirect": "Chemin de cette visionneuse où Pro Santé Connect renvoie.",
    "source.ports": "Ports qu'elle doit prendre quand le banc la lance : mllp, mllps, wado, dicom, "
    "admin, viewer.",
    "source.ae_title": "Titre d'application DICOM.",
    "source.host": "Nom « db » : liste blanche, certificat du serveur, RetrieveURL des KOS.",
    "source.store": "native : adresse:port où son PACS reçoit les images du banc (C-STORE).",
    "source.store_ae_title": "native : titre d'application de ce PACS.",
    "source.stow": "native : racine DICOMweb où son PACS reçoit les images (STOW-RS), à la place.",
    "source.stow_trust": "Autorités (PEM) de cette adresse https ; vide : celle du banc.",
    "source.stow_certificate": "Certificat client (PEM) à y montrer ; vide : aucun.",
    "source.stow_key": "Sa clé (PEM).",
    "source.changes": "Commande de l'éditeur qui retire des images de son PACS (native), importe "
    "ou exporte une archive XDM : remove-instance, remove-study, import-xdm, export-xdm, resync ; "
    "sans elle, une personne.",
    "source.pacs_changes": "Commande du site, qui retire des images de son PACS réel "
    "(neighbours.pacs) et lui fait envoyer une note : remove-instance, remove-study, send ; sans "
    "elle, ces scénarios ne se vérifient pas. Pour Orthanc : examples/orthanc_changes.py.",
    "source.database": "Référence seule : base PostgreSQL de son état, vide au départ "
    "(postgresql://… ou env:NOM) ; sans elle, un fichier.",
    "source.start": "Avant les scénarios d'images : report, un compte rendu est publié ; xdm, le "
    "KOS est préchargé par une archive.",
    "consumer.start": "Avant les scénarios : report, une Source publie ; preloaded, le DMP détient "
    "déjà le KOS.",
    "consumer.command": "Commande et arguments ; {python}, {config} et {ready} sont remplacés.",
    "consumer.web": "adresse:port de la page qui reçoit l'appel contextuel (TLS).",
    "consumer.admin": "adresse:port de ses traces ; sans elle, une personne les relit.",
    "consumer.ports": "Ports qu'elle doit prendre quand le banc la lance : web, admin.",
    "consumer.host": "Nom du serveur web, dans son certificat.",
    "consumer.ae_title": "Titre d'application DICOM, pour l'export vers le PACS local.",
    "consumer.driver": "Pilote de ses pages : chromium (un vrai navigateur, avec captures), "
    "personne (quelqu'un fait les gestes), ou le nom qu'un module donne au sien ; vide : "
    "formulaires HTML simples.",
    "consumer.exam_mib": "La plus grande réponse d'une Source qu'elle accepte, en Mio ; 0 : "
    "non dit, une réponse très longue est alors jugée par une personne.",
    "world.address": "Adresse (IPv4, IPv6 ou nom) où écoutent les simulateurs ; hors de cette "
    "machine, sur un réseau d'essai seulement.",
    "world.announce": "Adresse donnée aux boîtes, si c'est une autre (0.0.0.0, NAT, conteneur) ; "
    "vide : la même.",
    "world.dmp": "Le DMP simulé.",
    "world.psc": "Pro Santé Connect simulé.",
    "world.api_psc": "Le serveur d'autorisation simulé de l'API PSC du DMP (échange de jetons).",
    "world.proxy_esante": "Un proxy e-santé simulé (/connect, /send/dmp/…), pour un produit qui "
    "n'en a pas ; 0 : aucun.",
    "world.ans": "La liste blanche simulée.",
    "world.igc": "L'autorité de certification simulée (CRL, OCSP, horodatage).",
    "world.pacs": "Le PACS de la Source.",
    "world.second_pacs": "Un second PACS de la Source, d'une autre autorité de numéros "
    "d'accession ; 0 : aucun, hors d'une Source que le banc lance.",
    "world.local_pacs": "Le PACS local de la Consommatrice.",
    "world.neighbour": "La Source voisine, inscrite à la liste blanche.",
    "world.stranger": "La Source étrangère, qui n'y est pas.",
    "world.ris": "Où envoie un RIS écouté ; le banc passe à la Source.",
    "world.counterpart": "La Source saine que la Consommatrice du produit interroge.",
    "world.dns": "Port du DNS du banc, UDP et TCP ; 0 : pas de DNS.",
    "world.page": "Port de la page locale de « drimbench serve », toujours sur 127.0.0.1.",
    "world.domain": "Domaine des hôtes du banc, par exemple kit.mesimagesmedicales.fr ; ceux du "
    "produit se donnent à part (source.host, consumer.host).",
    "world.pki": "Dossier où certificats et clés sont gardés d'une campagne à l'autre ; "
    "vide : refaits.",
    "world.white_list_format": "Signature de la liste blanche : A ou B, deux formats publiés.",
    "neighbours.ris": "simulé, externe ou écouté (il envoie alors à world.ris).",
    "neighbours.pacs": "simulé, « externe adresse:port AE » ou « écouté adresse:port AE ».",
    "neighbours.local_pacs": "simulé, « externe adresse:port AE » ou « écouté adresse:port AE ».",
    "neighbours.dmp": "simulé, « externe https://… » ou « écouté https://… » : ses services.",
    "neighbours.psc": "simulé, « externe https://… » ou « écouté https://… » : issuer.",
    "neighbours.ans": "simulé, « externe https://… » ou « écouté https://… » : liste blanche.",
    "papers.neighbour": "Le voisin : dmp, psc ou ans.",
    "papers.trust": "Fichier PEM des autorités de son certificat.",
    "papers.certificate": "Fichier PEM de ce que l'écoute lui montre ; vide : rien.",
    "papers.key": "Fichier PEM de la clé de ce certificat.",
    "papers.client_ca": "Fichier PEM des autorités de ce que les boîtes montrent ; vide : le banc.",
    "certificates.server_authorities": "Autorités, racine comprise, des certificats de ses "
    "serveurs (db, pages).",
    "certificates.client_authorities": "Autorités, racine comprise, de tous ceux qui suivent.",
    "certificates.source": "Celui de la Source dans la liste blanche (DNCertificatOperateur).",
    "certificates.source_psc": "Ce que la Source montre à Pro Santé Connect ; son CN est le "
    "client_id.",
    "certificates.source_auth": "ORG AUTH_CLI de la structure qui publie : OU et O en deviennent "
    "l'identifiant et le nom dans les comptes rendus.",
    "certificates.source_sign": "ORG SIGN de la même structure.",
    "certificates.consumer": "Ce que la Consommatrice montre aux autres DRIMbox, et dans la liste "
    "blanche.",
    "certificates.consumer_psc": "Ce que la Consommatrice montre à Pro Santé Connect ; son CN est "
    "le client_id, autre que source_psc.",
    "certificates.consumer_auth": "ORG AUTH_CLI de la structure qui consulte ; un autre CN que "
    "source_auth.",
    "certificates.consumer_sign": "ORG SIGN de la même structure.",
    "patients.ins": "Matricule INS, clé comprise.",
    "patients.ins_oid": "OID de l'autorité d'affectation de l'INS.",
    "patients.family": "Nom de naissance.",
    "patients.given": "Premier prénom.",
    "patients.givens": "Tous les prénoms ; vide : le premier.",
    "patients.birth_date": "Jour de naissance.",
    "patients.sex": "F ou M.",
    "patients.birthplace": "Code INSEE du lieu de naissance.",
    "patients.birthplace_city": "Lieu de naissance.",
    "patients.dmp": "État de son DMP : ouvert, fermé ou inexistant.",
    "timing.start_s": "Pour qu'une DRIMbox lancée dise ses adresses.",
    "timing.ack_s": "Pour un acquittement HL7v2.",
    "timing.effect_s": "Pour un effet dû : publication, alerte, export.",
    "timing.retry_window_s": "Temps laissé à un effet indésirable après celui de la sentinelle.",
    "timing.person_s": "Pour le geste demandé à une personne pendant la campagne.",
    "timing.give_up_after": "Scénarios de suite sans aucune réponse après lesquels une DRIMbox qui "
    "ne donne plus signe de vie n'est plus conduite ; 0 : jamais.",
    "load.daily_exams": "Examens produits par jour ; 0 : inconnu.",
    "load.least_series": "Séries servies à la fois : 1 % des examens d'un jour, et ce nombre au "
    "moins (DB.SO.35, projet 2023 ; valeur actuelle inconnue).",
    "load.throughput_mbps": "Débit en Mbit/s (DB.SO.100, DB.SO.101, DB.VI-CO.40, DB.VI-SO.38, "
    "projet 2023).",
    "fuzz.hosts": "Hôtes des boîtes (tels que dans leurs adresses) que leur responsable livre par "
    "écrit à des messages faux par milliers, qui peuvent les arrêter ; jamais de production.",
    "load.first_image_s": "Première image, en secondes, selon la feuille d'exigences "
    "(DB.VI-CO.39, DB.VI-SO.37, projet 2023).",
    "load.first_image_scenario_s": "La même selon la feuille des scénarios : entre les deux, "
    "avertissement ; au-delà, à relire.",
    "load.first_image_margin": "Marge de ce second seuil : 0.2 pour 20 %.",
    "load.export_mib": "Taille en Mio, à peu près, de l'examen dont l'export est mesuré "
    "(SCN-PRJ-02) ; 0 : quelques petites images, dont le débit ne dit rien.",
    "demands.image_hosts": "Hôtes permis des RetrieveURL.",
    "demands.viewer_hosts": "Hôtes permis des liens vers la visionneuse.",
    "demands.schemes": "Schémas permis des adresses : http, https.",
    "demands.pdfa": "Niveaux de PDF/A permis d'un compte rendu : 1B, 3A…",
    "expected_failures.scenario": "Identité du scénario (SCN-…).",
    "expected_failures.reason": "Pourquoi il échoue.",
    "expected_failures.until": "Dernier jour où cela est admis.",
    "challenges.requirement": "L'exigence dont l'essai est contesté.",
    "challenges.argument": "Ce que l'éditeur oppose.",
    "challenges.decision": "Ce qui en fut décidé, et par qui ; vide tant que rien ne l'est.",
    "challenges.by": "Qui conteste.",
    "challenges.on": "Depuis quel jour.",
}
