import assert from "node:assert/strict";
import { test } from "node:test";
import { createTemplating } from "../../../src/templating/engine.ts";
import type { Rendered } from "../../../src/templating/engine.ts";

const clock = { now: () => Date.UTC(2031, 2, 4, 5, 6, 7), monotonic: () => 0 };
const templating = createTemplating({ defaultStyle: "handlebars", clock });

function render(value: unknown, variables: Record<string, unknown> = {}, templateVariables: Record<string, unknown> = {}): unknown {
  return templating.render(value, { variables, templateVariables, source: "test" }).value;
}
function condition(expression: string, variables: Record<string, unknown> = {}): Rendered<boolean> {
  return templating.condition(expression, { variables, source: "test" });
}

test("a string that is exactly one expression keeps the type of its value", () => {
  const variables = { n: 3, flag: false, list: [1, "a"], map: { x: null } };
  assert.deepEqual(render({ n: "{{n}}", f: "{{flag}}", l: "{{list}}", m: "{{map}}", t: "n={{n}}" }, variables), {
    n: 3,
    f: false,
    l: [1, "a"],
    m: { x: null },
    t: "n=3",
  });
});

test("helpers give typed results too, alone and nested", () => {
  assert.deepEqual(render(["{{add 1 2}}", "{{eq (mul 2 3) 6}}", "{{parseJson '[1,{}]'}}"]), [3, true, [1, {}]]);
});

test("keys are templates, and omit leaves a member or an item out", () => {
  assert.deepEqual(render({ "k-{{n}}": 1, gone: "{{omit}}", list: ["a", "{{omit}}", "b"] }, { n: 7 }), { "k-7": 1, list: ["a", "b"] });
});

test("undefined names are left out, and empty inside text", () => {
  assert.deepEqual(render({ a: "{{missing.deep.er}}", b: "x{{missing}}y" }), { b: "xy" });
});

test("variables may be templates that use other variables", () => {
  assert.equal(render("{{size}}", { base: 2 }, { size: "{{add base step}}", step: "{{mul base 10}}" }), 22);
});

test("variables that refer to each other end in a clear error", () => {
  assert.throws(() => render("{{a}}", {}, { a: "{{b}}", b: "{{a}}" }), /test: .*more than 10 deep/);
});

test("a syntax error names the source and the template", () => {
  assert.throws(() => render("{{#if}}", {}), /test: .*in template "\{\{#if\}\}"/s);
});

test("reading the clock is reported", () => {
  assert.deepEqual(templating.render("{{now}}", { variables: {}, source: "test" }), { value: "2031-03-04T05:06:07Z", readsClock: true });
  assert.equal(condition('isPast "2031-01-01T00:00:00Z"').readsClock, true);
  assert.equal(condition("eq 1 1").readsClock, false);
});

const CONDITIONS: readonly (readonly [string, boolean])[] = [
  ['eq status.phase "ready"', true],
  ["status.phase", false],
  ["status.count", true],
  ["status.none", false],
  ["and status.count (gt status.count 2)", true],
  ["(gt status.count 5)", false],
  ["{{#if status.count}}yes{{/if}}", true],
  ["not status.missing", true],
  ["status.flagText", true],
];
for (const [expression, expected] of CONDITIONS) {
  test(`the condition ${expression} is ${expected}`, () => {
    assert.equal(condition(expression, { status: { phase: "ready", count: 3, flagText: "True" } }).value, expected);
  });
}

for (const hostile of [
  "{{constructor.constructor}}",
  "{{__proto__}}",
  "{{toString}}",
  "{{x.constructor.name}}",
  "{{lookup x 'constructor'}}",
  "{{x.__proto__.polluted}}",
]) {
  test(`${hostile} reaches nothing`, () => {
    assert.equal(render(hostile, { x: {} }), undefined);
  });
}
