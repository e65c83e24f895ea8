import { createHmac } from "node:crypto";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createDigest, createSealer, randomIds } from "./seal.ts";

const oldKey = Buffer.alloc(32, 1);
const newKey = Buffer.alloc(32, 2);

test("what was sealed opens again, whatever the text", () => {
  const sealer = createSealer([oldKey]);
  const unicode = fc.string({ unit: "binary" }).map((text) => text.toWellFormed());
  fc.assert(
    fc.property(unicode, fc.string(), (text, aad) => {
      assert.equal(sealer.open(sealer.seal(text, aad), aad), text);
    }),
  );
});

test("a sealed text does not open in another place", () => {
  const sealer = createSealer([oldKey]);
  const sealed = sealer.seal("258841234567", "sess_a");
  assert.throws(() => sealer.open(sealed, "sess_b"));
});

test("a sealed text with one character changed does not open", () => {
  const sealer = createSealer([oldKey]);
  const sealed = sealer.seal("258841234567", "sess_a");
  for (let at = 0; at < sealed.length - 1; at += 1) {
    const other = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
    assert.throws(() => sealer.open(changed, "sess_a"), `character ${at}`);
  }
});

test("equal texts are sealed differently", () => {
  const sealer = createSealer([oldKey]);
  const sealed = new Set(Array.from({ length: 2000 }, () => sealer.seal("12345", "pin")));
  assert.equal(sealed.size, 2000);
});

test("after a rotation the new key seals and the old one still opens", () => {
  const before = createSealer([oldKey]).seal("text", "place");
  const rotated = createSealer([newKey, oldKey]);
  assert.equal(rotated.open(before, "place"), "text");
  const after = rotated.seal("text", "place");
  assert.equal(createSealer([newKey]).open(after, "place"), "text");
  assert.throws(() => createSealer([oldKey]).open(after, "place"), /not configured/);
});

test("a key of the wrong length is refused", () => {
  assert.throws(() => createSealer([Buffer.alloc(16)]), /32 octets/);
  assert.throws(() => createSealer([]), /1 to 16 keys/);
  assert.throws(() => createDigest(Buffer.alloc(8)), /32 octets/);
});

test("a digest is that of RFC 4231, test case 1, where the key allows it", () => {
  // The RFC's key has 20 octets; HMAC pads keys shorter than a block with zeros.
  const key = Buffer.concat([Buffer.alloc(20, 0x0b), Buffer.alloc(12)]);
  const whole = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  const expected = Buffer.from(whole, "hex").toString("base64url").slice(0, 22);
  assert.equal(createDigest(key)("Hi There"), expected);
});

test("session ids are sess_ and 32 hexadecimal digits, and never repeat", () => {
  const { newSessionId, newToken } = randomIds();
  const ids = Array.from({ length: 5000 }, newSessionId);
  assert.ok(ids.every((id) => /^sess_[0-9a-f]{32}$/.test(id)));
  assert.equal(new Set(ids).size, ids.length);
  const tokens = Array.from({ length: 5000 }, newToken);
  assert.equal(new Set(tokens).size, tokens.length);
});

test("a digest is HMAC-SHA256 of the text, whatever its length", () => {
  for (const key of [Buffer.alloc(32, 7), Buffer.alloc(100, 9)]) {
    const digest = createDigest(key);
    for (const text of ["", "1", "1*2*3", "ê".repeat(100), "x".repeat(341), "y".repeat(5000)]) {
      const whole = createHmac("sha256", key).update(text).digest("base64url");
      assert.equal(digest(text), whole.slice(0, 22));
      assert.equal(digest(text), whole.slice(0, 22), "and again");
    }
  }
});
