import assert from "node:assert/strict";
import { test } from "node:test";
import { entryHealth, overall } from "../../../../src/resources/handle/health.ts";
import { atPointer } from "../../../../src/resources/handle/linked.ts";
import type { ResourceHandle } from "../../../../src/resources/handle/types.ts";
import { allowedChanges } from "../../../../src/resources/handle/update-filters.ts";
import { handleVariable } from "../../../../src/resources/handle/variable.ts";
import { guidOf, healthOf } from "../../../../src/resources/handle/view.ts";
import { handleKind } from "../../../../src/resources/handle/kind.ts";
import type { KubeObject } from "../../../../src/kube/types.ts";
import { DOMAIN, NS, World } from "../world.ts";

for (const [name, generateName, guid] of [
  ["guid-7k2xq", "guid-", "7k2xq"],
  ["guid-demo-2", undefined, "demo-2"],
  ["guid-demo", "guid-de", "mo"],
  ["env-abcdefgh", undefined, "defgh"],
] as const) {
  test(`the guid of ${name} is ${guid}`, () =>
    assert.equal(guidOf({ metadata: { name, ...(generateName === undefined ? {} : { generateName }) } }), guid));
}

test("overall verdict: false wins, unknown next, nothing is unknown", () => {
  assert.deepEqual(
    [[true, true], [true, undefined], [undefined, false], []].map((verdicts) => overall(verdicts)),
    [true, undefined, false, undefined],
  );
});

const never = (): never => assert.fail("asked");

test("an entry without an object is not ready, an unhealthy one is not asked", () => {
  assert.deepEqual(entryHealth({ state: undefined, healthy: never, ready: never }), { healthy: undefined, ready: false });
  assert.deepEqual(entryHealth({ state: {}, healthy: () => false, ready: never }), { healthy: false, ready: false });
  assert.deepEqual(entryHealth({ state: {}, healthy: () => undefined, ready: () => true }), { healthy: undefined, ready: true });
});

test("update filters: the first rule that matches the whole path decides, ours are the ownership annotations", () => {
  const live = {
    metadata: { uid: "1", annotations: { [`${DOMAIN}/resource-index`]: "1", [`${DOMAIN}/resource-handle-deleted`]: "x", other: "1" } },
    spec: { a: 1, b: 2, list: [1, 2] },
  };
  const wanted = { metadata: { annotations: { [`${DOMAIN}/resource-index`]: "0", other: "2" } }, spec: { a: 2, c: 3, list: [1] } };
  const paths = (filters: Parameters<typeof allowedChanges>[2]["filters"]): string[] =>
    allowedChanges(live, wanted, { filters, domain: DOMAIN }).map(({ op, path }) => `${op} ${path}`);
  const own = [
    `remove /metadata/annotations/${DOMAIN}~1resource-handle-deleted`,
    `replace /metadata/annotations/${DOMAIN}~1resource-index`,
  ];
  assert.deepEqual(paths([]), own);
  assert.deepEqual(paths([{ pathMatch: "/spec" }]), own);
  assert.deepEqual(paths([{ pathMatch: "/spec/.*", allowedOps: ["replace", "add"] }]), [...own, "replace /spec/a", "add /spec/c"]);
  assert.deepEqual(paths([{ pathMatch: "/spec/a", allowedOps: [] }, { pathMatch: "/spec/.*" }]), [
    ...own,
    "remove /spec/b",
    "add /spec/c",
    "remove /spec/list/1",
  ]);
});

test("JSON pointers reach into lists and escaped names, and nowhere else", () => {
  const value = { "a/b": [{ "c~d": 1 }], x: null };
  assert.deepEqual(
    ["/a~1b/0/c~0d", "/x/y", "/constructor", "/a~1b/7/z", ""].map((pointer) => atPointer(value, pointer)),
    [1, undefined, undefined, undefined, value],
  );
});

function handle(spec: object, status?: object): KubeObject & ResourceHandle {
  const object = new World().ours("ResourceHandle", "guid-7k2xq", { spec, ...(status ? { status } : {}) });
  return object as KubeObject & ResourceHandle;
}

test("health as pools see it", () => {
  const cases = [[], [{}], [{ waitingFor: "x" }], [{ waitingFor: "x", healthy: true }], [{ waitingFor: "x" }, { healthy: false }]];
  assert.deepEqual(
    cases.map((resources) => healthOf(handle({}, { resources }))),
    [true, true, undefined, true, false],
  );
});

test("templates see the handle's derived members", () => {
  const { guid, is_bound, is_ready, is_healthy, resource_claim_name, resource_pool_name, parameter_values, reference } = handleVariable(
    handle({ resourceClaim: { name: "lab", namespace: "users" }, provider: { name: "p", parameterValues: { a: 1 } } }),
  );
  assert.deepEqual(
    { guid, is_bound, is_ready, is_healthy, resource_claim_name, resource_pool_name, parameter_values, reference },
    {
      guid: "7k2xq",
      is_bound: true,
      is_ready: null,
      is_healthy: true,
      resource_claim_name: "lab",
      resource_pool_name: null,
      parameter_values: { a: 1 },
      reference: { apiVersion: `${DOMAIN}/v1`, kind: "ResourceHandle", name: "guid-7k2xq", namespace: NS },
    },
  );
});

test("a handle's change reaches its claim always, its pool when the pool's count may change", () => {
  const { settings } = new World().context;
  const spec = { resourceClaim: { name: "lab", namespace: "users" }, resourcePool: { name: "bench", namespace: NS } };
  const old = handle(spec, { ready: false, summary: { a: 1 } });
  const keys = (object: KubeObject, type: "ADDED" | "MODIFIED" | "DELETED" = "MODIFIED"): string[] =>
    handleKind
      .mapTo({ type, object, previous: old }, settings)
      .map(({ kind, namespace, name, waking }) => `${kind} ${namespace}/${name} ${waking}`);
  assert.deepEqual(keys(handle(spec, { ready: false, summary: { a: 2 } })), ["resourceclaims users/lab false"]);
  assert.deepEqual(keys(handle(spec, { ready: true })), ["resourceclaims users/lab false", `resourcepools ${NS}/bench false`]);
  assert.deepEqual(keys(handle({ ...spec, vars: {} })), ["resourceclaims users/lab true", `resourcepools ${NS}/bench true`]);
  assert.deepEqual(keys(old, "DELETED"), ["resourceclaims users/lab true", `resourcepools ${NS}/bench true`]);
});
