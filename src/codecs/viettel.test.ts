import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Backend, Turn } from "../types.ts";
import { viettel } from "./viettel.ts";

const codec = viettel.create({ user: "U&I", pass: "P" });
const { answersLater: later, notice } = codec;
assert.ok(later && notice);
const serviceCode = asServiceCode("*123#");
assert.ok(serviceCode);
const turn: Turn = {
  ...{ sessionId: "sess_9", transactionId: "txn_9_1", number: 1, serviceCode, provider: "halotel" },
  ...{ msisdn: parseMsisdn("255629099842"), input: "", inputs: [], dialledDigits: [] },
};
const backend = {
  ...({ method: "GET", url: "https://app.example/mo", eventsUrl: undefined } as const),
} as Backend;
const callOf = (fields: string) => ({
  ...{ method: "POST", path: "", query: "", headers: {} },
  body: `<e:Envelope><e:Body><InsertMO>${fields}</InsertMO></e:Body></e:Envelope>`,
});

describe("as the network of an application", () => {
  test("a transaction begins with a W, as Viettel's do, and is the same all along", () => {
    const asked = codec.decode(codec.request(turn, backend));
    const told = codec.decode(later.tell(turn, backend, "shown"));
    const cancelled = codec.decode(notice(turn, backend) ?? assert.fail());
    for (const { sessionId } of [asked, told, cancelled]) assert.equal(sessionId, "Wsess_9");
    assert.equal(later.dialogueOf(turn), "Wsess_9");
    assert.equal(later.dialogueOf({ ...turn, sessionId: "W1-2-3" }), "W1-2-3");
  });

  test("is asked by POST whatever it is registered with, with the registration's credentials", () => {
    const { method, body } = codec.request(turn, backend);
    assert.equal(method, "POST");
    assert.match(body, /<user>U&amp;I<\/user><pass>P<\/pass>/);
  });

  test("hears 103, 104 and 102 at its own URL, or where it wants notices", () => {
    const typeOf = (body: string) => /<requestType>(\d+)</.exec(body)?.[1];
    assert.equal(typeOf(later.tell(turn, backend, "shown").body), "103");
    assert.equal(typeOf(later.tell(turn, backend, "late").body), "104");
    assert.equal(typeOf(notice(turn, backend)?.body ?? ""), "102");
    assert.equal(later.tell(turn, backend, "late").url, backend.url);
    const eventsUrl = "https://app.example/events";
    assert.equal(later.tell(turn, { ...backend, eventsUrl }, "late").url, eventsUrl);
  });

  test("its call names the dialogue and its credentials, a break that is no XML or not", () => {
    const call = callOf(
      "<user> U&amp;I </user><pass>P</pass><msg>a<br>b</msg><transactionid>Wsess_9</transactionid>",
    );
    assert.deepEqual(later.read(call), { dialogue: "Wsess_9", secret: later.secret });
    const other = viettel.create({ user: "U&I", pass: "Q" }).answersLater;
    assert.notEqual(other?.secret, later.secret);
    assert.equal(viettel.create({}).answersLater?.secret, undefined);
  });

  test("a call without a transaction is nobody's, and what it says is not quoted", () => {
    for (const fields of [
      "<msg>PIN 7351</msg>",
      "<msg>7351</msg><transactionid>null</transactionid>",
    ])
      assert.throws(
        () => later.read(callOf(fields)),
        (error) => error instanceof WireError && !error.message.includes("7351"),
      );
  });

  test("menus are 202 and 200, last screens 203, 201 and 205; nothing else is a screen", () => {
    const actionOf = (type: string) => {
      const { body } = callOf(`<msg>Text</msg><requestType>${type}</requestType>`);
      return codec.reply({ status: 200, headers: {}, body }, turn).action;
    };
    assert.deepEqual(["202", "200"].map(actionOf), ["continue", "continue"]);
    assert.deepEqual(["203", "201", "205"].map(actionOf), ["end", "end", "end"]);
    for (const type of ["204", "206", "100", ""]) assert.throws(() => actionOf(type), WireError);
  });

  test("each dialect acknowledges in its own form, with the code of what became of the call", () => {
    const codes = (["taken", "refused", "late", "malformed"] as const).map(
      (verdict) => /<errorCode>(.*?)</.exec(later.acknowledge(verdict).body)?.[1],
    );
    assert.deepEqual(codes, ["0", "1", "2", "-1"]);
    const lumitel = viettel.create({ preset: "lumitel" }).answersLater?.acknowledge("late");
    assert.match(lumitel?.body ?? "", /InsertMOResponse><return><errorCode>2</);
    assert.equal(lumitel?.headers["content-type"], "application/xml");
  });
});
