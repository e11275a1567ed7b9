// JSON patches: a computed patch, applied by RFC 6902's rules, gives the wanted value; merging twice changes nothing more.
// Relies on kube/patch.ts alone; the apply below is the independent reader of the patches.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepMerge, diff, isRecord } from "../../src/kube/patch.ts";
import type { PatchOperation } from "../../src/kube/types.ts";

const key = fc.constantFrom("a", "b", "a/b", "~", "~1", "");
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom("", "x"),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 4 }),
  map: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));

function applyOne(target: unknown, operation: PatchOperation, segments: readonly string[]): unknown {
  const [head, ...rest] = segments;
  if (head === undefined) return "value" in operation ? operation.value : undefined;
  if (Array.isArray(target)) {
    const list = Array.from<unknown>(target);
    const index = Number(head);
    const exists = index < list.length;
    assert.ok(exists || (rest.length === 0 && operation.op === "add" && index === list.length), `no index ${head}`);
    if (rest.length > 0 || operation.op === "replace") list[index] = applyOne(list[index], operation, rest);
    else if (operation.op === "add") list.splice(index, 0, operation.value);
    else list.splice(index, 1);
    return list;
  }
  assert.ok(isRecord(target), "a path leads through a scalar");
  if (rest.length > 0 || operation.op !== "add") assert.ok(Object.hasOwn(target, head), `no member ${head}`);
  if (rest.length === 0 && operation.op === "remove") return Object.fromEntries(Object.entries(target).filter(([name]) => name !== head));
  return { ...target, [head]: applyOne(target[head], operation, rest) };
}

function apply(target: unknown, operations: readonly PatchOperation[]): unknown {
  return operations.reduce((value: unknown, operation) => {
    const segments = operation.path
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    return applyOne(value, operation, segments);
  }, target);
}

test("a patch computed from two values turns the first into the second", () => {
  fc.assert(
    fc.property(json, json, (from, to) => assert.deepEqual(apply(from, diff(from, to)), to)),
    { numRuns: 1000 },
  );
});

test("equal values give no operation", () => {
  fc.assert(fc.property(json, (value) => assert.deepEqual(diff(value, structuredClone(value)), [])));
});

test("merging the same overlay twice changes nothing more", () => {
  fc.assert(
    fc.property(json, json, (base, over) => {
      const once = deepMerge(base, over);
      assert.deepEqual(deepMerge(once, over), once);
    }),
  );
});
