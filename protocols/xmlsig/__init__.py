"""XML signatures of the network: enveloped (VIHF, white list) and DMP lot, made and verified.

One own module because three national formats differ, all must also be made wrongly, and a
verifier must refuse what is outside a short allow-list and hand over only what was signed.
"""

from protocols.xmlsig.algorithms import Hash
from protocols.xmlsig.enveloped import Verified, XadesA, XadesB, sign_enveloped, verify_enveloped
from protocols.xmlsig.errors import SignatureError, SignatureFault
from protocols.xmlsig.lot import LotReference, VerifiedLot, sign_lot, verify_lot

__all__ = [
    "Hash",
    "LotReference",
    "SignatureError",
    "SignatureFault",
    "Verified",
    "VerifiedLot",
    "XadesA",
    "XadesB",
    "sign_enveloped",
    "sign_lot",
    "verify_enveloped",
    "verify_lot",
]
