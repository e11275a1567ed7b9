import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTemplating } from "../../src/templating/engine.ts";

const clock = { now: () => 0, monotonic: () => performance.now() };
const plainText = fc.string().filter((text) => !/[{}\r\n]/u.test(text));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    plainText,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(
      plainText.filter((key) => key !== "__proto__"),
      tie("json"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

for (const style of ["handlebars", "jinja2"] as const) {
  test(`${style}: a value without templates renders to itself`, () => {
    const templating = createTemplating({ defaultStyle: style, clock });
    fc.assert(
      fc.property(json, (value) => {
        const once = templating.render(value, { variables: {}, source: "property" }).value;
        assert.deepEqual(once, value);
        assert.deepEqual(templating.render(once, { variables: {}, source: "property" }).value, value);
      }),
    );
  });
}
