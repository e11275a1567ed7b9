import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError, UnreachableError } from "../../../../src/kube/errors.ts";
import type { KubeObject } from "../../../../src/kube/types.ts";
import type { Result } from "../../../../src/resources/kind.ts";
import { reconcilePool } from "../../../../src/resources/pool/reconcile.ts";
import { RetryAfterError } from "../../../../src/runtime/errors.ts";
import { DOMAIN, NS, START, World } from "../world.ts";

const REFERENCE = { apiVersion: `${DOMAIN}/v1`, kind: "ResourcePool", name: "bench", namespace: NS };
const pass = (world: World): Promise<Result> => reconcilePool({ namespace: NS, name: "bench", uid: "", cause: "test" }, world.context);

function poolWorld(spec: Record<string, unknown>): World {
  const world = new World();
  world.ours("ResourceProvider", "vm", { spec: { lifespan: { default: "8h", maximum: "1d", relativeMaximum: "2d", unclaimed: "3d" } } });
  world.ours("ResourcePool", "bench", { spec: { provider: { name: "vm" }, ...spec } });
  return world;
}
function pooled(world: World, name: string, body: { spec?: object; status?: object } = {}, labels = {}): KubeObject {
  const all = { [`${DOMAIN}/resource-pool-name`]: "bench", ...labels };
  return world.ours(
    "ResourceHandle",
    name,
    { status: body.status, spec: { resourcePool: REFERENCE, ...body.spec } },
    { labels: all, finalizers: [DOMAIN] },
  );
}
const live = (world: World): KubeObject[] => world.all("ResourceHandle").filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const statusOf = (world: World, kind: string, name: string): unknown => world.find(kind, name)?.["status"];

test("an empty pool gets its handles, each as the spec describes it", async () => {
  const world = poolWorld({ minAvailable: 2, preferenceScore: 0, vars: { a: 1 }, resourceLabels: { team: "x" } });
  await pass(world);
  const handles = live(world);
  assert.equal(handles.length, 2);
  for (const { metadata, ...rest } of handles) {
    assert.match(metadata.name ?? "", /^guid-[a-z]{10}$/u);
    assert.deepEqual(
      [metadata.generateName, metadata.finalizers, metadata.labels],
      ["guid-", [DOMAIN], { [`${DOMAIN}/resource-pool-name`]: "bench", [`${DOMAIN}/resource-pool-namespace`]: NS }],
    );
    assert.deepEqual(rest["spec"], {
      resourcePool: REFERENCE,
      vars: { a: 1 },
      provider: { name: "vm" },
      preferenceScore: 0,
      resourceLabels: { team: "x" },
      lifespan: { default: "8h", maximum: "2d", end: "2031-03-07T10:00:00Z" },
    });
  }
  assert.deepEqual(statusOf(world, "ResourcePool", "bench"), {
    resourceHandles: handles.map(({ metadata }) => ({ name: metadata.name })),
    resourceHandleCount: { available: 0, ready: 0 },
  });
  assert.deepEqual(world.find("ResourcePool", "bench")?.metadata.finalizers, [DOMAIN]);
});

test("a pass over a pool that is right writes nothing", async () => {
  const world = poolWorld({ minAvailable: 1 });
  await pass(world);
  await pass(world);
  world.requests.length = 0;
  await pass(world);
  assert.deepEqual(
    world.requests.filter((request) => !/^(GET|LIST)/u.test(request)),
    [],
  );
});

test("the pool's own lifespan replaces the provider's; an unclaimed time of nothing is none", async () => {
  const world = poolWorld({ minAvailable: 1, lifespan: { default: "4h", unclaimed: "0s" } });
  await pass(world);
  assert.deepEqual(
    live(world).map(({ spec }) => (spec as { lifespan: unknown }).lifespan),
    [{ default: "4h" }],
  );
});

test("bound, foreign and terminating handles do not count", async () => {
  const world = poolWorld({ minAvailable: 1 });
  pooled(world, "guid-bound", { spec: { resourceClaim: { name: "c", namespace: "users" } } });
  pooled(world, "guid-foreign", { spec: { resourcePool: { ...REFERENCE, name: "other" } } });
  pooled(world, "guid-going");
  await world.delete({ apiVersion: `${DOMAIN}/v1`, kind: "ResourceHandle", name: "guid-going", namespace: NS });
  await pass(world);
  assert.equal(live(world).length, 3);
});

test("a creation whose answer was lost leads to no surplus", async () => {
  const world = poolWorld({ minAvailable: 3 });
  let lost = 0;
  world.after = (request) => {
    if (!request.startsWith("POST ResourceHandle") || lost === 2) return;
    lost += 1;
    throw new UnreachableError("PS_KUBE_UNREACHABLE", "timed out");
  };
  await assert.rejects(pass(world), UnreachableError);
  await assert.rejects(pass(world), UnreachableError);
  await pass(world);
  assert.equal(live(world).length, 3);
});

test("unhealthy handles are replaced in one pass where the pool says so", async () => {
  const world = poolWorld({ minAvailable: 1, deleteUnhealthyResourceHandles: true });
  pooled(world, "guid-ill", { status: { resources: [{ healthy: false }] } });
  await pass(world);
  assert.equal(live(world).length, 1);
  assert.notEqual(live(world)[0]?.metadata.name, "guid-ill");
});

test("a scaling adds its count once, labelled, and is done", async () => {
  const world = poolWorld({ minAvailable: 1 });
  await pass(world);
  world.ours("ResourcePoolScaling", "friday", { spec: { count: 2, resourcePool: { name: "bench" } } });
  await pass(world);
  await pass(world);
  assert.equal(live(world).filter(({ metadata }) => metadata.labels?.[`${DOMAIN}/resource-pool-scaling-name`] === "friday").length, 2);
  assert.equal(live(world).length, 3);
  assert.deepEqual(statusOf(world, "ResourcePoolScaling", "friday"), { count: 2, state: "done" });
});

test("a scaling of another pool, or an ignored one, adds nothing", async () => {
  const world = poolWorld({ minAvailable: 0 });
  world.ours("ResourcePoolScaling", "a", { spec: { count: 2, resourcePool: { name: "other" } } });
  world.ours("ResourcePoolScaling", "b", { spec: { count: 2, resourcePool: { name: "bench" } } }, { labels: { [`${DOMAIN}/ignore`]: "" } });
  await pass(world);
  assert.equal(live(world).length, 0);
});

test("a scaling waits for its time, and the pool asks to be run then", async () => {
  const world = poolWorld({ minAvailable: 0 });
  world.ours("ResourcePoolScaling", "later", { spec: { at: "2031-03-04T10:00:30.5Z", count: 1, resourcePool: { name: "bench" } } });
  assert.equal((await pass(world)).requeueAfterMs, 30_500);
  assert.equal(live(world).length, 0);
  assert.deepEqual(statusOf(world, "ResourcePoolScaling", "later"), { count: 0, state: "waiting" });
  world.now = START + 30_500;
  assert.equal((await pass(world)).requeueAfterMs, undefined);
  assert.equal(live(world).length, 1);
});

test("a crash between a scaling's handle and its count makes no surplus", async () => {
  const world = poolWorld({ minAvailable: 0 });
  world.ours("ResourcePoolScaling", "friday", { spec: { count: 2, resourcePool: { name: "bench" } } });
  let crashed = false;
  world.before = (request) => {
    if (crashed || !request.startsWith("PATCH ResourcePoolScaling")) return;
    crashed = true;
    throw new Error("killed");
  };
  await assert.rejects(pass(world), /killed/u);
  await pass(world);
  assert.equal(live(world).length, 2);
  assert.deepEqual(statusOf(world, "ResourcePoolScaling", "friday"), { count: 2, state: "done" });
});

test("a scaling that somebody else changes meanwhile is still counted right", async () => {
  const world = poolWorld({ minAvailable: 0 });
  world.ours("ResourcePoolScaling", "friday", { spec: { count: 1, resourcePool: { name: "bench" } } });
  world.after = (request) => {
    if (request.startsWith("POST ResourceHandle"))
      world.ours("ResourcePoolScaling", "friday", { spec: { count: 1, resourcePool: { name: "bench" } } }, { labels: { touched: "yes" } });
  };
  await pass(world);
  await pass(world);
  assert.equal(live(world).length, 1);
  assert.deepEqual(statusOf(world, "ResourcePoolScaling", "friday"), { count: 1, state: "done" });
});

test("an unhealthy handle of a scaling is replaced on its account", async () => {
  const world = poolWorld({ minAvailable: 0, deleteUnhealthyResourceHandles: true });
  world.ours("ResourcePoolScaling", "friday", { spec: { count: 1, resourcePool: { name: "bench" } }, status: { count: 1, state: "done" } });
  pooled(world, "guid-ill", { status: { resources: [{ healthy: false }] } }, { [`${DOMAIN}/resource-pool-scaling-name`]: "friday" });
  await pass(world);
  assert.equal(live(world).length, 1);
  assert.deepEqual(statusOf(world, "ResourcePoolScaling", "friday"), { count: 1, state: "done" });
});

test("a pool without provider and resources makes nothing, and waits", async () => {
  const world = poolWorld({ minAvailable: 1, provider: undefined });
  await assert.rejects(pass(world), RetryAfterError);
  assert.equal(live(world).length, 0);
});

test("a missing provider makes nothing, and waits", async () => {
  const world = poolWorld({ minAvailable: 1, lifespan: {}, provider: { name: "nobody" } });
  await assert.rejects(pass(world), RetryAfterError);
  assert.equal(live(world).length, 0);
});

test("a deleted pool takes its unbound handles along and leaves bound ones", async () => {
  const world = poolWorld({ minAvailable: 2 });
  await pass(world);
  pooled(world, "guid-bound", { spec: { resourceClaim: { name: "c", namespace: "users" } } });
  await world.delete({ apiVersion: `${DOMAIN}/v1`, kind: "ResourcePool", name: "bench", namespace: NS });
  await pass(world);
  assert.deepEqual(
    live(world).map(({ metadata }) => metadata.name),
    ["guid-bound"],
  );
  assert.equal(world.find("ResourcePool", "bench"), undefined);
  await pass(world);
  assert.equal(live(world).length, 1);
});

test("finalizers of the reference are taken over", async () => {
  const world = poolWorld({ minAvailable: 0 });
  const pool = world.find("ResourcePool", "bench");
  assert.ok(pool);
  world.put({ ...pool, metadata: { ...pool.metadata, finalizers: ["other/one", `${DOMAIN}/handler`, `${DOMAIN}/resource-handler-3`] } });
  await pass(world);
  assert.deepEqual(world.find("ResourcePool", "bench")?.metadata.finalizers, ["other/one", DOMAIN]);
});

test("another uid, and the ignore label, make the pass do nothing", async () => {
  const world = poolWorld({ minAvailable: 1 });
  await reconcilePool({ namespace: NS, name: "bench", uid: "another", cause: "test" }, world.context);
  world.ours("ResourcePool", "bench", { spec: { minAvailable: 1, provider: { name: "vm" } } }, { labels: { [`${DOMAIN}/ignore`]: "" } });
  await pass(world);
  assert.equal(live(world).length, 0);
});

test("a pool that changed since it was read is computed again, not counted as a failure", async () => {
  const world = poolWorld({ minAvailable: 1 });
  world.before = (request) => {
    if (request.endsWith(" status")) world.ours("ResourcePool", "bench", { spec: { minAvailable: 0, provider: { name: "vm" } } });
  };
  await assert.rejects(pass(world), ConflictError);
});
