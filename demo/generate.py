#!/usr/bin/env python3
"""Makes the sample: contacts of the sandbox CRM, and four exports with leads. Nobody in it is real.

    python3 demo/generate.py           writes demo/contacts.csv and demo/leads/*.csv
    python3 demo/generate.py --check   fails when the files there are not what this program makes

Addresses use reserved domains (RFC 2606), numbers the ranges that regulators keep for films and examples. Standard
library only; the same files on every machine, since chance comes from one seeded generator and `random()` alone.
"""

import csv
import datetime
import io
import pathlib
import sys
import tomllib

# No __pycache__ in the source tree.
sys.dont_write_bytecode = True

from people import COUNTRY_NAMES, Person, World, ascii_name, chance, maybe, pick, spelled, twin, typo
from words import NICKNAMES, PRIVATE_DOMAINS, TITLES

HERE = pathlib.Path(__file__).parent
CONTACTS = 2_400
GROUPS = 120

CONTACT_COLUMNS = [
    "email",
    "firstname",
    "lastname",
    "company",
    "phone",
    "mobilephone",
    "jobtitle",
    "address",
    "city",
    "zip",
    "state",
    "country",
    "external_id",
    "lifecyclestage",
    "hs_additional_emails",
    "createdate",
    "lastmodifieddate",
]

# Before the first lead: what the sources saw later is newer than what stands in the CRM.
CREATED, CHANGED = "2024-11-04", "2025-01-20"


def contact_row(person):
    return [
        person.email,
        person.first,
        person.last,
        person.company,
        person.phone,
        person.mobile,
        person.title,
        person.street,
        person.city,
        person.zip,
        person.state,
        person.country if len(person.country) > 2 else COUNTRY_NAMES[person.country][0],
        person.external_id,
        person.stage,
        ";".join(person.more_emails),
        CREATED,
        CHANGED,
    ]


def make_contacts(world, planted):
    people = list(planted)
    while len(people) < CONTACTS - GROUPS - 5:
        person = world.person()
        if maybe(0.6):
            person.external_id = f"C-{10_000 + len(people)}"
        if person.email and maybe(0.03):
            person.more_emails = [
                world.address(f"{ascii_name(person.first)}.{ascii_name(person.last)}", pick(PRIVATE_DOMAINS))
            ]
        people.append(person)
    first = len(planted)
    twins = []
    for index in range(GROUPS):
        original = people[first + index * 11]
        twins.append(twin(world, original))
        if index < 5:
            twins.append(twin(world, original))
    known = people[:]
    for person in twins:
        people.insert(first + int(chance() * (len(people) - first)), person)
    doubled = {id(people_of) for people_of in known[first : first + GROUPS * 11 : 11]}
    # Leads are about people who stand in the CRM once, so that each has one right answer.
    return people, [person for person in known[first:] if id(person) not in doubled]


def lead_of(person, **changes):
    """A lead that says of a person what the CRM says, except for the changes."""
    lead = dict(
        external_id="",
        first_name=person.first,
        last_name=person.last,
        email=person.email,
        phone=person.phone,
        mobile_phone=person.mobile,
        company=person.company,
        job_title=person.title,
        street=person.street,
        city=person.city,
        state=person.state,
        postal_code=person.zip,
        country=COUNTRY_NAMES[person.country][0],
        stage="lead",
    )
    lead.update(changes)
    return lead


def known_lead(world, source, person):
    """What a source tells about somebody whom the CRM knows."""
    how = pick(["same", "same", "update", "update", "update", "spelling", "nickname", "typo", "new email"])
    lead = lead_of(person, phone=spelled(person.phone), mobile_phone=spelled(person.mobile))
    if source == "payments":
        lead["external_id"] = person.external_id
    if how == "update":
        lead.update(
            pick(
                [
                    dict(job_title=pick(TITLES)),
                    dict(street=world.street(person.country)),
                    dict(mobile_phone=spelled(world.number(person.country))),
                    dict(job_title="Head of " + pick(["Sales", "Finance", "Operations", "Research"])),
                ]
            )
        )
    elif how == "spelling":
        lead.update(
            email=person.email.upper(),
            first_name=person.first.upper(),
            last_name=person.last.upper(),
            country=pick(COUNTRY_NAMES[person.country]),
        )
    elif how == "nickname":
        lead.update(first_name=NICKNAMES.get(person.first, person.first[0] + "."))
    elif how == "typo":
        lead.update(last_name=typo(person.last))
    elif how == "new email" and person.phone and person.domain:
        lead.update(email=world.address(f"{ascii_name(person.last)}.{ascii_name(person.first)}", person.domain))
    return lead


def new_lead(world, source):
    person = world.person(stage="lead")
    lead = lead_of(
        person,
        phone=spelled(person.phone),
        mobile_phone=spelled(person.mobile),
        country=pick(COUNTRY_NAMES[person.country]),
    )
    if maybe(0.06):
        lead["email"] = f"{person.first} {person.last} <{person.email}>" if person.email else ""
    elif maybe(0.06):
        lead["email"] = f" {person.email.upper()} "
    if maybe(0.05):
        lead.update(first_name=person.first.upper(), last_name=person.last.upper())
    if source == "payments":
        lead["external_id"] = f"N-{1_000 + int(chance() * 9_000)}{len(world.emails)}"
    return lead, person


SIZES = {"payments": 150, "sales": 180, "webinar": 170, "newsletter": 160}
NEW = {"payments": 52, "sales": 88, "webinar": 84, "newsletter": 78}
KEYS = {"payments": "INV-{}", "sales": "00Q{}", "webinar": "W{}", "newsletter": "sub_{}"}
START = datetime.datetime(2025, 2, 3, 8, 0)


def make_conflicts(world, people):
    """Sources that contradict each other or themselves: twelve about a company, six about who it is."""
    conflicts = {source: [] for source in SIZES}
    switchboards = {company.switchboard for company in world.companies}
    own = [
        person
        for person in people
        if person.email and person.company and person.phone and person.phone not in switchboards
    ]
    for person, other in zip(own[:12], own[12:24]):
        conflicts["payments"].append(
            lead_of(person, external_id=person.external_id, street=world.street(person.country))
        )
        conflicts["webinar"].append(
            lead_of(person, company=other.company, job_title="Consultant", phone="", city=other.city)
        )
    for person, other in zip(own[24:30], own[30:36]):
        conflicts["sales"].append(lead_of(person, phone=spelled(other.phone, 0), mobile_phone=""))
    return conflicts


def make_leads(world, known, planted):
    leads = {source: [dict(lead) for lead in rows] for source, rows in planted.items()}
    fresh = []
    turn = iter(known[::3])
    conflicts = make_conflicts(world, known[1::3])
    for source, size in SIZES.items():
        number = 4_000
        rows = []
        for _ in range(NEW[source]):
            # Every twelfth new person was new to an earlier source already.
            if fresh and maybe(1 / 12):
                person = pick(fresh)
                rows.append(lead_of(person, phone=spelled(person.phone)))
            else:
                lead, person = new_lead(world, source)
                fresh.append(person)
                rows.append(lead)
        while len(rows) + len(conflicts[source]) + len(leads[source]) < size:
            person = next(turn)
            if source != "newsletter" or person.email:
                rows.append(known_lead(world, source, person))
        rows.extend(conflicts[source])
        for row in rows:
            number += 1 + int(chance() * 5)
            row["source_key"] = KEYS[source].format(number)
        for row in rows:
            row["at"] = START + datetime.timedelta(minutes=int(chance() * 120 * 24 * 60))
        leads[source] = sorted(leads[source] + rows, key=lambda row: (row["at"], row["source_key"]))
    return leads


# Exports of one day do not come at one minute.
MINUTES = {"payments": 0, "sales": 11, "webinar": 23, "newsletter": 37}


def planted():
    """The contacts and leads of planted.toml."""
    cases = tomllib.loads((HERE / "planted.toml").read_text(encoding="utf-8"))
    leads = {source: [] for source in SIZES}
    blank = lead_of(Person("", "", "US", ""), country="")
    for case in cases["lead"]:
        source, day_of, repeat = case.pop("source"), case.pop("day"), case.pop("repeat", None)
        if repeat:
            case["company"] += repeat["text"] * repeat["times"]
        at = START + datetime.timedelta(days=day_of, minutes=MINUTES[source])
        leads[source].append({**blank, **case, "at": at})
    return [Person(**contact) for contact in cases["contact"]], leads


def comma_name(lead):
    return (
        f"{lead['last_name']}, {lead['first_name']}".strip(", ")
        if lead["first_name"] and lead["last_name"]
        else lead["last_name"] or lead["first_name"]
    )


def plain_name(lead):
    return f"{lead['first_name']} {lead['last_name']}".strip()


def export(columns, rows, delimiter=",", quoting=csv.QUOTE_MINIMAL, newline="\n", encoding="utf-8"):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=newline)
    writer.writerow([name for name, _ in columns])
    for lead in rows:
        writer.writerow([value(lead) if callable(value) else lead[value] for _, value in columns])
    return out.getvalue().encode(encoding)


def day(pattern):
    return lambda lead: lead["at"].strftime(pattern)


def main():
    world = World()
    planted_people, planted_leads = planted()
    for person in planted_people:
        world.emails.update([person.email, *person.more_emails])
    people, known = make_contacts(world, planted_people)
    leads = make_leads(world, known, planted_leads)

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CONTACT_COLUMNS)
    writer.writerows(contact_row(person) for person in people)
    files = {
        "contacts.csv": out.getvalue().encode(),
        "leads/payments.csv": export(
            [
                ("Invoice No", "source_key"),
                ("Customer No", "external_id"),
                ("Paid At", day("%d.%m.%Y %H:%M")),
                ("Bill To", comma_name),
                ("Company", "company"),
                ("E-Mail", "email"),
                ("Telephone", "phone"),
                ("Street", "street"),
                ("ZIP", "postal_code"),
                ("City", "city"),
                ("Country", "country"),
            ],
            leads["payments"],
            delimiter=";",
            quoting=csv.QUOTE_ALL,
            newline="\r\n",
            encoding="utf-8-sig",
        ),
        "leads/sales.csv": export(
            [
                ("Lead ID", "source_key"),
                ("Created Date", day("%m/%d/%Y %I:%M %p")),
                ("Last Name", "last_name"),
                ("First Name", "first_name"),
                ("Title", "job_title"),
                ("Account", "company"),
                ("Phone", "phone"),
                ("Mobile", "mobile_phone"),
                ("Email", "email"),
                ("City", "city"),
                ("State/Province", "state"),
                ("Country", "country"),
            ],
            leads["sales"],
            encoding="latin-1",
        ),
        "leads/webinar.csv": export(
            [
                ("email", "email"),
                ("name", plain_name),
                ("organisation", "company"),
                ("job role", "job_title"),
                ("phone number", "phone"),
                ("country/region", "country"),
                ("registered_at", day("%Y-%m-%dT%H:%M:%SZ")),
                ("registrant_id", "source_key"),
            ],
            leads["webinar"],
            delimiter="\t",
        ),
        "leads/newsletter.csv": export(
            [
                ("EMAIL", "email"),
                ("FNAME", "first_name"),
                ("LNAME", "last_name"),
                ("COMPANY", "company"),
                ("LOCATION", "city"),
                ("CC", "country"),
                ("STAGE", "stage"),
                ("OPTIN_TIME", day("%Y-%m-%d %H:%M:%S")),
                ("LEID", "source_key"),
            ],
            leads["newsletter"],
            delimiter="|",
        ),
    }
    wrong = [name for name, content in files.items() if "--check" in sys.argv and (HERE / name).read_bytes() != content]
    if "--check" not in sys.argv:
        for name, content in files.items():
            (HERE / name).write_bytes(content)
    if wrong:
        sys.exit(f"not what demo/generate.py makes: {', '.join(wrong)}; run it again and commit the result")
    print(f"{len(people)} contacts, " + ", ".join(f"{len(rows)} leads from {source}" for source, rows in leads.items()))


if __name__ == "__main__":
    main()
