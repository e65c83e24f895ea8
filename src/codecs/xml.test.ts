import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { WireError } from "../core/failure.ts";
import { attributeOf, childOf, escapeXml, parseXml, readXml, textIn } from "./xml.ts";

const read = (body: string) => parseXml(body, "bad_body");
const refuses = (body: string) =>
  assert.throws(
    () => read(body),
    (error) =>
      error instanceof WireError && error.code === "bad_body" && !/7351/.test(error.message),
    body.slice(0, 100),
  );

describe("what is read", () => {
  test("elements by local name, prefixes and namespaces left out", () => {
    const root = read(
      '<s:Envelope xmlns:s="urn:a"><s:Body><InsertMO xmlns="urn:b">' +
        '<msg xsi:type="xsd:string">1</msg></InsertMO></s:Body></s:Envelope>',
    );
    assert.equal(root.name, "Envelope");
    const operation = childOf(childOf(root, "Body")!, "InsertMO")!;
    assert.equal(textIn(operation, "msg", "bad_body"), "1");
    assert.equal(operation.attributes.size, 0);
    assert.equal(operation.children[0]?.attributes.get("type"), "xsd:string");
  });

  test("a BOM, a declaration, comments, instructions and CDATA", () => {
    const root = read(
      '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- a --><?style x?>\r\n' +
        "<a>1<!-- <b> & --><![CDATA[<2> & ]]]]><![CDATA[>]]>&amp;&#233;&#x1F600;</a>\n<!-- z -->\n",
    );
    assert.equal(root.text, "1<2> & ]]>&é😀");
  });

  test("line ends become \\n, in attributes a space; escaped they stay", () => {
    const root = read('<a s="1\r\n2&#10;3">x\r\ny\rz</a>');
    assert.deepEqual([root.text, root.attributes.get("s")], ["x\ny\nz", "1 2\n3"]);
  });

  test("names of objects' own things are names like others", () => {
    const root = read('<a constructor="1"><__proto__>2</__proto__></a>');
    assert.equal(textIn(root, "__proto__", "bad_body"), "2");
    assert.equal(textIn(root, "toString", "bad_body"), undefined);
  });
});

describe("what is refused", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "bad nesting": ["<a><b></a></b>", "<a>", "</a>", "<a/></a>", "<a></A>", "<x:a></y:a>", ""],
    "two roots, text beside the root": ["<a/><b/>", "<a/>7351", "7351<a/>", "<![CDATA[x]]><a/>"],
    "a DTD of any kind": [
      "<!DOCTYPE a><a/>",
      '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
      '<!DOCTYPE a [<!ENTITY x "7351">]><a>&x;</a>',
      '<a><!ENTITY x "y"></a>',
      "<!doctype a><a/>",
    ],
    "entities that are not XML's own": ["<a>&nbsp;</a>", "<a>&x;</a>", "<a>& </a>", "<a>&amp</a>"],
    "characters that XML does not have": [
      "<a>\0</a>",
      "<a>&#0;</a>",
      "<a>&#xD800;</a>",
      "<a>\ud83d</a>",
    ],
    "numbers beyond Unicode": ["<a>&#x110000;</a>", "<a>&#99999999999999;</a>", "<a>&#-1;</a>"],
    attributes: [
      "<a b=1/>",
      "<a b/>",
      '<a b="1" b="2"/>',
      '<a b="<"/>',
      '<a b="1"c="2"/>',
      '<a b="1',
    ],
    "tags that do not end": [
      "<a",
      "<a><!-- x</a>",
      "<a><![CDATA[x</a>",
      "<a><?x</a>",
      "<",
      "<a/ >",
    ],
    names: ["<1a/>", "< a/>", "<a:b:c/>", "<:a/>", `<${"a".repeat(200)}/>`],
    "encodings other than UTF-8": [
      '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
      '<?xml version="1.0" encoding="UTF-7"?><a/>',
    ],
    "a declaration that is not first": [
      ' <?xml version="1.0"?><a/>',
      '<a><?XML version="1.0"?></a>',
    ],
    "more than the bounds": [
      `${"<a>".repeat(17)}${"</a>".repeat(17)}`,
      `<a>${"<b/>".repeat(256)}</a>`,
      `<a ${Array.from({ length: 33 }, (_, index) => `b${index}="1"`).join(" ")}/>`,
      `<a>${"x".repeat(65_536)}</a>`,
    ],
  };
  for (const [title, bodies] of Object.entries(cases)) {
    test(title, () => {
      for (const body of bodies) refuses(body);
    });
  }

  test("another charset, another type, a compressed body", () => {
    const of = (headers: Readonly<Record<string, string>>) => () =>
      readXml({ headers, body: "<a/>" }, "bad_body");
    assert.doesNotThrow(of({}));
    assert.doesNotThrow(of({ "content-type": 'text/xml; charset="UTF-8"' }));
    assert.doesNotThrow(of({ "content-type": "application/soap+xml" }));
    for (const type of ["text/xml; charset=utf-16", "application/json", "text/xmlx"])
      assert.throws(of({ "content-type": type }), WireError);
    assert.throws(of({ "content-encoding": "gzip" }), WireError);
  });
});

describe("whatever is read or written", () => {
  test("text and attributes come back as they were", () => {
    const strings = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."<>&\"'\r\n\t]é€ ;#x") }),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(strings, (text) => {
        const root = read(`<a${attributeOf("b", text)}>${escapeXml(text)}</a>`);
        assert.deepEqual([root.text, root.attributes.get("b")], [text, text]);
      }),
    );
  });

  test("what XML can't carry becomes a space, never a broken document", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        read(`<a${attributeOf("b", `${text}\ud800`)}>${escapeXml(text)}</a>`);
      }),
    );
  });

  test("the reader throws WireError and nothing else", () => {
    const parts = fc.constantFrom(
      ...["<a>", "</a>", "<b/>", "<!--", "-->", "<![CDATA[", "]]>", "&", "&amp;", ";", "x", "<?"],
      ...[
        "?>",
        "<!DOCTYPE",
        "[",
        "]",
        ">",
        '"',
        "'",
        "=",
        " ",
        "\ufeff",
        "<?xml ",
        "<a ",
        ":",
        "\0",
      ],
    );
    const bodies = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(parts).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          read(body);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("twice as long takes no more than a few times as long, whatever repeats", () => {
    const units = ["<", "&", "<a ", "<!--", "]]", "<![CDATA[", "&#", "<?", " ", "<a b='", "\r"];
    const msOf = (body: string): number => {
      const startedAtMs = performance.now();
      try {
        read(body);
      } catch {
        // Refused or not, it is how long it took that counts.
      }
      return performance.now() - startedAtMs;
    };
    for (const unit of units) {
      const body = `<a>${unit.repeat(Math.floor(65_000 / unit.length))}`;
      // A reader that is quadratic takes seconds for as much.
      assert.ok(Math.min(msOf(body), msOf(body), msOf(body)) < 250, unit);
    }
  });
});
