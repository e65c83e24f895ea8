import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, Dialled } from "../types.ts";
import { asServiceCode } from "./address.ts";
import { findRoute, type Routes } from "./route.ts";

const routes: Routes = new Map(
  ["*365#", "*365*9#", "*384*1234#"].map((code) => {
    const serviceCode = asServiceCode(code);
    assert.ok(serviceCode);
    return [serviceCode, { serviceCode } as Backend];
  }),
);

const cases: readonly [dialled: string, code: string | undefined, digits: readonly string[]][] = [
  ["*365#", "*365#", []],
  ["*365*2*500#", "*365#", ["2", "500"]],
  ["*365*9#", "*365*9#", []],
  ["*365*9*1#", "*365*9#", ["1"]],
  ["*365*90#", "*365#", ["90"]],
  ["*384*1234#", "*384*1234#", []],
  ["*384#", undefined, []],
  ["*3650#", undefined, []],
];
for (const [dialled, code, digits] of cases) {
  test(`${dialled} reaches ${code ?? "nobody"}${digits.length > 0 ? ` with ${digits.join(", ")}` : ""}`, () => {
    const route = findRoute(routes, dialled as Dialled);
    assert.equal(route?.backend.serviceCode, code);
    assert.deepEqual(route?.digits ?? [], digits);
  });
}
