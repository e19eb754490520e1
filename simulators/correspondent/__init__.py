"""Who gets a report, and where: a professional by MSSanté, a patient in Mon espace santé.

Both find in it the links to the images (DB/RIS.11). What carries the mail is no simulator: a
DRIMbox has no part in MSSanté (ANS FAQ on DRIM-M, grade: faq), and a link is the same wherever it
was read.
"""

from simulators.correspondent.mail import Mail, Mailbox
from simulators.correspondent.printed import links_of
from simulators.correspondent.space import readable

__all__ = ["Mail", "Mailbox", "links_of", "readable"]
