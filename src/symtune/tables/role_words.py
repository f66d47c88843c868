"""Words of headers that say what a column is: data of `roles`."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _named(groups: dict[str, str]) -> dict[str, str]:
    """word -> the name of its group."""
    return {word: name for name, words in groups.items() for word in words.split()}


IDENTIFIERS = _set(
    "id ids uid uuid guid no nr num number # № code codes zip zipcode postcode postal isbn issn oclc doi ref reference "
    "identifier key serial barcode sku ean upc fips iata icao phone tel telephone imo mmsi vin bib jersey shirt "
    "callsign"
)
NUMBER = _set("no nr num number #")  # of these, what also says how many: `no. of wins`, `number built`
NUMBER_IN = _set("in by within overall ep season series")  # and what follows them where they number: `no. in series`
# Words on "id" that are none, of those that a header may write together, as in `geonameid`.
ENDS_IN_ID = _set("paid bid grid solid liquid fluid hybrid android raid said void valid rapid avoid acid madrid")
# What numbers rows, or parts them, at the end of a header: a game, but not points per game or games.
ORDINALS = _set(
    "game week round rnd rd match pick lane heat stage race leg episode ep overall series season division tier class "
    "grade level decile district ward zone group month day weekday hour quarter congress term route channel chapter "
    "volume issue cycle row line step order car squad draft session precinct block lot lap set cluster"
)
CALENDAR = _set("week month year day hour decade century")  # `day of week`, of which there is no number
FLAGS = _set("flag is has was bool boolean indicator dummy")  # 0 and 1 that say no and yes
RANKS = _set(
    "rank ranks ranking rankings ranked pos position positions place placing placings finish finished seed standing "
    "standings grid"
)
TH = _set("st nd rd th first second third fourth fifth runner")  # who were first: `1st places`
YEARS = _set(
    "year years yr season seasons founded established estd est built opened completed formed born died joined released "
    "release debut start started end ended ends begin began from to since until till elected introduced published date "
    "dates inaugurated election vintage created closed discovered incorporated commissioned decommissioned launched "
    "constructed construction erected demolished abolished retired appointed dissolved merged adopted enacted ratified "
    "signed made manufactured first last inducted induction class draft edition term birth death completion opening "
    "foundation founding renovated added listed expires finished dates reign term"
)
DATES = _set("date dates day released born died birth death opened closed")
NOTES = _set(
    "note notes comment comments remark remarks description details summary synopsis abstract reason text fate"
)
# Texts that name things however often they repeat, and texts that part things however seldom they do.
NAMES = _set(
    "name names player players winner winners driver drivers author authors artist artists director directors writer "
    "writers actor actress singer composer coach manager captain rider skater swimmer athlete candidate title song "
    "album film movie book by"
)
KINDS = _set(
    "type types kind category categories class status result results outcome genre gender sex format surface color "
    "colour division group league tier level grade"
)
ANSWERS = _set("yes no true false y n t f x ✓ ✗ ✔ ✘")  # what says whether, where empty cells may say no
# What is counted or measured, by the word nearest the end of a header -> the unit, where no symbol says one.
MEASURES = _named(
    {
        "people": "population pop people residents inhabitants attendance crowd spectators capacity enrollment "
        "enrolment students pupils employees staff deaths births killed injured wounded casualties fatalities "
        "passengers members visitors workers voters electorate viewers troops soldiers prisoners patients women men",
        "votes": "votes vote ballots",
        "seats": "seats mandates",
        "points": "points pts point",
        "goals": "goals goal gf ga gd scored conceded",
        "length": "height length width distance elevation depth altitude prominence span diameter radius wingspan",
        "area": "area",
        "volume": "displacement",
        "weight": "weight mass payload",
        "money": "price cost costs budget revenue revenues sales salary gross earnings money prize purse income profit "
        "profits winnings wages fee fees gdp debt expenditure turnover assets premium premiums wage",
        "time": "time duration runtime",
        "years": "age ages years",
        "speed": "speed velocity",
        "temperature": "temperature temp temperatures",
        "density": "density",
        "power": "power horsepower",
        "yards": "yards yds yardage",
        "laps": "laps",
        "games": "wins losses won lost drawn draws played matches games win loss ties tied defeats victories gp",
        "%": "percent percentage pct percentages proportion share shares turnout",
        "rate": "rate rates ratio",
        "average": "average avg mean median",
        "probability": "probability prob odds",
        "°": "lat lng latitude longitude",
        "rating": "rating ratings",
    }
)
WEAK = _set("won lost win loss drawn tied scored conceded played draws")  # behind `points` or `seats` they say little
# Counted or measured too, in nobody knows what.
COUNTS = _set("total totals sum count amount quantity score scores change difference margin titles floors value")
UNITS = _named(
    {
        "%": "% percent pct",
        "$": "$ usd us$ dollars",
        "€": "€ eur euro euros",
        "£": "£ gbp",
        "¥": "¥ jpy yen",
        "CNY": "cny yuan rmb",
        "₹": "₹ inr rs rupees",
        "mm": "mm millimetres millimeters",
        "cm": "cm centimetres centimeters",
        "m": "m metre metres meter meters",
        "km": "km kms kilometre kilometres kilometer kilometers",
        "ft": "ft feet foot",
        "in": "in inch inches",
        "mi": "mi mile miles",
        "yards": "yd yds yards",
        "km²": "km² km2 sqkm squarekm squarekilometres squarekilometers kmsquare",
        "m²": "m² m2 sqm squaremetres squaremeters",
        "mi²": "mi² mi2 sqmi squaremiles sqmiles",
        "ft²": "ft² ft2 sqft squarefeet",
        "ha": "ha hectare hectares",
        "acres": "acre acres",
        "g": "g gram grams",
        "kg": "kg kgs kilogram kilograms",
        "t": "t tonne tonnes ton tons",
        "lb": "lb lbs pound pounds",
        "oz": "oz",
        "l": "l litre litres liter liters",
        "ml": "ml",
        "m³": "m³ m3",
        "s": "s sec secs second seconds",
        "min": "min mins minute minutes",
        "h": "h hr hrs hour hours",
        "ms": "ms",
        "days": "day days",
        "weeks": "week weeks",
        "months": "month months",
        "years": "yr yrs year years",
        "km/h": "km/h kmh kph",
        "mph": "mph",
        "m/s": "m/s",
        "kn": "kn knots",
        "W": "w watt watts",
        "kW": "kw",
        "MW": "mw",
        "hp": "hp bhp",
        "kWh": "kwh",
        "GWh": "gwh",
        "°C": "°c celsius",
        "°F": "°f fahrenheit",
        "Hz": "hz",
        "kHz": "khz",
        "MHz": "mhz",
        "GHz": "ghz",
        "KB": "kb",
        "MB": "mb",
        "GB": "gb",
        "points": "points pts",
        "people": "people persons",
        "thousand": "thousand thousands 000 000s 1000 1000s",
        "million": "million millions mln",
        "billion": "billion billions bn",
    }
)
SCALES = ("thousand", "million", "billion")
SCALE_WORDS = _set("thousand thousands million millions billion billions")
MONEY = ("$", "€", "£", "¥", "CNY", "₹")
# Of these, what is no abbreviation of anything else, and so a unit without brackets too.
SYMBOLS = _set(
    "% $ € £ ¥ km km² km2 m² m2 mi² sqmi sqkm ha acres kg mph kph kmh kw hp kwh gwh hz khz mhz ghz °c °f cm mm"
)
