import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  COMMAND,
  type Pdu,
  PduError,
  readBind,
  readPdu,
  readShortMessage,
  type ShortMessage,
  TAG,
  writeBind,
  writePdu,
  writeShortMessage,
} from "./pdu.ts";

// SMPP 3.4 §3.2.2.1: a bind_transmitter with system id SMPP3TEST, password secret08, type SUBMIT1.
const SPECIFIED =
  "0000002f000000020000000000000001" +
  "534d50503354455354007365637265743038005355424d495431003401010000".slice(0, 62);

describe("PDUs", () => {
  test("the bind of the specification", () => {
    const framed = readPdu(Buffer.from(SPECIFIED, "hex"));
    assert.ok(framed.type === "pdu");
    assert.equal(framed.pdu.command, COMMAND.bindTransmitter);
    assert.deepEqual(readBind(framed.pdu.body), {
      systemId: "SMPP3TEST",
      password: "secret08",
      systemType: "SUBMIT1",
    });
  });

  test("what is written is read, however the octets arrive", () => {
    const pdus = fc.array(
      fc.record(
        {
          command: fc.nat(0xff),
          status: fc.nat(0xff),
          sequence: fc.integer({ min: 1, max: 0x7fffffff }),
          body: fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
        },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(pdus, fc.integer({ min: 1, max: 50 }), (sent: readonly Pdu[], piece) => {
        const octets = Buffer.concat(sent.map(writePdu));
        const read: Pdu[] = [];
        let held = Buffer.alloc(0);
        for (let at = 0; at < octets.length; at += piece) {
          held = Buffer.concat([held, octets.subarray(at, at + piece)]);
          for (;;) {
            const framed = readPdu(held);
            if (framed.type !== "pdu") break;
            read.push({ ...framed.pdu, body: Buffer.from(framed.pdu.body) });
            held = Buffer.from(framed.rest);
          }
        }
        assert.deepEqual(read, sent);
        assert.equal(held.length, 0);
      }),
    );
  });

  test("a length that cannot be right breaks the link instead of filling memory", () => {
    for (const length of [0, 15, 8_193, 0xffffffff]) {
      const octets = Buffer.alloc(16);
      octets.writeUInt32BE(length);
      assert.equal(readPdu(octets).type, "broken", String(length));
    }
  });
});

const message: ShortMessage = {
  serviceType: "USSD",
  source: { ton: 1, npi: 1, address: "258841234567" },
  destination: { ton: 0, npi: 1, address: "*365#" },
  esmClass: 0,
  dataCoding: 0,
  text: Buffer.from("hello"),
  tlvs: new Map([
    [TAG.ussdServiceOp, Buffer.from([2])],
    [TAG.itsSessionInfo, Buffer.from([0x16, 0x2e])],
  ]),
};

describe("short messages", () => {
  test("what is written is read", () => {
    assert.deepEqual(readShortMessage(writeShortMessage(message)), message);
  });

  test("more than 254 octets travel in message_payload", () => {
    const long = { ...message, text: Buffer.alloc(364, "x") };
    const read = readShortMessage(writeShortMessage(long));
    assert.deepEqual(read.text, long.text);
    assert.ok(read.tlvs.has(TAG.messagePayload));
  });

  test("cut anywhere it is an error that can be answered, never another one", () => {
    const whole = writeShortMessage(message);
    for (let length = 0; length < whole.length; length += 1) {
      try {
        readShortMessage(whole.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof PduError, `${length}: ${String(error)}`);
      }
    }
  });

  test("whatever arrives is read or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        try {
          readShortMessage(Buffer.from(octets));
        } catch (error) {
          assert.ok(error instanceof PduError);
        }
      }),
    );
  });
});

test("a bind is written as it is read", () => {
  const bind = { systemId: "dialyard", password: "secret", systemType: "" };
  assert.deepEqual(readBind(writeBind(bind)), bind);
});
