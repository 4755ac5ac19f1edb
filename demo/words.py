"""The words of which the sample's people and companies are made. Combined by chance; nobody real is meant."""

FIRST = {
    "US": "Robert William Richard James Michael Thomas Christopher Matthew Daniel Joseph Edward Charles Samuel Benjamin Nicholas Elizabeth Katherine Margaret Jennifer Patricia Susan Deborah Rebecca Victoria Jessica Amanda Barbara Christine Angela Melissa José María Luis Priya Arjun Mei Andrew Gregory Kenneth Timothy".split(),
    "GB": "Robert William Andrew Alexander Anthony Frederick Harold Geoffrey Nigel Simon Elizabeth Catherine Margaret Victoria Charlotte Philippa Rosalind Beatrice Siobhán Gwendolyn Rhys Hamish Timothy Edward Thomas Samuel Joseph Daniel".split(),
    "DE": "Jürgen Günter Matthias Andreas Michael Thomas Stefan Sebastian Florian Benedikt Johannes Maximilian Ulrike Sabine Katharina Elisabeth Annegret Christiane Friederike Hannelore Björn Jörg Käthe Ömer".split(),
    "FR": "François Jérôme Stéphane Benoît Guillaume Hélène Amélie Éléonore Chloé Zoé Nathalie Véronique Étienne Loïc".split(),
}
LAST = {
    "US": "Abernathy Ashdown Birchwood Calloway Castellanos Delacroix Donnelly Eastbrook Fairbanks Garrison Hollingsworth Ibarra Jankowski Kessler Lindqvist McAllister McKinney Northcott O'Connell Okafor Pemberton Quintero Ravenscroft Sandoval Thackeray Underhill Vandermeer Whitlock Yarborough Zamora Ellsworth Bellamy Crowther Dunleavy Fitzsimmons Goldsmith Hathaway Ingersoll Kowalczyk Montague Nakagawa Petrosyan Rasmussen Stockwell Trevino Villanueva Weatherby Beaumont Carmichael Stanhope".split(),
    "GB": "Ainsworth Blackwood Chamberlain Davenport Ellerby Featherstone Greenhalgh Hargreaves Inglethorpe Jessop Kirkbride Longbottom MacLeod Netherby Osgood Postlethwaite Ramsbottom Silverdale Tattersall Uppington Wainwright Yardley Braithwaite Cholmondeley Entwistle Fothergill Pickersgill Satterthwaite Thistlewood Winterbourne".split(),
    "DE": "Müller-Lüdenscheidt Schäferkamp Großkopf Weißenfels Brückner Köhlmann Grünwaldt Jägermann Vößing Übelacker Hohenstein Lindenthal Rabenhorst Steinbrecher Wolkenstein Ziegenfuß Ährenfeld Böttchermann Dörrwald Eichhornberg Fürstenau Hägele Kühnast Löwenherz Mühlbach Nölting Rüdiger Schönfelder Türkheim Wünschmann".split(),
    "FR": "Lefèvre-Dubois Beauchêne Châtelain Desrosiers Évrard Fournier-Blanc Grandpré Hébrard Jolicœur Lacroix-Martin Mérimont Noël-Durand Péronnet Rénier Saint-Clair Thévenot Vauquelin".replace(
        "œ", "oe"
    ).split(),
}
NICKNAMES = {
    "Robert": "Bob",
    "William": "Bill",
    "Richard": "Dick",
    "James": "Jim",
    "Michael": "Mike",
    "Thomas": "Tom",
    "Christopher": "Chris",
    "Matthew": "Matt",
    "Daniel": "Dan",
    "Joseph": "Joe",
    "Edward": "Ted",
    "Charles": "Chuck",
    "Samuel": "Sam",
    "Benjamin": "Ben",
    "Nicholas": "Nick",
    "Elizabeth": "Liz",
    "Katherine": "Kate",
    "Margaret": "Peggy",
    "Jennifer": "Jenny",
    "Patricia": "Pat",
    "Susan": "Sue",
    "Deborah": "Debbie",
    "Rebecca": "Becky",
    "Victoria": "Vicky",
    "Jessica": "Jess",
    "Amanda": "Mandy",
    "Christine": "Chris",
    "Angela": "Angie",
    "Andrew": "Andy",
    "Gregory": "Greg",
    "Kenneth": "Ken",
    "Timothy": "Tim",
    "Alexander": "Alex",
    "Anthony": "Tony",
    "Frederick": "Fred",
    "Harold": "Harry",
    "Geoffrey": "Geoff",
    "Catherine": "Cathy",
    "Charlotte": "Lottie",
    "Philippa": "Pippa",
    "Rosalind": "Ros",
    "Beatrice": "Bea",
    "Matthias": "Matze",
    "Andreas": "Andi",
    "Sebastian": "Basti",
    "Johannes": "Hannes",
    "Maximilian": "Max",
    "Katharina": "Kathi",
    "Elisabeth": "Lisa",
    "Guillaume": "Guy",
}
BRANDS = "Amberlight Birchgate Bluefern Brightmoor Cedarpoint Clearbrook Cobaltine Copperleaf Crestline Dawnfield Driftwood Eastmarch Elmstead Fernhollow Foxglove Glasswing Graniteway Greyfriar Harborlight Highmeadow Ironbark Juniperfield Kestrelby Lanternhill Larkspur Longacre Marigold Millrace Moonstone Nordlicht Oakenshaw Orchardside Pinecrest Quarryside Redthorn Rosewater Saltmarsh Silverbirch Stonebridge Sunmeadow Tallgrass Thornbury Tidewater Umbergate Vantagepoint Violetta Westwick Wildrose Windmere Yellowstem".split()
TRADES = "Logistics|Tools|Instruments|Foods|Textiles|Analytics|Robotics|Chemicals|Energy|Insurance|Media|Packaging|Pharma|Plastics|Software|Timber|Travel|Optics|Ceramics|Consulting|Electronics|Fabrics|Kitchens|Machinery|Water Systems".split(
    "|"
)
SUFFIXES = {
    "US": ["Inc.", "LLC", "Corp.", "", "Co."],
    "GB": ["Ltd", "Limited", "PLC", ""],
    "DE": ["GmbH", "AG", "GmbH & Co. KG", "e.K.", ""],
    "FR": ["SARL", "S.A.", "SAS", ""],
}
TITLES = "Buyer|Controller|Office Manager|Head of IT|Sales Manager|Purchasing Manager|Chief Financial Officer|Plant Manager|Team Lead|Marketing Manager|Account Executive|Engineer|Managing Director|Operations Manager|HR Manager|Product Manager".split(
    "|"
)
STREETS = {
    "US": ["Maple Avenue", "Harbor Street", "Mill Road", "Orchard Lane", "Cedar Drive", "Juniper Court"],
    "GB": ["Chapel Lane", "Station Road", "Priory Street", "Mill Hill", "Abbey Close"],
    "DE": ["Lindenstraße", "Mühlenweg", "Gartenallee", "Am Markt", "Brückenstraße"],
    "FR": ["rue des Tilleuls", "avenue du Moulin", "rue de l'Église", "allée des Chênes"],
}
CITIES = {
    "US": [
        ("New York", "NY", "10001"),
        ("Chicago", "IL", "60601"),
        ("Boston", "MA", "02108"),
        ("Denver", "CO", "80202"),
        ("Seattle", "WA", "98101"),
        ("Atlanta", "GA", "30303"),
        ("Portland", "OR", "97204"),
        ("Austin", "TX", "78701"),
        ("Phoenix", "AZ", "85003"),
        ("Philadelphia", "PA", "19103"),
    ],
    "GB": [
        ("London", "", "EC1A 1BB"),
        ("Manchester", "", "M1 1AE"),
        ("Leeds", "", "LS1 4AP"),
        ("Edinburgh", "", "EH1 1BB"),
        ("Bristol", "", "BS1 4DJ"),
    ],
    "DE": [
        ("Berlin", "", "10115"),
        ("München", "", "80331"),
        ("Köln", "", "50667"),
        ("Frankfurt am Main", "", "60311"),
        ("Hamburg", "", "20095"),
    ],
    "FR": [("Paris", "", "75002"), ("Lyon", "", "69002"), ("Saint-Étienne", "", "42000"), ("Orléans", "", "45000")],
}
# Prefix and number of digits that follow: 555-01xx in North America, Ofcom's and the Bundesnetzagentur's numbers for
# films, Arcep's for the same. Their mobile ranges are left out: libphonenumber knows that nobody has them.
AREAS = {
    "US": [
        (f"+1{area}55501", 2)
        for area in "201 202 206 210 212 213 214 215 216 301 302 303 305 312 313 314 317 401 402 404 405 407 408 410 412 414 415 416 502 503 504 505 508 512 513 515 516 518 602 603 605 608 612 615 617 619 702 703 704 713 716 717 718 719 801 802 803 804 805 808 812 813 814 816 817 818 901 904 906 907 908 910 912 913 914 916 918 919".split()
    ],
    "GB": [("+442079460", 3), ("+441614960", 3), ("+441134960", 3), ("+441314960", 3), ("+441174960", 3)],
    "DE": [("+493023125", 3), ("+496990009", 3), ("+494066969", 3), ("+492214710", 3), ("+498999998", 3)],
    "FR": [("+3319900", 4), ("+3326191", 4), ("+3335301", 4), ("+3346571", 4), ("+3353649", 4)],
}
PRIVATE_DOMAINS = ["example.com", "example.net", "example.org"]
