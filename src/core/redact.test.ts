import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { asksForSecret, MASK, maskInput } from "./redact.ts";

const SECRET_SCREENS = {
  en: [
    "Enter PIN:",
    "Invalid PIN",
    "Enter 4-digit PIN:",
    "Transfer Summary\nTo: Jane Smith\nAmount: 500.00 MZN\n\nEnter PIN:",
    "enter your pin",
    "Enter your M-PIN",
    "Enter mpin to confirm",
    "Enter ePIN or e-PIN",
    "TPIN?",
    "Enter P.I.N. now",
    "NEW_PIN",
    "Enter PIN1",
    "PINCODE",
    "Enter current PINs",
    "pin\nplease",
    "(PIN)",
    "Password:",
    "Enter your pass word",
    "Enter passcode",
    "Type your pass-phrase",
    "Enter the OTP sent to you",
    "Enter one-time code",
    "Enter one time\npassword",
    "Enter your secret code",
    "Secret answer?",
    "Enter your secret  number",
    "Verification code:",
    "Enter security code",
    "Enter the 6-digit code",
    "Enter the code we sent you",
    "Card CVV:",
    "Enter PUK",
  ],
  fr: [
    "Entrez votre code secret",
    "CODE SECRET :",
    "Mot de passe :",
    "Saisissez votre code PIN",
    "Entrez votre code confidentiel",
    "Code d'accès :",
    "Code d\u2019acces :",
    "Code de sécurité",
    "CODE DE SÉCURITÉ",
    "Code de validation reçu par SMS",
    "Entrez le code à usage unique",
    "Entrez votre code à 4 chiffres",
    "Numéro secret",
  ],
  pt: [
    "Introduza a sua senha",
    "SENHA:",
    "Palavra-passe:",
    "Digite a palavra passe",
    "Código secreto:",
    "Codigo secreto:",
    "CÓDIGO SECRETO",
    "Co\u0301digo secreto decomposed",
    "Introduza o PIN",
    "Código de segurança",
    "codigo de verificacao",
    "Insira o código de 6 dígitos",
    "Código de uso único",
  ],
  sw: [
    "Weka nywila yako",
    "Ingiza neno la siri",
    "Ingiza namba ya siri",
    "Ingiza nambari yako ya siri",
    "Weka namba yako ya siri ya M-Pesa",
    "Nenosiri:",
    "Weka PIN yako",
    "Weka msimbo wa siri",
    "Weka namba ya uthibitisho",
    "Weka namba yako ya uthibitisho",
  ],
  hidden: [
    "Enter P\u200bIN",
    "Enter pass\u00adword",
    "Enter ＰＩＮ",
    "Enter\u00a0PIN\u00a0now",
    "Secret\u00a0code",
    "PIN 🔒",
  ],
};

const OPEN_SCREENS = [
  "",
  "Transfer Money\n\nEnter recipient number:",
  "Recipient not found\n\nEnter valid number:",
  "Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:",
  "Enter amount (MZN):",
  "Enter account number:",
  "Enter 8-12 digits:",
  "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money\n0. Exit",
  "Shopping",
  "Happiness pine spinner opinion Chopin",
  "Pinto da Costa",
  "PINE street",
  "Laptop rental: 1. Day",
  "Enter passenger name",
  "Passport number:",
  "Compass",
  "Enter agent code",
  "Enter voucher code",
  "Postal code:",
  "Dial the code *365#",
  "One time payment of 500",
  "Enter one-time amount",
  "Secretary general",
  "Code promo :",
  "Entrez le code du marchand",
  "Le mot du jour",
  "Numéro de téléphone :",
  "Épine dorsale",
  "Senhor João, escolha",
  "Desenhar",
  "Resenhas",
  "Código do agente:",
  "Código promocional:",
  "Insira o número de telefone",
  "Palavra do dia",
  "Ingiza namba ya simu",
  "Ingiza namba ya kampuni",
  "Neno la leo",
  "Sirini",
  "Karibu M-Pesa\n1. Tuma pesa",
];

describe("a screen asks for a secret", () => {
  for (const [language, screens] of Object.entries(SECRET_SCREENS)) {
    for (const screen of screens) {
      test(`${language}: ${JSON.stringify(screen)}`, () => {
        assert.equal(asksForSecret(screen, []), true);
      });
    }
  }
});

describe("a screen asks for nothing secret", () => {
  for (const screen of OPEN_SCREENS) {
    test(JSON.stringify(screen), () => assert.equal(asksForSecret(screen, []), false));
  }
});

describe("the screens of the OLA integration examples", () => {
  const examples = new URL("../../../shared/specs/ola-integration-examples.txt", import.meta.url);
  const skip = existsSync(examples) ? false : "../shared is not beside this repository";

  test("are secret where they say PIN, and nowhere else", { skip }, () => {
    const screens = outputsOf(readFileSync(examples, "utf8"));
    assert.ok(screens.length > 20, `only ${screens.length} screens found`);
    const secret = screens.filter((screen) => asksForSecret(screen, []));
    assert.deepEqual(
      secret.map((screen) => screen.split("\n").at(-1)),
      ["Enter PIN:", "Enter 4-digit PIN:", "Transaction cancelled"],
    );
  });
});

describe("patterns of an operator", () => {
  test("add to ours", () => {
    assert.equal(asksForSecret("Ingiza tarakimu zako", []), false);
    assert.equal(asksForSecret("Ingiza tarakimu zako", [/voucher/i, /tarakimu/i]), true);
    assert.equal(asksForSecret("Enter PIN", [/voucher/i]), true);
  });

  test("say the same each time, whatever their flags", () => {
    const pattern = /voucher/gi;
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(asksForSecret("Enter voucher", [pattern]), true);
      assert.equal(pattern.lastIndex, 0);
    }
  });

  test("see through invisible characters too", () => {
    assert.equal(asksForSecret("Enter vou\u200bcher", [/voucher/]), true);
  });
});

test("the search takes linear time on screens made to slow it", () => {
  const took = (screen: string): number => {
    const start = performance.now();
    assert.equal(asksForSecret(screen, []), false);
    return performance.now() - start;
  };
  // 64 KiB is the largest reply of a backend (RELIABILITY 2.4); quadratic would take minutes.
  for (const seed of [
    "code ",
    "mot de ",
    "one-time ",
    "   ",
    "secret\n",
    "codigo de ",
    "pas",
    "_",
  ]) {
    const elapsedMs = took(seed.repeat(Math.ceil(65_536 / seed.length)));
    assert.ok(elapsedMs < 250, `${JSON.stringify(seed)} took ${elapsedMs} ms`);
  }
});

describe("masking an input", () => {
  test("does not keep its length", () => {
    assert.equal(maskInput("1", true), MASK);
    assert.equal(maskInput("1234567890", true), MASK);
  });

  test("leaves an empty input empty: nothing was typed", () => {
    assert.equal(maskInput("", true), "");
  });

  test("leaves what is not secret as typed", () => {
    assert.equal(maskInput("1234", false), "1234");
  });
});

/** The literal strings of each `output: [...]`, joined as a screen; templates as they stand. */
function outputsOf(text: string): readonly string[] {
  return [...text.matchAll(/output: \[([^\]]*?)\],?\nend_session/g)].map(([, list = ""]) =>
    [...list.matchAll(/(["'`])(.*?)\1/g)].map(([, , line = ""]) => line).join("\n"),
  );
}
