import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const DEFAULT_EXPORT = {
  selector:
    "ExportDefaultDeclaration, ExportSpecifier[exported.name='default'], " +
    "ExportNamedDeclaration > ExportSpecifier[exported.value='default']",
  message: "Named exports only: one name per thing, everywhere it is used.",
};
const ENUM = {
  selector: "TSEnumDeclaration, TSModuleDeclaration[kind!='global'], TSParameterProperty",
  message: "Node strips types and cannot compile this: use a union, a module or a field.",
};

export default defineConfig(
  globalIgnores([
    "node_modules/",
    "data/",
    "dist/",
    "console/dist/",
    "docs/images/",
    "test/fixtures/",
    "examples/*/vendor/",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-syntax": ["error", DEFAULT_EXPORT, ENUM],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          // fastify's own loader awaits what is registered.
          allowForKnownSafePromises: [
            { from: "package", package: "fastify", name: "SafePromiseLike" },
          ],
          // node:test awaits these itself.
          allowForKnownSafeCalls: [
            {
              from: "package",
              package: "node:test",
              name: ["test", "it", "describe", "suite", "before", "after"],
            },
          ],
        },
      ],
      // A union without `default` is how the compiler finds every switch when a case is added.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { allowDefaultCaseForExhaustiveSwitch: false, requireDefaultForNonUnion: false },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all" },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A synchronous database behind an asynchronous contract: `async` makes a throw a rejection.
      "@typescript-eslint/require-await": "off",
      // Methods here are functions of an object literal, without `this`.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // Tests read answers of JSON.parse field by field; assertions are their type check.
    files: ["**/*.test.ts", "test/**/*.ts", "src/stores/conformance.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    // Tools that look for a default export in their configuration.
    files: ["*.config.ts", "*.config.js", "console/*.config.ts"],
    rules: { "no-restricted-syntax": ["error", ENUM] },
  },
);
