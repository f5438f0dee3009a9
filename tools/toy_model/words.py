"""The words that the toy model's questions are made of."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    """
    Ada Aino Ana Bela Bruno Chen Dario Dina Emil Erik Farid Greta Hugo Ines Jana Kaito Lars Leo
    Maja Marta Mina Nils Noor Omar Paula Petra Rosa Sofia Tara Vera
    """
)
CITIES = _words(
    """
    Athens Basel Berlin Boston Cologne Dakar Dublin Ghent Hanoi Istanbul Kyoto Lima London
    Madrid Mumbai Nairobi Oslo Porto Quito Rome Seoul Tokyo Vienna Zagreb
    """
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THINGS = _words(
    """
    apples bags books boxes caps chairs coats cups doors eggs fans gloves jars kites lamps maps
    mirrors paints pens pipes pots ropes scarves shoes spoons tables towels vases
    """
)
NOUNS = _words(
    """
    anchor balloon bench boat bridge camera cloud cow dog farm fence fish flower fox goat hammer
    hill island lake leaf mill moon needle ocean owl pillow rabbit ribbon road roof ship spider
    stone stove tower tree tunnel violin wall whale
    """
)
SONGS = _words(
    """
    Aurora Bolero Daylight Ember Harvest Horizon Marina Meadow Nocturne Rainfall Tango Voyage
    """
)
ROOMS = ("bathroom", "bedroom", "cellar", "garage", "hall", "kitchen", "office", "studio")

TEAMS = {
    "billing": ("invoice", "refund", "charge", "payment", "receipt", "discount", "price", "tax"),
    "delivery": (
        "parcel",
        "courier",
        "shipment",
        "package",
        "address",
        "driver",
        "tracking",
        "van",
    ),
    "account": ("password", "login", "username", "profile", "email", "signup", "code", "session"),
    "repair": ("screen", "battery", "motor", "crack", "noise", "button", "hinge", "leak"),
}
"""The teams of a help desk, and the words by which a ticket is theirs."""
OPENERS = (
    "Hello, this is {name}.",
    "We are in {city}.",
    "I write for the second time.",
    "{name} sent me to you.",
    "Since {day} I wait.",
    "I need help before {day}.",
    "Good morning from {city}.",
    "My name is {name} and I am not happy.",
)
TICKETS = (
    "I have a question about the {}.",
    "The {} is not what I expected.",
    "There is something wrong with the {}.",
    "Can you look at the {}?",
    "Nobody tells me about the {}.",
    "The {} worries me.",
    "Who looks after the {}?",
    "It is about the {} again.",
)
ENDINGS = (
    "Call me on {day}.",
    "Please tell {name} too.",
    "I live in {city}.",
    "Thanks!",
    "This must end by {day}.",
    "In {city} it was better.",
    "I hope to hear from {name}.",
    "What now?",
)
