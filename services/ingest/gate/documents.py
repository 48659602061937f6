"""PDFs from outside, written anew with their pages alone; pure.

What draws a page is copied by a list of what may be (ISO 32000-1): contents, fonts, pictures, colours, patterns. So there is
no script, action, link, form, attached file, layer, property, outline, structure or password in what comes out, whatever came
in and however it was hidden. Notes and fields that a reader shows become part of the page's picture, the others go. Runs in
a process of its own (`answer`): the libraries read what strangers send.
"""

import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Stream, String, TokenType

from services.contracts import privacy
from services.ingest.gate.bare import bare_picture
from services.ingest.gate.files import MAX_PUBLIC_BYTES, PublicFile, UnusableFileError, answer_with

#: Pages and characters that are read; more than this is no voucher.
MOST_PAGES: Final = 500
_MOST_SIGNS: Final = 2_000_000
#: Bytes that one stream may unpack to, and all that are unpacked together.
_MOST_OF_ONE: Final = 48 * 1024 * 1024
_MOST_UNPACKED: Final = 128 * 1024 * 1024
#: A form in a form in a form … of a page; nothing that draws is deeper.
_DEEPEST: Final = 60

_BROKEN: Final = "PDF 打不开或不完整，请重新导出，或用“打印为 PDF”另存后再上传。"
_TOO_LARGE: Final = "PDF 展开后太大，请分成几个文件，或用“打印为 PDF”另存后再上传。"
_LOCKED: Final = "PDF 有打开密码，请去掉密码，或用“打印为 PDF”另存后再上传。"

#: Of a page, what is inherited or its own (7.7.3.3).
_OF_PAGE: Final = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Group")
#: Of a page's or form's resources, each a choice of free names (7.8.3). Layers (`/Properties`) are none of them.
_RESOURCES: Final = ("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading")
#: Keys of everything else. One after the other: fonts and their programs (9.5 to 9.10), pictures and forms (8.9, 8.10, 11.6),
#: the state of drawing (8.4.5, 11.6.5), colours, functions, shadings, patterns (7.10, 8.6, 8.7), how a picture is packed (7.4).
_ALLOWED: Final = frozenset(
    f"/{key}"
    for key in re.findall(
        r"\w+",
        """
        Type Subtype BaseFont FirstChar LastChar Widths FontDescriptor Encoding ToUnicode DescendantFonts CIDSystemInfo
        Registry Ordering Supplement DW W DW2 W2 CIDToGIDMap BaseEncoding Differences FontName FontFamily FontStretch
        FontWeight Flags FontBBox ItalicAngle Ascent Descent Leading CapHeight XHeight StemV StemH AvgWidth MaxWidth
        MissingWidth FontFile FontFile2 FontFile3 CharSet CIDSet FontMatrix CharProcs Length1 Length2 Length3 CMapName
        WMode UseCMap

        Width Height ColorSpace BitsPerComponent Intent ImageMask Mask SMask Decode Interpolate SMaskInData Matte FormType
        BBox Matrix Resources Group S CS I K

        LW LC LJ ML D RI Font OP op OPM FL SM SA BM CA ca AIS TK G BC TR

        N Alternate Range WhitePoint BlackPoint Gamma FunctionType Domain Size BitsPerSample Order Encode C0 C1 Functions
        Bounds ShadingType Background AntiAlias Function Coords Extend BitsPerCoordinate BitsPerFlag VerticesPerRow
        PatternType PaintType TilingType XStep YStep Shading

        Predictor Colors Columns EarlyChange Rows BlackIs1 EndOfLine EncodedByteAlign EndOfBlock DamagedRowsBeforeError
        ColorTransform JBIG2Globals
        """,
    )
)
#: Filters that only pictures have, and that nothing comes behind.
_PICTURE_FILTERS: Final = frozenset({"/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode"})
_SHORT_FILTERS: Final = MappingProxyType({"/DCT": "/DCTDecode", "/CCF": "/CCITTFaxDecode"})
#: What marks a part of a page for others than the eye: layers, alternative texts.
_MARKS: Final = frozenset({"BMC", "BDC", "EMC", "MP", "DP"})
_SIGNS_OF_MARKS: Final = (b"%", *(mark.encode() for mark in sorted(_MARKS)))


def document(data: bytes) -> PublicFile:
    """Make the public PDF of an upload; UnusableFileError when it is none that we take."""
    try:
        content = _written_anew(data)
    except UnusableFileError:
        raise
    except pikepdf.PasswordError as error:
        raise UnusableFileError(_LOCKED) from error
    except MemoryError as error:
        raise UnusableFileError(_TOO_LARGE) from error
    except Exception as error:
        # What a broken or made-up file makes a library raise is of many kinds, and means one thing.
        raise UnusableFileError(_BROKEN) from error
    return PublicFile(content, "application/pdf", personal_data(content))


def _written_anew(data: bytes) -> bytes:
    pikepdf.settings.set_qpdf_limits(
        parser_max_nesting=_DEEPEST,
        doc_max_warnings=20_000,
        max_stream_filters=4,
        flate_max_memory=_MOST_OF_ONE,
        png_max_memory=_MOST_OF_ONE,
        tiff_max_memory=_MOST_OF_ONE,
        run_length_max_memory=_MOST_OF_ONE,
    )
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as source, pikepdf.new() as made:
        _count_pages(source)
        source.generate_appearance_streams()
        source.flatten_annotations("screen")
        copier = _Copier(made)
        for page in source.pages:
            made.pages.append(pikepdf.Page(copier.page(page)))
        out = io.BytesIO()
        made.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            fix_metadata_version=False,
            compress_streams=True,
        )
    if out.tell() > MAX_PUBLIC_BYTES:
        raise UnusableFileError(_TOO_LARGE)
    return out.getvalue()


def _count_pages(source: pikepdf.Pdf) -> None:
    count = len(source.pages)
    if count > MOST_PAGES:
        message = f"PDF 有 {count} 页，最多 {MOST_PAGES} 页，请分成几个文件。"
        raise UnusableFileError(message)
    if not count:
        raise UnusableFileError(_BROKEN)


class _Copier:
    """What draws, from one file into another; each object once, so that what refers to itself ends too."""

    def __init__(self, into: pikepdf.Pdf) -> None:
        self._into = into
        self._done: dict[tuple[tuple[int, int], bool], Object] = {}
        self._left = _MOST_UNPACKED
        self._depth = 0
        #: Contents are filtered as those of a page, which is the library's way.
        self._desk = pikepdf.new()

    def page(self, page: pikepdf.Page) -> Object:
        """A page with nothing but what draws it."""
        made = Dictionary(Type=Name.Page)
        for key in _OF_PAGE:
            value = _inherited(page, key)
            if value is not None:
                made[key] = self._copy(value)
        resources = _inherited(page, "/Resources")
        made.Resources = self._resources(resources) if isinstance(resources, Dictionary) else Dictionary()
        contents = page.obj.get("/Contents", Array())
        parts = [contents] if isinstance(contents, Stream) else list(contents)
        made.Contents = self._drawing(b"\n".join(self._unpacked(part) for part in parts if isinstance(part, Stream)))
        return self._into.make_indirect(made)

    def _copy(self, value: object, *, draws: bool = False) -> object:
        """A value without what is not allowed; `draws` says that a stream is one of instructions."""
        if not isinstance(value, Object):
            return value
        key = (value.objgen, draws)
        if value.is_indirect and key in self._done:
            return self._done[key]
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnusableFileError(_BROKEN)
        try:
            return self._made(value, draws=draws)
        finally:
            self._depth -= 1

    def _made(self, value: Object, *, draws: bool) -> Object | None:
        match value:
            case Stream():
                return self._stream(value, draws=draws)
            case Dictionary():
                made = self._kept(value, Dictionary())
                self._fill(made, value)
                return made
            case Array():
                made = self._kept(value, Array())
                for item in value:
                    made.append(self._copy(item))
                return made
            case Name():
                return Name(str(value))
            case String():
                return String(bytes(value))
            case _:
                return None

    def _kept(self, value: Object, made: Object) -> Object:
        """What shall become the copy of a shared object; known before it is filled, for it may refer to itself."""
        if not value.is_indirect:
            return made
        made = self._into.make_indirect(made)
        self._done[value.objgen, False] = self._done[value.objgen, True] = made
        return made

    def _fill(self, made: Object, source: Object) -> None:
        for key, value in source.items():
            if key == "/Resources":
                if isinstance(value, Dictionary):
                    made[key] = self._resources(value)
            elif key == "/CharProcs":
                if isinstance(value, Dictionary):
                    made[key] = Dictionary(
                        {
                            name: self._copy(glyph, draws=True)
                            for name, glyph in value.items()
                            if isinstance(glyph, Stream)
                        }
                    )
            elif key in _ALLOWED:
                copied = self._copy(value)
                if copied is not None:
                    made[key] = copied

    def _resources(self, source: Object) -> Dictionary:
        made = Dictionary()
        for kind in _RESOURCES:
            of_kind = source.get(kind)
            if isinstance(of_kind, Dictionary):
                made[kind] = Dictionary(
                    {name: self._copy(value) for name, value in of_kind.items() if _is_resource(value)}
                )
        return made

    def _stream(self, source: Stream, *, draws: bool) -> Stream:
        subtype = source.get("/Subtype")
        if draws or subtype == Name.Form or source.get("/PatternType") == 1:
            made = self._drawing(b"")
            self._done[source.objgen, False] = self._done[source.objgen, True] = made
            self._fill(made, source)
            made.write(zlib.compress(self._filtered(self._unpacked(source))), filter=Name.FlateDecode)
            return made
        made = self._picture(source) if subtype == Name.Image else self._drawing(self._unpacked(source), filtered=False)
        self._done[source.objgen, False] = made
        self._fill(made, source)
        return made

    def _drawing(self, data: bytes, *, filtered: bool = True) -> Stream:
        return Stream(self._into, zlib.compress(self._filtered(data) if filtered else data), Filter=Name.FlateDecode)

    def _unpacked(self, source: Object) -> bytes:
        data = source.read_bytes(pikepdf.StreamDecodeLevel.generalized)
        self._count(data)
        return data

    def _count(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise UnusableFileError(_TOO_LARGE)

    def _picture(self, source: Stream) -> Stream:
        """A picture as it is packed, without what its format carries beside it."""
        filters, parameters = _listed(source.get("/Filter")), _listed(source.get("/DecodeParms"))
        names = [_SHORT_FILTERS.get(str(name), str(name)) for name in filters]
        parameters += [None] * (len(names) - len(parameters))
        raw = source.read_raw_bytes()
        first = next((n for n, name in enumerate(names) if name in _PICTURE_FILTERS), None)
        if first is None:
            made = Stream(self._into, raw)
        elif first + 1 != len(names):
            raise UnusableFileError(_BROKEN)
        else:
            data = self._without(names[:first], parameters[:first], raw)
            made = Stream(self._into, bare_picture(names[first], data))
            names, parameters = names[first:], parameters[first:]
        if names:
            made.Filter = Array([Name(name) for name in names])
            made.DecodeParms = Array([self._copy(p) if isinstance(p, Dictionary) else Dictionary() for p in parameters])
        return made

    def _without(self, names: Sequence[str], parameters: Sequence[Object | None], raw: bytes) -> bytes:
        """Bytes as they were before these filters."""
        if not names:
            return raw
        packed = Stream(self._desk, raw, Filter=Array([Name(n) for n in names]))
        packed.DecodeParms = Array([_numbers(p) for p in parameters])
        return self._unpacked(packed)

    def _filtered(self, data: bytes) -> bytes:
        """Instructions without comments and marks; where there can be none, nothing need be looked at word by word."""
        if not any(sign in data for sign in _SIGNS_OF_MARKS):
            return data
        page = self._desk.make_indirect(Dictionary(Type=Name.Page, Contents=Stream(self._desk, data)))
        return bytes(pikepdf.Page(page).get_filtered_contents(_Unmarked()))


class _Unmarked(pikepdf.TokenFilter):
    """Lets instructions through as they are, but no comment and none that marks."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[pikepdf.Token] = []

    def handle_token(self, token: pikepdf.Token = None) -> list[pikepdf.Token] | None:  # type: ignore[assignment] # as the library has it
        """Hold operands back until their operator is known."""
        kind = token.type_
        if kind in {TokenType.comment, TokenType.bad}:
            return None
        self._held.append(token)
        if kind not in {TokenType.word, TokenType.inline_image, TokenType.eof}:
            return None
        held, self._held = self._held, []
        return None if kind is TokenType.word and token.value in _MARKS else held


def _inherited(page: pikepdf.Page, key: str) -> Object | None:
    """A page's own value, or that of the nearest node above it (7.7.3.4)."""
    node: Object = page.obj
    for _ in range(_DEEPEST):
        value = node.get(key)
        if value is not None:
            return value
        above = node.get("/Parent")
        if not isinstance(above, Dictionary):
            break
        node = above
    return None


def _is_resource(value: object) -> bool:
    if isinstance(value, Stream):
        return value.get("/Subtype") != Name.PS
    return isinstance(value, (Dictionary, Array, Name))


def _listed(value: Object | None) -> list[Object | None]:
    """Filters and their parameters, which may stand alone or in a list (7.3.8.2)."""
    return [] if value is None else list(value) if isinstance(value, Array) else [value]


def _numbers(parameters: object) -> Dictionary:
    """The parameters of a filter that packs bytes: numbers all."""
    given: Iterable[tuple[str, object]] = parameters.items() if isinstance(parameters, Dictionary) else ()
    return Dictionary({key: value for key, value in given if key in _ALLOWED and isinstance(value, int)})


def personal_data(content: bytes) -> tuple[tuple[int, str], ...] | None:
    """Each kind of personal data in the text of the pages with the page that has it; None when it cannot be read.

    Names are not looked for: every contract has some.
    """
    found: dict[tuple[int, str], None] = {}
    left = _MOST_SIGNS
    try:
        for page, text in _texts(content):
            left -= len(text)
            if left < 0:
                return None
            for hit in privacy.detect(text):
                found[page, hit.kind] = None
    except pypdfium2.PdfiumError:
        return None
    return tuple(found)


def _texts(content: bytes) -> Iterator[tuple[int, str]]:
    document = pypdfium2.PdfDocument(content)
    for n in range(len(document)):
        page = document[n]
        yield n + 1, page.get_textpage().get_text_bounded()
        page.close()


def answer(data: bytes) -> bytes:
    """What `kit.confined` calls: a file in, the public one or its refusal out."""
    return answer_with(document, data)
