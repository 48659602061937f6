"""PDFs as nobody who means well writes them: busy, hidden, running."""

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String

HEAD: Final = b"%PDF-1.7\n"


def written(parts: Sequence[bytes]) -> bytes:
    """A PDF of numbered objects, the first its root."""
    out = HEAD
    offsets = []
    for n, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (n, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + table + tail


def stream(data: bytes, head: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), head, data)


ROOT: Final = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE: Final = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
BOX: Final = b"/Type /Page /Parent 2 0 R /MediaBox [0 0 99 99]"


def page(contents: bytes, head: bytes = b"") -> bytes:
    return written([ROOT, ONE, b"<< %b /Contents 4 0 R >>" % BOX, stream(contents, head)])


def pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (n + 3) for n in range(count))
    tree = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (count, kids)
    return written([ROOT, tree, *[b"<< %b >>" % BOX] * count])


def nested(times: int) -> bytes:
    return written([ROOT, ONE, b"<< %b /Resources %b%b >>" % (BOX, b"<< /Font " * times, b">>" * times)])


def forms(times: int) -> bytes:
    """A form in a form in a form."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A %d 0 R >> >>"
    first = b"<< %b /Resources << /XObject << /A 4 0 R >> >> >>" % BOX
    return written([ROOT, ONE, first, *(stream(b"/A Do", form % (n + 5)) for n in range(times))])


def _doubling() -> bytes:
    """A tree of pages in which each node names the next one twice: 2 to the 40th pages."""
    nodes = [b"<< /Type /Pages /Count 1 /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 1) for n in range(2, 42)]
    return written([ROOT, *nodes, b"<< /Type /Page /MediaBox [0 0 9 9] >>"])


_EMPTY: Final = stream(zlib.compress(b""), b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
_MUCH: Final = zlib.compress(b"q Q " * (60 * 1024 * 1024), 1)

#: What once kept a process for seconds, hours or days, by what it does.
BUSY: Final[Mapping[str, Callable[[], bytes]]] = {
    "obj": lambda: HEAD + b"obj " * 500_000 + b"\n%%EOF",
    "objects": lambda: HEAD + b"1 0 obj " * 300_000 + b"\n%%EOF",
    "forms": lambda: forms(3000),
    "empty object streams": lambda: written([ROOT, b"<< /Type /Pages /Count 0 /Kids [] >>", *[_EMPTY] * 1000]),
    "nesting": lambda: nested(200_000),
    "tree in itself": lambda: written([ROOT, ONE, b"<< /Type /Pages /Count 1 /Parent 2 0 R /Kids [2 0 R] >>"]),
    "tree that doubles": _doubling,
    "table in itself": lambda: (
        HEAD + b"xref\n0 1\n0000000000 65535 f \ntrailer << /Size 2 /Prev 9 >>\nstartxref\n9\n%%EOF"
    ),
    "table of two thousand million": lambda: (
        HEAD + b"xref\n0 2000000000\n0000000000 65535 f \ntrailer << /Size 9 >>\nstartxref\n9\n%%EOF"
    ),
    "packed": lambda: page(_MUCH, b"/Filter /FlateDecode"),
    "packed twice": lambda: page(zlib.compress(_MUCH), b"/Filter [/FlateDecode /FlateDecode]"),
}

SCRIPT: Final = "app.alert(1)"


def plain() -> pikepdf.Pdf:
    """A page that says something, to hide things in."""
    made = pikepdf.new()
    made.add_blank_page(page_size=(300, 300))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    made.pages[0].Resources = Dictionary(Font=Dictionary(T1=font))
    made.pages[0].Contents = made.make_stream(b"BT /T1 20 Tf 40 150 Td (seen) Tj ET")
    return made


def saved(made: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    made.save(out, **options)
    return out.getvalue()


def _with(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    made = plain()
    change(made)
    return saved(made)


def _script(**more: Any) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(SCRIPT), **more)


def _opens(**action: Any) -> bytes:
    def change(made: pikepdf.Pdf) -> None:
        made.Root.OpenAction = Dictionary(**action)

    return _with(change)


def _packed(pack: Callable[[bytes], tuple[bytes, bytes]]) -> bytes:
    """A script whose object stands packed in an object stream, packed so that searches for its name do not see it."""
    inner = b"<< /S /JavaScript /JS (%b) >>" % SCRIPT.encode()
    objects = b"6 0 " + inner
    data, head = pack(objects)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction 6 0 R >>",
        ONE,
        b"<< %b /Contents 4 0 R >>" % BOX,
        stream(b"q Q"),
        stream(data, b"/Type /ObjStm /N 1 /First 4 " + head),
    ]
    out, offsets = HEAD, []
    for n, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (n, part)
    rows = b"\x00\x00\x00\x00\x00\x00" + b"".join(b"\x01" + o.to_bytes(4, "big") + b"\x00" for o in offsets)
    rows += b"\x02" + (5).to_bytes(4, "big") + b"\x00" + b"\x01" + len(out).to_bytes(4, "big") + b"\x00"
    table = stream(rows, b"/Type /XRef /Size 8 /W [1 4 1] /Root 1 0 R")
    return out + b"7 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(out))


def _predicted(columns: int, kind: int) -> Callable[[bytes], tuple[bytes, bytes]]:
    """PNG predictor "up" (2): each byte less the one above it."""

    def pack(data: bytes) -> tuple[bytes, bytes]:
        data = data.ljust(-(-len(data) // columns) * columns)
        above, rows = bytes(columns), []
        for at in range(0, len(data), columns):
            row = data[at : at + columns]
            rows.append(b"\x02" + bytes((a - b) % 256 for a, b in zip(row, above, strict=True)))
            above = row
        parameters = b"/Predictor %d /Columns %d" % (kind, columns)
        return zlib.compress(b"".join(rows)), b"/Filter /FlateDecode /DecodeParms << %b >>" % parameters

    return pack


def _flate(data: bytes) -> tuple[bytes, bytes]:
    return zlib.compress(data), b"/Filter /FlateDecode"


def _twice(data: bytes) -> tuple[bytes, bytes]:
    return zlib.compress(zlib.compress(data)), b"/Filter [/FlateDecode /FlateDecode]"


def _after_stream(ending: bytes) -> bytes:
    """The word before the packed bytes, ended as only some readers take it; their table still points past it."""
    whole = _packed(_flate)
    at = whole.index(b"/ObjStm")
    return whole[:at] + whole[at:].replace(b"stream\n", b"stream" + ending, 1)


def _carries(made: pikepdf.Pdf) -> None:
    made.attachments["virus.exe"] = pikepdf.AttachedFileSpec(made, b"MZ " + SCRIPT.encode())


def _describes(made: pikepdf.Pdf) -> None:
    made.docinfo["/Author"] = String("110105194912310021")
    with made.open_metadata() as meta:
        meta["dc:title"] = "13800138000"


def _notes(made: pikepdf.Pdf) -> None:
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.Text, Rect=Array([1, 1, 9, 9]), F=2, Contents=String("13800138000"), A=_script()
    )
    link = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=Array([1, 1, 9, 9]),
        A=Dictionary(S=Name.Launch, F=String("cmd.exe")),
        AA=Dictionary(E=_script()),
    )
    made.pages[0].Annots = made.make_indirect(Array([made.make_indirect(note), made.make_indirect(link)]))


def _asks(made: pikepdf.Pdf) -> None:
    field = Dictionary(FT=Name.Tx, T=String("a"), V=String("13800138000"), AA=Dictionary(K=_script()))
    xfa = made.make_stream(b"<xdp:xdp><script>%b</script></xdp:xdp>" % SCRIPT.encode())
    made.Root.AcroForm = Dictionary(Fields=Array([made.make_indirect(field)]), XFA=xfa)


def _hides(made: pikepdf.Pdf) -> None:
    picture = made.make_stream(b"\x00", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1)
    picture.BitsPerComponent, picture.ColorSpace = 8, Name.DeviceGray
    picture.Metadata = made.make_stream(b"13800138000")
    picture.OC = Dictionary(Type=Name.OCG, Name=String("13800138000"))
    made.pages[0].Resources.XObject = Dictionary(
        I=picture, P=made.make_stream(b"%!", Type=Name.XObject, Subtype=Name.PS)
    )
    made.pages[0].PieceInfo = Dictionary(X=Dictionary(Private=String("13800138000")))
    made.pages[0].Contents = made.make_stream(
        b"% 13800138000\n/Span << /ActualText (13800138000) >> BDC BT /T1 20 Tf 40 150 Td (seen) Tj ET EMC"
    )
    made.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), _script()])))
    made.pages[0].AA = Dictionary(O=_script())


def _outlines(made: pikepdf.Pdf) -> None:
    entry = made.make_indirect(Dictionary(Title=String("13800138000"), A=_script()))
    made.Root.Outlines = made.make_indirect(Dictionary(Type=Name.Outlines, First=entry, Last=entry, Count=1))


#: What runs, leads away, carries or hides something, by how.
DISGUISED: Final[Mapping[str, Callable[[], bytes]]] = {
    "predictor 12 of 4": lambda: _packed(_predicted(4, 12)),
    "predictor 12 of 5": lambda: _packed(_predicted(5, 12)),
    "packed twice": lambda: _packed(_twice),
    "stream and CR": lambda: _after_stream(b"\r"),
    "stream, blank, LF": lambda: _after_stream(b" \n"),
    "script at opening": lambda: _opens(S=Name.JavaScript, JS=String(SCRIPT)),
    "address at opening": lambda: _opens(S=Name.URI, URI=String("http://example.org/")),
    "another file at opening": lambda: _opens(S=Name.GoToR, F=String("\\\\host\\share"), D=Array([0, Name.Fit])),
    "form sent at opening": lambda: _opens(S=Name.SubmitForm, F=String("http://example.org/")),
    "attached file": lambda: _with(_carries),
    "properties": lambda: _with(_describes),
    "notes": lambda: _with(_notes),
    "form": lambda: _with(_asks),
    "private places": lambda: _with(_hides),
    "outline": lambda: _with(_outlines),
    "owner's password": lambda: saved(plain(), encryption=pikepdf.Encryption(owner="a", user="", R=4)),
}


#: A picture as a phone writes it, in a page.
def scanned(jpeg: bytes, size: tuple[int, int], *, packed: bool = False) -> bytes:
    made = plain()
    picture = Stream(made, zlib.compress(jpeg) if packed else jpeg, Type=Name.XObject, Subtype=Name.Image)
    picture.Width, picture.Height = size
    picture.BitsPerComponent, picture.ColorSpace = 8, Name.DeviceRGB
    picture.Filter = Array([Name.FlateDecode, Name.DCTDecode]) if packed else Name.DCTDecode
    made.pages[0].Resources.XObject = Dictionary(I=picture)
    made.pages[0].Contents = made.make_stream(b"q 300 0 0 300 0 0 cm /I Do Q")
    return saved(made)
