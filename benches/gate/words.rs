//! What the synthetic people are made of. Not a list of anybody: families and companies are put together from parts.

/// Given names, some of them in the short form that people also go by.
pub(crate) const GIVEN: [(&str, &str); 96] = [
    ("Abigail", "Abby"), ("Adrian", "Adrian"), ("Albert", "Al"), ("Alexander", "Alex"), ("Alice", "Alice"),
    ("Amanda", "Mandy"), ("Andreas", "Andy"), ("Andrew", "Andy"), ("Angela", "Angie"), ("Anna", "Annie"),
    ("Anthony", "Tony"), ("Arthur", "Art"), ("Barbara", "Barb"), ("Beatriz", "Beatriz"), ("Benjamin", "Ben"),
    ("Bradley", "Brad"), ("Carmen", "Carmen"), ("Catherine", "Cathy"), ("Charles", "Charlie"), ("Chloe", "Chloe"),
    ("Christina", "Tina"), ("Christopher", "Chris"), ("Claudia", "Claudia"), ("Cynthia", "Cindy"), ("Daniel", "Dan"),
    ("David", "Dave"), ("Deborah", "Debbie"), ("Diego", "Diego"), ("Dorothea", "Dorothea"), ("Edward", "Ed"),
    ("Elena", "Elena"), ("Elizabeth", "Liz"), ("Emma", "Emma"), ("Erika", "Erika"), ("Felix", "Felix"),
    ("Frances", "Fran"), ("Francisco", "Paco"), ("Frederick", "Fred"), ("Gabriele", "Gabi"), ("George", "George"),
    ("Gregory", "Greg"), ("Hannah", "Hannah"), ("Harold", "Harry"), ("Heinrich", "Heinz"), ("Helena", "Lena"),
    ("Ingrid", "Ingrid"), ("Isabella", "Bella"), ("Jacob", "Jake"), ("Jacqueline", "Jackie"), ("James", "Jim"),
    ("Jennifer", "Jenny"), ("Joachim", "Jochen"), ("John", "Jack"), ("Jonathan", "Jon"), ("Joseph", "Joe"),
    ("Julia", "Julia"), ("Katherine", "Kate"), ("Kenneth", "Ken"), ("Kimberly", "Kim"), ("Laura", "Laura"),
    ("Lawrence", "Larry"), ("Leonard", "Leo"), ("Louise", "Lou"), ("Lucia", "Lucia"), ("Magdalena", "Lena"),
    ("Margaret", "Peggy"), ("Martin", "Marty"), ("Mary", "Molly"), ("Matthew", "Matt"), ("Maximilian", "Max"),
    ("Michael", "Mike"), ("Nathan", "Nate"), ("Nicholas", "Nick"), ("Nora", "Nora"), ("Oliver", "Oliver"),
    ("Pamela", "Pam"), ("Patricia", "Patty"), ("Patrick", "Pat"), ("Peter", "Pete"), ("Rebecca", "Becky"),
    ("Richard", "Rick"), ("Robert", "Bob"), ("Ronald", "Ron"), ("Samuel", "Sam"), ("Sarah", "Sally"),
    ("Sofia", "Sofia"), ("Stephen", "Steve"), ("Susan", "Sue"), ("Theodore", "Ted"), ("Thomas", "Tom"),
    ("Timothy", "Tim"), ("Ursula", "Ursula"), ("Victoria", "Vicky"), ("Walter", "Walt"), ("William", "Bill"),
    ("Zachary", "Zach"),
];

/// Families that everybody knows several of.
pub(crate) const COMMON: [&str; 32] = [
    "Smith", "Johnson", "Williams", "Brown", "Jones", "Miller", "Davis", "Wilson", "Anderson", "Taylor", "Moore",
    "Martin", "Thompson", "White", "Clark", "Lewis", "Walker", "Hall", "Young", "King", "Müller", "Schmidt", "Weber",
    "Fischer", "Garcia", "Martinez", "Lopez", "Rossi", "Dubois", "Jansen", "Novak", "Kowalski",
];

/// Beginnings of rarer family names.
pub(crate) const FAMILY_HEADS: [&str; 64] = [
    "Abend", "Ashing", "Bram", "Birken", "Black", "Brau", "Cald", "Carring", "Castel", "Chester", "Cor", "Cromb",
    "Dahl", "Darling", "Delac", "Dorn", "Eber", "Eden", "Ellers", "Erl", "Fair", "Falken", "Fenn", "Ferr", "Gar",
    "Gold", "Graves", "Grün", "Halvor", "Harr", "Hawk", "Hollen", "Isen", "Jagger", "Kelling", "Kirch", "Krem",
    "Lang", "Laver", "Lind", "Lock", "March", "Marl", "Mont", "Nether", "North", "Oak", "Oster", "Pem", "Pfeif",
    "Quill", "Raven", "Reed", "Rosen", "Sand", "Sel", "Stan", "Stein", "Thorn", "Ul", "Vander", "Wester", "Winter",
    "Zimmer",
];

/// Ends of rarer family names.
pub(crate) const FAMILY_TAILS: [&str; 48] = [
    "ton", "berg", "berry", "bourne", "bridge", "brook", "burg", "bury", "by", "dale", "den", "dorf", "er", "ett",
    "feld", "field", "ford", "gate", "grave", "ham", "hardt", "haus", "heim", "hoff", "holm", "hurst", "ini", "ke",
    "land", "ley", "ling", "mann", "mark", "more", "ner", "nett", "quist", "ridge", "rup", "sen", "shaw", "son",
    "stad", "stein", "strom", "wald", "well", "worth",
];

/// First words of company names.
pub(crate) const TRADE_HEADS: [&str; 72] = [
    "Acorn", "Alpine", "Amber", "Apex", "Arbor", "Atlas", "Aurora", "Baltic", "Beacon", "Birch", "Bluebird", "Boreal",
    "Bright", "Cardinal", "Cedar", "Cobalt", "Compass", "Copper", "Coral", "Crescent", "Delta", "Drift", "Eagle",
    "Ember", "Evergreen", "Falcon", "Fjord", "Frontier", "Garnet", "Glacier", "Golden", "Granite", "Harbor", "Hazel",
    "Helios", "Horizon", "Indigo", "Ivory", "Juniper", "Keystone", "Lakeside", "Lantern", "Laurel", "Liberty",
    "Lumen", "Maple", "Meridian", "Mosaic", "Nimbus", "Nordic", "Northwind", "Oakridge", "Orbit", "Orchard",
    "Pacific", "Pinnacle", "Polar", "Prairie", "Quartz", "Redwood", "Ridge", "Riverside", "Saffron", "Sierra",
    "Silver", "Solstice", "Summit", "Tidal", "Union", "Verdant", "Willow", "Zenith",
];

/// Second words of company names.
pub(crate) const TRADE_TAILS: [&str; 56] = [
    "Analytics", "Automation", "Bakery", "Bearings", "Biotech", "Brewing", "Builders", "Capital", "Ceramics",
    "Chemicals", "Clinics", "Coatings", "Components", "Consulting", "Controls", "Design", "Dynamics", "Electronics",
    "Energy", "Engineering", "Fabrics", "Farms", "Fittings", "Foods", "Freight", "Furniture", "Glass", "Hydraulics",
    "Imports", "Instruments", "Insurance", "Labs", "Lighting", "Logistics", "Machinery", "Media", "Medical", "Metals",
    "Mining", "Motors", "Networks", "Optics", "Packaging", "Paper", "Pharma", "Plastics", "Power", "Publishing",
    "Robotics", "Security", "Shipping", "Software", "Solar", "Textiles", "Tools", "Travel",
];

/// Legal forms.
pub(crate) const FORMS: [&str; 8] = ["Inc.", "Ltd", "GmbH", "LLC", "AG", "Group", "S.A.", "Corp."];

/// Towns with their country, and how a telephone number of theirs begins.
pub(crate) const TOWNS: [(&str, &str, &str); 24] = [
    ("New York", "United States", "+1212"), ("Boston", "United States", "+1617"), ("Chicago", "United States", "+1312"),
    ("Denver", "United States", "+1303"), ("Seattle", "United States", "+1206"), ("Portland", "United States", "+1503"),
    ("Austin", "United States", "+1512"), ("Atlanta", "United States", "+1404"), ("Miami", "United States", "+1305"),
    ("Phoenix", "United States", "+1602"), ("Dallas", "United States", "+1214"), ("Toronto", "Canada", "+1416"),
    ("Vancouver", "Canada", "+1604"), ("London", "United Kingdom", "+4420"), ("Berlin", "Germany", "+4930"),
    ("Hamburg", "Germany", "+4940"), ("Munich", "Germany", "+4989"), ("Paris", "France", "+331"),
    ("Madrid", "Spain", "+3491"), ("San Diego", "United States", "+1619"), ("Detroit", "United States", "+1313"),
    ("Houston", "United States", "+1713"), ("Columbus", "United States", "+1614"), ("Baltimore", "United States", "+1410"),
];

/// Mail providers, where an address says nothing of an employer.
pub(crate) const PROVIDERS: [&str; 5] = ["gmail.com", "outlook.com", "yahoo.com", "gmx.de", "hotmail.com"];

/// Positions.
pub(crate) const POSITIONS: [&str; 16] = [
    "Accountant", "Account Manager", "Buyer", "Chief Technology Officer", "Consultant", "Controller", "Engineer",
    "Head of Sales", "Logistics Manager", "Managing Director", "Marketing Manager", "Office Manager", "Plant Manager",
    "Product Manager", "Purchasing Manager", "Team Lead",
];
