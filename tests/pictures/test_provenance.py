# ruff: noqa: E501 - the tables are read row by row
"""What a picture file says of its origin: found where it is said, and nowhere else."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from profilectl.pictures.metadata import MOST_INFLATED
from profilectl.pictures.provenance import COMPOSITE, TRAINED, UNSPECIFIED, find_mark, with_mark

SAMPLES = sorted(Path(__file__).parent.glob("by_*/*"))  # by exiftool 12.57, and signed by c2pa-python 0.38
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
URL = VOCABULARY + TRAINED
PREFIX = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'


def encoded(kind, mode="RGB", **options):
    buffer = io.BytesIO()
    Image.new(mode, (16, 12), 90 if mode == "P" else "teal").save(buffer, kind, **options)
    return buffer.getvalue()


def xmp(description, attributes=""):
    """Return a packet whose one description holds this."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {PREFIX} xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}>{description}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def element(value):
    return f"<Iptc4xmpExt:DigitalSourceType>{value}</Iptc4xmpExt:DigitalSourceType>"


def cbor(value):
    """Encode texts, lists and dictionaries."""

    def head(major, number):
        return bytes([major << 5 | number]) if number < 24 else struct.pack(">BH", major << 5 | 25, number)

    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(part) for pair in value.items() for part in pair)


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def superbox(uuid, label, *contents):
    description = box(b"jumd", uuid.ljust(16, b"\0") + b"\x03" + label + b"\0")
    return box(b"jumb", description + b"".join(contents))


def manifest(*assertions):
    """Return the boxes of a C2PA manifest store with one manifest; assertions are boxes."""
    store = superbox(b"c2as", b"c2pa.assertions", *assertions)
    return superbox(b"c2pa", b"c2pa", superbox(b"c2ma", b"urn:uuid:1", store))


def actions(*source_types):
    steps = [{"action": "c2pa.created", "digitalSourceType": kind} if kind else {"action": "c2pa.edited"} for kind in source_types]  # fmt: skip
    return superbox(b"cbor", b"c2pa.actions.v2", box(b"cbor", cbor({"actions": steps})))


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(*segments):
    plain = encoded("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def app11(boxes, size=60_000):
    """Cut boxes into segments; each repeats the header."""
    parts = [boxes[at : at + size] for at in range(8, len(boxes), size)]
    return [
        segment(0xEB, b"JP\0\x01" + struct.pack(">I", number) + boxes[:8] + part)
        for number, part in enumerate(parts, 1)
    ]


def png(*chunks):
    plain = encoded("PNG")
    inserted = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return plain[:-12] + inserted + plain[-12:]  # behind the pixels, as some write them


def webp(*chunks):
    body = encoded("WEBP")[12:] + b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def sub_blocks(content, size=255):
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif(*blocks):
    return encoded("GIF", "P")[:-1] + b"".join(blocks) + b"\x3b"


def resource(number, content):
    return b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(content)) + content + b"\0" * (len(content) % 2)  # fmt: skip


def dataset(number, content):
    return struct.pack(">BBBH", 0x1C, 2, number, len(content)) + content


def tiff(order, **values):
    """Return a TIFF structure whose directory has these tags, by their hexadecimal number."""
    data = 8 + 2 + 12 * len(values) + 4
    entries, content = b"", b""
    for tag, value in values.items():
        entries += struct.pack(f"{order}HHII", int(tag[1:], 16), 1, len(value), data + len(content))
        content += value
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(values))
    return head + entries + b"\0\0\0\0" + content


def raw_profile(name, content):
    return f"\n{name}\n{len(content):8}\n{content.hex()}\n".encode()


XMP = xmp(element(URL))
C2PA = manifest(actions("", URL))
IPTC = dataset(25, TRAINED.encode())
PHOTOSHOP = segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, dataset(105, b"Alice") + IPTC))
ADOBE = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0" + b"G" * 32 + struct.pack(">I", len(XMP))
MARKED_CHUNK = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
GIF_C2PA = b"\x21\xff\x0bC2PA_GIF\x01\0\0"
MAGIC = bytes([1, *range(255, -1, -1), 0])

MARKED = {
    "JPEG, XMP by Pillow": encoded("JPEG", xmp=XMP),
    "JPEG, XMP in an EXIF tag": jpeg(segment(0xE1, b"Exif\0\0" + tiff("<", x02BC=XMP))),
    "JPEG, XMP of two segments": jpeg(
        segment(0xE1, ADOBE + xmp("")),
        segment(0xE1, EXTENSION + struct.pack(">I", 300) + XMP[300:]),
        segment(0xE1, EXTENSION + struct.pack(">I", 0) + XMP[:300]),
    ),
    "JPEG, XMP in Photoshop's block": jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x03ED, b"x") + resource(0x0424, XMP))),
    "JPEG, IPTC": jpeg(PHOTOSHOP),
    "JPEG, IPTC in two segments": jpeg(PHOTOSHOP[:-9].replace(struct.pack(">H", len(PHOTOSHOP) - 2), struct.pack(">H", len(PHOTOSHOP) - 11)), segment(0xED, b"Photoshop 3.0\0" + PHOTOSHOP[-9:])),
    "JPEG, C2PA": jpeg(*app11(C2PA)),
    "JPEG, C2PA in many segments": jpeg(*reversed(app11(C2PA, 50))),
    "JPEG, C2PA in JSON": jpeg(*app11(manifest(superbox(b"json", b"stds.iptc", box(b"json", b'{"Iptc4xmpExt:DigitalSourceType": {"@id": "%s"}}' % URL.encode()))))),
    "JPEG, C2PA that is damaged": jpeg(*app11(manifest(superbox(b"cbor", b"c2pa.actions", box(b"cbor", b"\xff" + URL.encode()))))),
    "JPEG, padded": jpeg(b"\xff\xff\xff", segment(0xE1, ADOBE + XMP)),
    "PNG, XMP": png(MARKED_CHUNK),
    "PNG, XMP with a language": png((b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0XMP\0" + XMP)),
    "PNG, XMP compressed": png((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))),
    "PNG, XMP as text": png((b"tEXt", b"XML:com.adobe.xmp\0" + XMP)),
    "PNG, XMP by ImageMagick": png((b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(raw_profile("xmp", XMP)))),
    "PNG, APP1 by ImageMagick": png((b"tEXt", b"Raw profile type APP1\0" + raw_profile("generic", ADOBE + XMP))),
    "PNG, IPTC by ImageMagick": png((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw_profile("iptc", resource(0x0404, IPTC))))),
    "PNG, EXIF": png((b"eXIf", tiff(">", x010E=b"Alice", x02BC=XMP))),
    "PNG, IPTC in EXIF": png((b"eXIf", tiff("<", x83BB=IPTC))),
    "PNG, Photoshop in EXIF": png((b"eXIf", tiff("<", x8649=resource(0x0404, IPTC)))),
    "PNG, C2PA": png((b"caBX", C2PA)),
    "WEBP, XMP by Pillow": encoded("WEBP", xmp=XMP),
    "WEBP, XMP": webp((b"XMP ", XMP)),
    "WEBP, EXIF": webp((b"ODD ", b"x"), (b"EXIF", b"Exif\0\0" + tiff("<", x02BC=XMP))),
    "WEBP, C2PA": webp((b"C2PA", C2PA)),
    "GIF, XMP": gif(GIF_XMP + XMP + MAGIC),
    "GIF, XMP in sub-blocks": gif(GIF_XMP + sub_blocks(XMP, 20)),
    "GIF, C2PA": gif(GIF_C2PA + sub_blocks(C2PA)),
}  # fmt: skip


@pytest.mark.parametrize("content", MARKED.values(), ids=MARKED)
def test_a_mark_is_found_wherever_a_format_keeps_it(content):
    """XMP, IPTC and C2PA in JPEG, PNG, WEBP and GIF; and in each the other mark is told apart."""
    assert TRAINED == find_mark(content)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_files_of_other_programs_are_understood(path):
    """The name says what each holds."""
    marks = {"trained": TRAINED, "composite": COMPOSITE, "unspecified": UNSPECIFIED, "unmarked": ""}

    assert marks[path.stem.partition("-")[0]] == find_mark(path.read_bytes())


VALUES = {
    URL: TRAINED,
    VOCABULARY + COMPOSITE: COMPOSITE,
    URL.replace("http:", "https:"): TRAINED,
    f" {URL}/\n": TRAINED,
    "trainedAlgorithmicMedia": TRAINED,
    "digsrctype:compositeWithTrainedAlgorithmicMedia": COMPOSITE,
    "Trained Algorithmic Media": TRAINED,
    "http:&#x2f;/cv.iptc.org/newscodes/digitalsourcetype/t&#114;ainedAlgorithmicMedia": TRAINED,
    VOCABULARY + "digitalCapture": "",
    VOCABULARY + "algorithmicMedia": "",
    VOCABULARY + "untrainedAlgorithmicMedia": "",
    "nothing of trainedAlgorithmicMedia in it": "",
    "": "",
}


@pytest.mark.parametrize(("value", "mark"), VALUES.items())
@pytest.mark.parametrize(("start", "end"), [(b"", b""), (b"", b"<"), (b"<&", b"")], ids=["whole", "cut off", "damaged"])
def test_the_ways_to_write_a_value(value, mark, start, end):
    """As an element, an attribute, a resource or a list, in whole packets and in damaged ones."""
    name = "Iptc4xmpExt:DigitalSourceType"
    packets = [
        xmp(element(value)),
        xmp("", f'{name}="{value}"'),
        xmp(f'<{name} rdf:resource="{value}"/>'),
        xmp(element(f"<rdf:Bag><rdf:li>{value}</rdf:li></rdf:Bag>")),
    ]

    assert [mark] * 4 == [find_mark(webp((b"XMP ", start + packet + end))) for packet in packets]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_packets_of_every_encoding_are_read(encoding):
    """XMP is UTF-8 in most formats, and may be UTF-16 in some."""
    text = XMP.decode().partition("?>")[2].rpartition("<?")[0]

    assert TRAINED == find_mark(webp((b"XMP ", text.encode(encoding))))


def comment(text):
    return b"\x21\xfe" + sub_blocks(text)


CAPTION = xmp(f"<dc:description><rdf:Alt><rdf:li>{URL}</rdf:li></rdf:Alt></dc:description><dc:subject>{TRAINED}</dc:subject>")  # fmt: skip
QUOTED = xmp(f"<dc:description><![CDATA[{element(URL)}]]></dc:description><!-- {element(URL)} -->")
ESCAPED = xmp("<dc:description>" + element(URL).replace("<", "&lt;") + "</dc:description>")
TEXT = PngInfo()
TEXT.add_text("Description", URL)
TEXT.add_itxt("Comment", element(URL))

UNMARKED = {
    **{f"a plain {kind}": encoded(kind, mode) for kind, mode in {"JPEG": "RGB", "PNG": "RGBA", "WEBP": "RGB", "GIF": "P"}.items()},
    "a comment of JPEG": jpeg(segment(0xFE, XMP), segment(0xFE, C2PA)),
    "EXIF's description": jpeg(segment(0xE1, b"Exif\0\0" + tiff("<", x010E=URL.encode(), x9286=XMP))),
    "XMP's caption": jpeg(segment(0xE1, ADOBE + CAPTION)),
    "quoted in XMP": jpeg(segment(0xE1, ADOBE + QUOTED)),
    "quoted in damaged XMP": jpeg(segment(0xE1, ADOBE + QUOTED + b"<")),
    "escaped in XMP": jpeg(segment(0xE1, ADOBE + ESCAPED)),
    "escaped in damaged XMP": jpeg(segment(0xE1, ADOBE + ESCAPED + b"<")),
    "IPTC's caption": jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, dataset(120, URL.encode())))),
    "a sentence among IPTC's keywords": jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, dataset(25, b"no " + URL.encode())))),
    "a segment of somebody else": jpeg(segment(0xEF, ADOBE + XMP), segment(0xE1, b"other\0" + XMP)),
    "XMP's related resource": jpeg(segment(0xE1, ADOBE + xmp(f'<dc:relation rdf:resource="{URL}"/>'))),
    "in a JPEG's scan": jpeg(segment(0xDA, b"\1\1\0\0\x3f\0"), segment(0xE1, ADOBE + XMP)),
    "behind a JPEG's scan": encoded("JPEG")[:-2] + segment(0xE1, ADOBE + XMP) + b"\xff\xd9",
    "behind a JPEG's end": encoded("JPEG") + segment(0xE1, ADOBE + XMP),
    "texts of PNG": encoded("PNG", pnginfo=TEXT),
    "an unknown chunk of PNG": png((b"teSt", XMP), (b"teSt", C2PA)),
    "behind a PNG's end": encoded("PNG") + png((b"caBX", C2PA))[8:],
    "pixels of PNG": png((b"IDAT", XMP + C2PA)),
    "an unknown chunk of WEBP": webp((b"ODD ", XMP)),
    "a comment of GIF": gif(comment(XMP), comment(C2PA)),
    "an application of GIF": gif(b"\x21\xff\x0bADOBE CMXMP" + sub_blocks(XMP)),
    "a caption in C2PA": jpeg(*app11(manifest(actions(VOCABULARY + "digitalCapture"), superbox(b"cbor", b"x", box(b"cbor", cbor({"caption": URL, "digitalSourceTypes": URL})))))),
    "a thumbnail in C2PA": jpeg(*app11(manifest(actions(VOCABULARY + "digitalCapture"), superbox(b"x", b"c2pa.thumbnail", box(b"bidb", XMP))))),
    "no picture": XMP + C2PA,
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("content", UNMARKED.values(), ids=UNMARKED)
def test_words_in_other_places_are_no_mark(content):
    """Captions, comments, pixels, and what stands behind a picture say nothing of its origin."""
    assert "" == find_mark(content)


def test_a_manifest_may_leave_the_source_open():
    """Cameras, editors and generators sign; that alone isn't the mark of a machine, and one that names a source is."""
    assert UNSPECIFIED == find_mark(jpeg(*app11(manifest(actions("", "")))))
    assert "" == find_mark(jpeg(*app11(manifest(actions("", VOCABULARY + "computationalCapture")))))
    assert "" == find_mark(jpeg(*app11(superbox(b"other", b"jpeg360", box(b"json", b"{}")))))


def test_the_stronger_mark_counts():
    """A composite of a picture that a model made entirely, as the manifest of an ingredient tells."""
    both = manifest(actions(VOCABULARY + COMPOSITE), actions(URL))

    assert TRAINED == find_mark(webp((b"XMP ", xmp(element(VOCABULARY + COMPOSITE))), (b"C2PA", both)))


def test_indefinite_cbor_is_read():
    """Strings, lists and maps whose length comes at their end."""
    key = b"\x7f\x67digital\x6aSourceType\xff"
    document = b"\xbf\x67actions\x9f\xbf" + key + cbor(TRAINED) + b"\xff\xff\xff"

    assert TRAINED == find_mark(png((b"caBX", manifest(superbox(b"cbor", b"c2pa.actions", box(b"cbor", document))))))


def test_a_bomb_is_not_blown_up():
    """A compressed text is inflated so far and no further, and so are all of a file together."""
    bomb = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(10 * MOST_INFLATED), 9)
    packed = (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))
    content = png(*[(b"iTXt", bomb)] * 20, packed)
    tracemalloc.start()
    mark = find_mark(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert ("", True) == (mark, peak < 4 * MOST_INFLATED)
    assert TRAINED == find_mark(png((b"iTXt", bomb), MARKED_CHUNK))
    assert TRAINED == find_mark(png(packed, (b"iTXt", bomb)))


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 50) for c in range(98, 120)) + b"]><x>&w;</x>",
        b'<!DOCTYPE x [<!ENTITY a "trainedAlgorithmicMedia">]><x DigitalSourceType="&a;"/>',
        b"<a>" * 300_000,
        b"<!--" * 500_000,
        b"<![CDATA[" * 200_000,
        b"<DigitalSourceType " * 100_000,
        b"<" + b"a" * 3_000_000,
        b'<?xml version="1.0" encoding="rot13"?><x/>',
    ],
    ids=["entities", "entity", "deep", "comments", "quotes", "elements", "long", "encoding"],
)  # fmt: skip
def test_hostile_xml_says_nothing(packet):
    """Neither an error, nor an answer that takes longer the more often something is opened."""
    assert "" == find_mark(webp((b"XMP ", packet)))


@pytest.mark.parametrize("content", MARKED.values(), ids=MARKED)
def test_what_is_cut_off_is_read_as_far_as_it_goes(content):
    """A file that ends too early has its mark, or none, and is never an error."""
    assert {find_mark(content[:end]) for end in range(len(content))} <= {"", TRAINED, UNSPECIFIED}


@pytest.mark.parametrize("mark", [TRAINED, COMPOSITE])
@pytest.mark.parametrize(
    "content",
    [encoded("JPEG"), encoded("JPEG", "L", progressive=True), encoded("PNG"), encoded("PNG", "RGBA"), encoded("GIF", "P")],
    ids=["JPEG", "grey JPEG", "PNG", "transparent PNG", "GIF"],
)  # fmt: skip
def test_a_mark_that_is_written_is_found_and_changes_no_pixel(content, mark):
    """By us and by Pillow, in less than a kilobyte."""
    marked = with_mark(content, mark)
    before, after = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(marked))

    assert (mark, before.tobytes()) == (find_mark(marked), after.tobytes())
    assert len(marked) - len(content) < 1000


def test_a_manifest_that_is_too_large_is_searched_for_the_address():
    """More than a megabyte isn't decoded: the whole address counts, the bare word doesn't."""
    boxes = [manifest(superbox(b"json", b"x", box(b"json", b'{"digitalSourceType": "%s", "x": "%s"}' % (value.encode(), b"x" * 1_000_000)))) for value in (URL, TRAINED)]  # fmt: skip

    assert [TRAINED, UNSPECIFIED] == [find_mark(png((b"caBX", store))) for store in boxes]
