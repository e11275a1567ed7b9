import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../../../src/kube/types.ts";
import type { Result } from "../../../../src/resources/kind.ts";
import { poolScalingKind } from "../../../../src/resources/pool-scaling/kind.ts";
import { asScaling, missingOf, stateOf } from "../../../../src/resources/pool-scaling/view.ts";
import { RetryAfterError } from "../../../../src/runtime/errors.ts";
import { DOMAIN, NS, START, World } from "../world.ts";

function scaling(world: World, spec: object = {}, status?: object, metadata: Record<string, unknown> = {}): KubeObject {
  return world.ours(
    "ResourcePoolScaling",
    "friday",
    { spec: { count: 2, resourcePool: { name: "bench" }, ...spec }, ...(status ? { status } : {}) },
    metadata,
  );
}
const pass = (world: World): Promise<Result> =>
  poolScalingKind.reconcile({ namespace: NS, name: "friday", uid: "", cause: "test" }, world.context);
const owners = (world: World): unknown => world.find("ResourcePoolScaling", "friday")?.metadata.ownerReferences;

test("a scaling becomes its pool's, once", async () => {
  const world = new World();
  world.ours("ResourcePool", "bench", { spec: {} });
  scaling(world);
  await pass(world);
  assert.deepEqual(owners(world), [
    { apiVersion: `${DOMAIN}/v1`, kind: "ResourcePool", name: "bench", uid: "uid-bench", controller: true },
  ]);
  world.requests.length = 0;
  await pass(world);
  assert.deepEqual(world.requests, [`GET ResourcePoolScaling ${NS}/friday`]);
});

test("another owner stays the only one, and an ignored scaling is not touched", async () => {
  for (const metadata of [
    { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "1" }] },
    { labels: { [`${DOMAIN}/ignore`]: "" } },
  ]) {
    const world = new World();
    world.ours("ResourcePool", "bench", { spec: {} });
    const before = scaling(world, {}, undefined, metadata).metadata.ownerReferences;
    await pass(world);
    assert.deepEqual(owners(world), before);
  }
});

test("a missing pool is waited for", async () => {
  const world = new World();
  scaling(world);
  await assert.rejects(pass(world), (error) => error instanceof RetryAfterError && error.afterMs === 60_000);
});

const CASES: readonly [string, object, object | undefined, number, string][] = [
  ["new", {}, undefined, 2, "scaling"],
  ["half", {}, { count: 1 }, 1, "scaling"],
  ["complete", {}, { count: 2 }, 0, "done"],
  ["raised again", { count: 3 }, { count: 2, state: "done" }, 1, "scaling"],
  ["more than asked for", { count: 1 }, { count: 3 }, 0, "done"],
  ["nothing asked for", { count: 0 }, undefined, 0, "done"],
  ["not yet", { at: "2031-03-04T10:00:01Z" }, undefined, 0, "waiting"],
  ["now, with an offset", { at: "2031-03-04T12:00:00+02:00" }, undefined, 2, "scaling"],
  ["fractions", { at: "2031-03-04T10:00:00.001Z" }, undefined, 0, "waiting"],
];
for (const [title, spec, status, missing, state] of CASES) {
  test(`what a scaling wants: ${title}`, () => {
    const object = asScaling(scaling(new World(), spec, status));
    assert.deepEqual([missingOf(object, START), stateOf(object, object.status?.count ?? 0, START)], [missing, state]);
  });
}

test("its pool runs for a change of its spec, not for the count that the pool wrote", () => {
  const world = new World();
  const { settings } = world.context;
  const previous = scaling(world);
  const pools = (object: KubeObject): unknown => poolScalingKind.mapTo({ type: "MODIFIED", object, previous }, settings);
  assert.deepEqual(pools(scaling(world, {}, { count: 1 })), []);
  assert.deepEqual(pools(scaling(world, { count: 5 })), [
    { kind: "resourcepools", namespace: NS, name: "bench", cause: "scaling changed", waking: true },
  ]);
});
