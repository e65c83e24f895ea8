import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { Socket } from "node:net";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import type { ScriptedBackend } from "../testing/scripted-backend.ts";
import { startScriptedBackend } from "../testing/scripted-backend.ts";
import type { EgressOptions } from "./egress.ts";
import {
  checkUrl,
  createConnector,
  createEgressPolicy,
  listenAddresses,
  resolveUrl,
} from "./egress.ts";
import { sharedLookup } from "./lookup.ts";

const guarded = createEgressPolicy({ isGuarded: true });
const open = createEgressPolicy({ isGuarded: false });
const reason = (raw: string, options: EgressOptions = { isGuarded: true }) => {
  const checked = checkUrl(raw, createEgressPolicy(options));
  return checked.type === "ok" ? "ok" : checked.reason;
};

const LOOPBACKS = [
  "http://127.0.0.1/",
  "http://127.1/",
  "http://127.0.1/",
  "http://127.255.255.254/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://017700000001/",
  "http://127.0.0.1./",
  "http://0/",
  "http://0.0.0.0/",
  "http://[::1]/",
  "http://[::]/",
  "http://[0:0:0:0:0:0:0:1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::127.0.0.1]/",
  "http://[2002:7f00:1::]/",
  "http://localhost/",
  "http://LOCALHOST./",
  "http://ussd.localhost/",
  "http://%31%32%37.0.0.1/",
  "http://①②⑦.⓪.⓪.①/",
];

describe("spellings of loopback", () => {
  for (const raw of LOOPBACKS) {
    test(`${raw} is refused under the guard`, () => {
      assert.equal(checkUrl(raw, guarded).type, "refused");
    });
  }

  // What a registration check would miss is still stopped where the socket is opened.
  for (const raw of LOOPBACKS.filter((spelling) => /^http:\/\/[[0-9]/.test(spelling))) {
    test(`${raw} is refused by the connector too`, async () => {
      const hostname = new URL(raw).hostname.replace(/^\[|\]$|\.$/g, "");
      const error = await connectError(guarded, hostname, 9);
      assert.equal((error as NodeJS.ErrnoException).code, "EGRESS_REFUSED");
    });
  }
});

describe("other networks that are not public", () => {
  const hosts = [
    ...["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1"],
    ...["255.255.255.255", "224.0.0.1", "192.0.2.1", "240.0.0.1", "[fd00::1]", "[fe80::1]"],
    ...["[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::1]", "[2001::1]"],
    ...["[64:ff9b:1::1]", "[100::1]", "[fec0::1]", "[2001:db8::1]"],
  ];
  for (const host of hosts) {
    test(`${host} is refused`, () => {
      assert.equal(reason(`https://${host}/ussd`), "denied_address");
    });
  }

  test("names of the gateway's own network are refused, with a dot at the end as well", () => {
    for (const host of ["db.internal", "printer.local.", "metadata.google.internal", "a.b.LOCAL"]) {
      assert.equal(reason(`http://${host}/`), "denied_name", host);
    }
  });

  test("public addresses and names pass", () => {
    for (const host of [
      "8.8.8.8",
      "[2606:4700::1111]",
      "bank.example",
      "localhost.example",
      "x.locale",
    ]) {
      assert.equal(reason(`https://${host}/ussd?key=1`), "ok", host);
    }
  });

  test("whatever passes as a literal is unicast by ipaddr.js", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        const checked = checkUrl(`http://${text.includes(":") ? `[${text}]` : text}/`, guarded);
        if (checked.type === "refused") return;
        const host = checked.url.hostname.replace(/^\[|\]$/g, "");
        assert.equal(ipaddr.process(host).range(), "unicast");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the string rules, which hold without the guard too", () => {
  const cases: readonly [string, string][] = [
    ["", "bad_scheme"],
    ["ftp://bank.example/", "bad_scheme"],
    ["file:///etc/passwd", "bad_scheme"],
    ["javascript:alert(1)", "bad_scheme"],
    ["http:/bank.example/", "bad_scheme"],
    ["http:///bank.example/", "bad_scheme"],
    ["bank.example/ussd", "bad_scheme"],
    ['"https://bank.example/ussd', "bad_character"],
    ["'https://bank.example/ussd", "bad_character"],
    ["https://{your-domain-or-public-ip}/ussd/callback", "bad_host"],
    [" http://bank.example/", "bad_character"],
    ["http://bank.example/\n", "bad_character"],
    ["http://bank.exa\tmple/", "bad_character"],
    ["http://bank.example/a b", "bad_character"],
    ["http:\\\\bank.example/", "bad_character"],
    ["http://bänk.example/", "bad_character"],
    ["http://bank.example/\0", "bad_character"],
    ["http://user@bank.example/", "has_user_info"],
    ["http://user:secret@bank.example/", "has_user_info"],
    ["http://@bank.example/", "has_user_info"],
    ["http://bank.example/#menu", "has_fragment"],
    ["http://bank.example/#", "has_fragment"],
    ["http://bank.example:0/", "bad_port"],
    ["http://bank.example:65536/", "bad_url"],
    ["http://bank.example:http/", "bad_url"],
    ["http://[::1/", "bad_url"],
    [`http://bank.example/${"a".repeat(2_029)}`, "too_long"],
  ];
  for (const [raw, expected] of cases) {
    test(`${JSON.stringify(raw.slice(0, 60))} is refused as ${expected}`, () => {
      assert.equal(reason(raw, { isGuarded: true }), expected);
      assert.equal(reason(raw, { isGuarded: false }), expected);
    });
  }

  test("2048 characters pass, an @ in the path or query too", () => {
    assert.equal(reason(`http://bank.example/${"a".repeat(2_028)}`), "ok");
    assert.equal(reason("http://bank.example/@me?mail=a@b.example"), "ok");
  });

  test("without the guard a backend on the same laptop passes", () => {
    for (const raw of [
      "http://localhost:3000/ussd",
      "http://127.0.0.1:6379/",
      "http://10.0.0.7/",
    ]) {
      assert.equal(reason(raw, { isGuarded: false }), "ok", raw);
    }
  });
});

describe("ports", () => {
  test("80, 443 and from 1024 up, except services that are not HTTP", () => {
    for (const port of [80, 443, 1_024, 3_000, 8_080, 65_535]) {
      assert.equal(reason(`http://bank.example:${port}/`), "ok", String(port));
    }
    for (const port of [1, 22, 25, 1_023, 2_375, 5_432, 6_379, 9_200, 11_211, 27_017]) {
      assert.equal(reason(`http://bank.example:${port}/`), "denied_port", String(port));
      assert.equal(reason(`http://8.8.8.8:${port}/`), "denied_port", String(port));
    }
  });
});

describe("the operator's allow-list", () => {
  const options = {
    isGuarded: true,
    allow: ["10.20.0.0/16:8080,22", "fd12::/16", "192.168.7.7/32"],
  };
  test("allows a network, on its ports only where it names some", () => {
    assert.equal(reason("http://10.20.3.4:8080/", options), "ok");
    assert.equal(reason("http://10.20.3.4:22/", options), "ok");
    assert.equal(reason("http://10.20.3.4:8081/", options), "denied_address");
    assert.equal(reason("http://10.21.3.4:8080/", options), "denied_address");
    assert.equal(reason("http://[fd12::9]:9000/", options), "ok");
    assert.equal(reason("http://192.168.7.7/", options), "ok");
    assert.equal(reason("http://192.168.7.7:6379/", options), "denied_port");
    assert.equal(reason("http://[::ffff:10.20.3.4]:8080/", options), "ok");
  });

  test("a range that is none is a fault of configuration", () => {
    for (const range of ["10.0.0.0", "10.0.0.0/33", "bank.example/8", "10.0.0.0/8:x", ""]) {
      assert.throws(
        () => createEgressPolicy({ isGuarded: true, allow: [range] }),
        RangeError,
        range,
      );
    }
  });
});

describe("the gateway's own address", () => {
  const spellings = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "127.1",
    "0",
    "[::ffff:127.0.0.1]",
    "a.localhost",
  ];
  for (const bound of ["0.0.0.0:8080", "127.0.0.1:8080", "[::]:8080", "localhost:8080"]) {
    test(`bound to ${bound}, is refused in every spelling, with and without the guard`, () => {
      for (const host of spellings) {
        const raw = `http://${host}:8080/ussd`;
        assert.equal(reason(raw, { isGuarded: false, ownAddresses: [bound] }), "own_address", raw);
        const allow = ["127.0.0.0/8", "::1/128"];
        assert.notEqual(reason(raw, { isGuarded: true, allow, ownAddresses: [bound] }), "ok", raw);
      }
      const neighbour = "http://localhost:8081/ussd";
      assert.equal(reason(neighbour, { isGuarded: false, ownAddresses: [bound] }), "ok");
    });
  }

  test("its public name is refused at its port, default ports included", () => {
    const options = { isGuarded: true, ownAddresses: ["ussd.example:443"] };
    assert.equal(reason("https://ussd.example/", options), "own_address");
    assert.equal(reason("https://USSD.example.:443/", options), "own_address");
    assert.equal(reason("http://ussd.example/", options), "ok");
  });

  test("a server bound to all addresses has those of every interface", () => {
    assert.deepEqual(listenAddresses("10.0.0.5", 8080), ["10.0.0.5:8080"]);
    const all = listenAddresses("0.0.0.0", 8080);
    assert.ok(all.includes("0.0.0.0:8080"));
    assert.ok(all.includes("[127.0.0.1]:8080"));
    assert.doesNotThrow(() => createEgressPolicy({ isGuarded: true, ownAddresses: all }));
  });
});

describe("names, at registration", () => {
  const resolving = (...addresses: string[]) =>
    createEgressPolicy({
      isGuarded: true,
      lookup: async () =>
        addresses.map((address) => ({
          address,
          family: ipaddr.parse(address).kind() === "ipv4" ? 4 : 6,
        })),
    });
  const url = new URL("http://bank.example/ussd");

  test("pass when all addresses are public", async () => {
    const checked = await resolveUrl(url, resolving("8.8.8.8", "2606:4700::1111"));
    assert.deepEqual(checked, { type: "ok", isVerified: true });
  });

  test("are refused when one address of several is private", async () => {
    const checked = await resolveUrl(url, resolving("8.8.8.8", "10.0.0.1"));
    assert.deepEqual(checked, { type: "refused", reason: "denied_address" });
  });

  test("that do not resolve are taken as unverified", async () => {
    const lookup = () => Promise.reject(new Error("ENOTFOUND"));
    const policy = createEgressPolicy({ isGuarded: true, lookup });
    assert.deepEqual(await resolveUrl(url, policy), { type: "ok", isVerified: false });
  });
});

describe("the connector", () => {
  let backend: ScriptedBackend;
  before(async () => {
    backend = await startScriptedBackend();
  });
  after(() => backend.close());

  test("DNS that turns to a private address after registration is refused at connect", async () => {
    let answer = "8.8.8.8";
    const lookup = async () => [{ address: answer, family: 4 }];
    const policy = createEgressPolicy({ isGuarded: true, lookup });
    const url = new URL(`http://bank.example:${backend.port}/`);
    assert.deepEqual(await resolveUrl(url, policy), { type: "ok", isVerified: true });
    answer = "127.0.0.1";
    const error = await connectError(policy, "bank.example", backend.port);
    assert.equal((error as NodeJS.ErrnoException).code, "EGRESS_REFUSED");
    assert.equal(backend.connections(), 0);
  });

  test("the peer of the socket is looked at, whatever the lookup said", async () => {
    // A lookup result that is checked in one spelling and connected to in another.
    let reads = 0;
    const shifty = { family: 4, get address() { return reads++ === 0 ? "8.8.8.8" : "127.0.0.1"; } }; // prettier-ignore
    const policy = createEgressPolicy({ isGuarded: true, lookup: async () => [shifty] });
    const error = await connectError(policy, "bank.example", backend.port);
    assert.equal((error as NodeJS.ErrnoException).code, "EGRESS_REFUSED");
    assert.ok(reads > 1);
  });

  test("without the guard the gateway's own address is refused behind a name as well", async () => {
    const policy = createEgressPolicy({
      isGuarded: false,
      ownAddresses: [`0.0.0.0:${backend.port}`],
      lookup: async () => [{ address: "127.0.0.1", family: 4 }],
    });
    const error = await connectError(policy, "me.example", backend.port);
    assert.equal((error as { reason?: string }).reason, "own_address");
  });

  test("connects where the policy allows it", async () => {
    const socket = await connect(open, "127.0.0.1", backend.port);
    assert.equal(socket.remotePort, backend.port);
    socket.destroy();
    await once(socket, "close");
  });

  test("a lookup that hangs is given up with the connect timeout", async () => {
    const policy = createEgressPolicy({
      isGuarded: true,
      lookup: () => new Promise(() => undefined),
    });
    const startMs = performance.now();
    const error = await connectError(policy, "bank.example", 80, 120);
    assert.equal((error as NodeJS.ErrnoException).code, "UND_ERR_CONNECT_TIMEOUT");
    assert.ok(performance.now() - startMs < 600);
  });
});

describe("the shared lookup", () => {
  test("asks once for all who wait, remembers a good answer for 5 s and a bad one not at all", async () => {
    let now = 0;
    let asked = 0;
    let fails = false;
    const lookup = sharedLookup(
      async () => {
        asked += 1;
        if (fails) throw new Error("EAI_AGAIN");
        return [{ address: "8.8.8.8", family: 4 }];
      },
      () => now,
    );
    await Promise.all([lookup("a"), lookup("a"), lookup("a")]);
    now = 4_999;
    await lookup("a");
    assert.equal(asked, 1);
    now = 5_001;
    fails = true;
    await assert.rejects(lookup("a"));
    fails = false;
    await lookup("a");
    assert.equal(asked, 3);
  });
});

function connect(
  policy: ReturnType<typeof createEgressPolicy>,
  hostname: string,
  port: number,
  msMax?: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { hostname, host: hostname, protocol: "http:", port: String(port) };
    createConnector(
      policy,
      port,
      msMax,
    )(options, (error, socket) => {
      if (error) reject(error);
      else resolve(socket);
    });
  });
}

async function connectError(
  policy: ReturnType<typeof createEgressPolicy>,
  hostname: string,
  port: number,
  msMax?: number,
): Promise<unknown> {
  try {
    (await connect(policy, hostname, port, msMax)).destroy();
  } catch (error) {
    return error;
  }
  return assert.fail("connected");
}
