"""The people of the sample: who they are, and how others spell them. All chance of the sample comes from here."""

import copy
import random
import unicodedata
from dataclasses import dataclass, field

from words import AREAS, BRANDS, CITIES, FIRST, LAST, NICKNAMES, PRIVATE_DOMAINS, STREETS, SUFFIXES, TITLES, TRADES

chance = random.Random(20_250_117).random


def pick(items):
    return items[int(chance() * len(items))]


def maybe(share):
    return chance() < share


@dataclass
class Company:
    name: str
    suffix: str
    domain: str
    country: str
    city: str
    state: str
    zip: str
    street: str
    switchboard: str

    @property
    def full(self):
        return f"{self.name} {self.suffix}".strip()


@dataclass
class Person:
    first: str
    last: str
    country: str
    city: str
    state: str = ""
    zip: str = ""
    street: str = ""
    company: str = ""
    domain: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    title: str = ""
    external_id: str = ""
    stage: str = "customer"
    more_emails: list = field(default_factory=list)


def ascii_name(text):
    text = text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L").replace("ø", "o")
    folded = unicodedata.normalize("NFKD", text)
    return "".join(c for c in folded if c.isascii() and c.isalnum()).lower()


class World:
    """Everybody, and what must not be given out twice."""

    def __init__(self):
        self.emails, self.numbers, self.names = set(), {}, set()
        self.companies = self.make_companies(280)

    def make_companies(self, count):
        made, seen = [], set()
        while len(made) < count:
            name = f"{pick(BRANDS)} {pick(TRADES)}"
            if name in seen:
                continue
            seen.add(name)
            country = pick(["US"] * 9 + ["GB"] * 4 + ["DE"] * 4 + ["FR"] * 2)
            city, state, code = pick(CITIES[country])
            domain = ascii_name(name) + ".example"
            made.append(
                Company(
                    name,
                    pick(SUFFIXES[country]),
                    domain,
                    country,
                    city,
                    state,
                    code,
                    self.street(country),
                    self.number(country),
                )
            )
        return made

    def street(self, country):
        number = 1 + int(chance() * 240)
        name = pick(STREETS[country])
        return f"{name} {number}" if country == "DE" else f"{number} {name}"

    def number(self, country):
        """A number in E.164 from a fictional range, never twice."""
        areas = AREAS[country]
        used = self.numbers.setdefault(country, 0)
        self.numbers[country] += 1
        prefix, digits = areas[used % len(areas)]
        return f"{prefix}{used // len(areas):0{digits}d}"

    def address(self, local, domain):
        address, count = f"{local}@{domain}", 2
        while address in self.emails:
            address, count = f"{local}{count}@{domain}", count + 1
        self.emails.add(address)
        return address

    def person(self, company=None, stage="customer"):
        while True:
            company_of = company or (pick(self.companies) if maybe(0.86) else None)
            country = company_of.country if company_of else pick(["US", "US", "GB", "DE"])
            first, last = pick(FIRST[country]), pick(LAST[country])
            # Namesakes at different companies are wanted; two of one name in one company would have no right answer.
            if (first[:1], last, company_of.name if company_of else "") not in self.names:
                break
        self.names.add((first[:1], last, company_of.name if company_of else ""))
        if company_of:
            city, state, code = company_of.city, company_of.state, company_of.zip
        else:
            city, state, code = pick(CITIES[country])
        person = Person(first, last, country, city, state, code, stage=stage)
        pattern = pick(["{f}.{l}", "{f}.{l}", "{i}{l}", "{f}_{l}", "{i}.{l}"])
        local = pattern.format(f=ascii_name(first), l=ascii_name(last), i=ascii_name(first)[0])
        if company_of:
            person.company, person.domain, person.title = company_of.full, company_of.domain, pick(TITLES)
            person.street = company_of.street if maybe(0.6) else ""
            person.phone = company_of.switchboard if maybe(0.22) else self.number(country) if maybe(0.75) else ""
            person.email = self.address(local, company_of.domain) if maybe(0.93) else ""
            person.mobile = self.number(country) if maybe(0.2) else ""
        else:
            person.email = self.address(local + f"{10 + int(chance() * 89)}", pick(PRIVATE_DOMAINS))
            person.phone = self.number(country) if maybe(0.7) else ""
            person.street = self.street(country) if maybe(0.5) else ""
        if not (person.email or person.phone or person.mobile):
            person.phone = self.number(country)
        return person


def spelled(number, style=None):
    """One of the ways in which people write a number."""
    if not number:
        return ""
    code = next(code for code in ("+1", "+44", "+49", "+33") if number.startswith(code))
    rest = number[len(code) :]
    cut = 3 if code == "+1" else 2 if rest[:2] in ("20", "30", "40", "69", "89") else 1 if code == "+33" else 3
    area, local = rest[:cut], rest[cut:]
    spaced = f"{local[:3]} {local[3:]}"
    if code == "+1":
        forms = [
            number,
            f"({area}) {local[:3]}-{local[3:]}",
            f"{area}-{local[:3]}-{local[3:]}",
            f"{area}.{local[:3]}.{local[3:]}",
            f"+1 {area} {local[:3]} {local[3:]}",
            f"1-{area}-{local[:3]}-{local[3:]}",
            rest,
        ]
    else:
        forms = [
            number,
            f"{code} (0){area} {spaced}",
            f"0{area} {spaced}",
            f"00{code[1:]} {area} {spaced}",
            f"0{area}/{local}",
            f"{code} {area} {spaced}",
            f"(0{area}) {local}",
        ]
    return forms[style] if style is not None else pick(forms)


COUNTRY_NAMES = {
    "US": ["United States", "USA", "US", "United States of America"],
    "GB": ["United Kingdom", "UK", "England", "GB"],
    "DE": ["Germany", "Deutschland", "DE"],
    "FR": ["France", "FR"],
}


def typo(word):
    """Two letters swapped, one dropped or one doubled, behind the second."""
    if len(word) < 5:
        return word + word[-1]
    at = 2 + int(chance() * (len(word) - 3))
    return pick(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        ]
    )


def twin(world, person):
    """The same person a second time, as a second colleague typed it."""
    other = copy.deepcopy(person)
    other.external_id, other.more_emails, other.stage = "", [], "lead"
    how = pick(["nickname", "typo", "private", "no email", "capitals", "initial"])
    if how == "nickname" and person.first in NICKNAMES:
        other.first = NICKNAMES[person.first]
    elif how == "typo":
        other.last = typo(person.last)
    elif how == "capitals":
        other.first, other.last = person.first.upper(), person.last.upper()
    elif how == "initial":
        other.first = person.first[0] + "."
    other.company = person.company.rsplit(" ", 1)[0] if maybe(0.4) and person.company.count(" ") > 1 else person.company
    other.phone = spelled(person.phone)
    local = f"{ascii_name(other.first)}.{ascii_name(person.last)}"
    other.email = (
        ""
        if how == "no email"
        else world.address(local, pick(PRIVATE_DOMAINS) if how == "private" or not person.domain else person.domain)
    )
    other.title = person.title if maybe(0.5) else ""
    other.street = ""
    if not (other.email or other.phone):
        other.mobile = person.mobile or world.number(person.country)
    return other
