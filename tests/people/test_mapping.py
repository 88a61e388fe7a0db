"""Columns become fields: as they are named, or guessed from what directories call them."""

from __future__ import annotations

import datetime as dt

import pytest

from profilectl.errors import UsageError
from profilectl.people.mapping import as_cell, consent_columns, convert, map_columns
from profilectl.toml.rules import FieldError

# Column names as each maker documents its export, or its file for import, which has the same.
OKTA = (
    "login,firstName,lastName,middleName,honorificPrefix,honorificSuffix,email,title,displayName,nickName,profileUrl,"
    "secondEmail,mobilePhone,primaryPhone,streetAddress,city,state,zipCode,countryCode,postalAddress,"
    "preferredLanguage,locale,timezone,userType,employeeNumber,costCenter,organization,division,department,managerId,"
    "manager"
)
ENTRA = (
    "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,"
    "usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,"
    "authenticationPhoneNumber,authenticationAlternativePhoneNumber,authenticationEmail,alternateEmailAddress,"
    "ageGroup,consentProvidedForMinor,legalAgeGroupClassification"
)
GOOGLE = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
    "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
    "Recovery Email,Home Secondary Email,Work Secondary Email,"
    "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,Home Address,"
    "Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center"
)
ZENDESK = "name,email,external_id,details,notes,phone,role,restriction,organization,tags,brand,alias"
BAMBOOHR = "Employee #,First Name,Last Name,Preferred Name,Job Title,Department,Location,Work Email,Employment Status"


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Vorname,Nachname,E-Mail-Adresse,Foto", ["first", "last", "email", "avatar"]),
        ("Name,Vorname,E-Mail", ["last", "first", "email"]),
        ("Name,Vorname,Nachname", ["name", "first", "last"]),
        ("Anzeigename,Name,Vorname", ["name", None, "first"]),
        ("Nom,Prénom,Courriel", ["last", "first", "email"]),
        ("Nombre,Apellidos,Correo electrónico", ["first", "last", "email"]),
        ("Nome,Cognome,Email,Immagine", ["first", "last", "email", "avatar"]),
        ("Voornaam,Achternaam,E-mailadres", ["first", "last", "email"]),
        ("Imię,Nazwisko", ["first", "last"]),
        ("Förnamn,Efternamn", ["first", "last"]),
    ],
)
def test_spreadsheets_of_other_languages_are_known(header, columns):
    """Whoever separates columns with semicolons rarely calls them in English."""
    guessed = {column: field for field, column in map_columns(header.split(","), ()).columns.items()}

    assert columns == [guessed.get(column) for column in header.split(",")]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (OKTA, {"email": "email", "name": "displayName", "first": "firstName", "last": "lastName", "title": "title"}),
        (
            ENTRA,
            {
                "email": "mail",
                "name": "displayName",
                "first": "givenName",
                "last": "surname",
                "title": "jobTitle",
            },
        ),
        (
            GOOGLE,
            {
                "email": "Email Address [Required]",
                "first": "First Name [Required]",
                "last": "Last Name [Required]",
                "title": "Employee Title",
            },
        ),
        (ZENDESK, {"email": "email", "name": "alias"}),
        (
            BAMBOOHR,
            {"email": "Work Email", "first": "Preferred Name", "last": "Last Name", "title": "Job Title"},
        ),
        (
            "profile.firstName,profile.lastName,profile.email",
            {"email": "profile.email", "first": "profile.firstName", "last": "profile.lastName"},
        ),
        (
            "primaryEmail,name.givenName,name.familyName,thumbnailPhotoUrl",
            {
                "email": "primaryEmail",
                "first": "name.givenName",
                "last": "name.familyName",
                "avatar": "thumbnailPhotoUrl",
            },
        ),
    ],
    ids=["okta", "entra", "google", "zendesk", "bamboohr", "okta's API", "google's API"],
)
def test_the_columns_of_directories_are_known(header, columns):
    """A number of an employee, a telephone or a password is never read."""
    assert columns == map_columns(header.split(","), ()).columns


def test_columns_of_the_roster_s_own_names_are_themselves():
    """As `roster export` writes them, whatever else would be guessed."""
    headers = ["key", "name", "avatar", "kind", "first", "last", "title", "legal_name", "until", "displayName", "photo"]
    mapping = map_columns(headers, ())

    assert {field: field for field in headers[:9]} == mapping.columns
    assert {*headers[:9]} == mapping.given


def test_the_roster_s_own_names_are_taken_in_any_case():
    """A spreadsheet writes them with a capital; the exact word goes before, and "Name" stays a guess."""
    mapping = map_columns(["Key", "Operators", "KIND", "Title", "Job Title", "Anzeigename", "Name"], ())

    assert {
        "key": "Key",
        "operators": "Operators",
        "kind": "KIND",
        "title": "Title",
        "name": "Anzeigename",
    } == mapping.columns
    assert "kind" == map_columns(["Kind", "kind"], ()).columns["kind"]


def test_columns_that_look_like_consent_are_known():
    """Unless a person maps one to a field; Entra's is of parents."""
    headers = ["Photo consent", "Einwilligung Foto", "Consentimiento", "Samtycke", "Name", "consentProvidedForMinor"]

    assert headers[:4] == consent_columns(headers, map_columns(headers, ()))
    assert headers[1:4] == consent_columns(headers, map_columns(headers, ["title=Photo consent"]))


def test_a_person_s_word_wins():
    """A column may be named, in any case, and a guess taken back."""
    headers = ["Display Name", "Mail", "Photo", "Nick, short"]
    mapping = map_columns(headers, ["name=nick, short,avatar=", "email=MAIL"])

    assert ({"email": "Mail", "name": "Nick, short"}, {"email", "name"}) == (mapping.columns, mapping.given)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("nme=Mail", '--map: no field is called "nme", did you mean "name"?'),
        ("name=Mial", '--map: no column is called "Mial", did you mean "Mail"?'),
        ("name", '--map: expected FIELD=COLUMN such as name=display_name, got "name"'),
        ("consent=Mail", '--map: no field is called "consent"; there are key, name, avatar, '),
        ("name=Zzz", '--map: no column is called "Zzz"; there are Mail, Photo'),
    ],
)
def test_what_there_is_not_is_a_usage_error(option, message):
    """With what was meant."""
    with pytest.raises(UsageError) as error:
        map_columns(["Mail", "Photo"], [option])

    assert error.value.message.startswith(message)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("kind", "Human", "human"),
        ("protected", "Yes", True),
        ("protected", "0", False),
        ("until", "2027-01-31", dt.date(2027, 1, 31)),
        ("brands", "acme, beta", ["acme", "beta"]),
        ("operators", "afast uid:1001", ["afast", "uid:1001"]),
        ("title", "Care", "Care"),
    ],
)
def test_cells_become_values(field, text, value):
    """As the roster holds them; and back again."""
    assert value == convert(field, text)
    assert value == convert(field, as_cell(value))


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("kind", "person", 'expected "human" or "bot", got "person"'),
        ("protected", "perhaps", 'expected yes or no, got "perhaps"'),
        ("until", "31.01.2027", 'expected a day such as 2027-01-31, got "31.01.2027"'),
        ("title", "x" * 201, "201 characters, at most 200"),
        ("operators", "a:b", 'OS users such as "afast" or "uid:1001"'),
    ],
)
def test_what_is_no_value_is_told(field, text, message):
    """By the roster's own rules."""
    with pytest.raises(FieldError) as error:
        convert(field, text)

    assert message in str(error.value)
