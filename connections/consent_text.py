"""The words an Administrator agrees to. A change of the words is a new version."""

VERSION = "2026-11"

TEXT = (
    "By agreeing you allow Segue to send data of your customers, personal data included, to the"
    " Constant Contact account that you connect. There it lies outside this workspace, under the"
    " terms you have with Constant Contact. Data leaves at your instruction: you answer for having"
    " your customers' permission, and for Constant Contact meeting the obligations of privacy and"
    " security that you have. An Administrator can withdraw this at any time, by withdrawing the"
    " consent or removing the connection; nothing more is sent from the next batch on. What was"
    " sent before stays at Constant Contact until it is deleted there."
)
