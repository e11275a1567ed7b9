import assert from "node:assert/strict";
import { test } from "node:test";
import { reconcileClaim } from "../../../../src/resources/claim/reconcile.ts";
import { ConflictError } from "../../../../src/kube/errors.ts";
import type { KubeObject } from "../../../../src/kube/types.ts";
import type { Result } from "../../../../src/resources/kind.ts";
import { RetryAfterError } from "../../../../src/runtime/errors.ts";
import { DOMAIN, NS, World } from "../world.ts";

const PROVIDER = { apiVersion: `${DOMAIN}/v1`, kind: "ResourceProvider", name: "db", namespace: NS };
const REF = { apiVersion: `${DOMAIN}/v1`, kind: "ResourceClaim", name: "lab", namespace: "users" };
const pass = (world: World): Promise<Result> => reconcileClaim({ namespace: "users", name: "lab", uid: "", cause: "test" }, world.context);

function claimWorld(
  spec: object,
  provider: object = { override: { apiVersion: "example.com/v1", kind: "Database" } },
  metadata: object = {},
): World {
  const world = new World();
  world.ours("ResourceProvider", "db", { spec: provider });
  world.put({ apiVersion: REF.apiVersion, kind: REF.kind, metadata: { name: REF.name, namespace: REF.namespace, ...metadata }, spec });
  return world;
}
const claim = (world: World): KubeObject | undefined => world.find("ResourceClaim", "lab", "users");
const status = (world: World): Record<string, unknown> => (claim(world)?.["status"] ?? {}) as Record<string, unknown>;
const writes = (world: World): string[] => world.requests.filter((request) => !/^(GET|LIST)/u.test(request));
const onlyHandle = (world: World): KubeObject => {
  const [handle, another] = world.all("ResourceHandle");
  assert.ok(handle);
  assert.equal(another, undefined);
  return handle;
};

for (const [form, spec] of Object.entries({
  provider: { provider: { name: "db" } },
  resources: { resources: [{ provider: { name: "db" }, template: { spec: { size: "s" } } }] },
})) {
  test(`a claim in ${form} form gets a handle of its own and a second pass writes nothing`, async () => {
    const world = claimWorld(spec);
    await pass(world);
    const handle = onlyHandle(world);
    assert.equal((handle["spec"] as { resourceClaim: { name: string } }).resourceClaim.name, "lab");
    assert.equal((status(world)["resourceHandle"] as { name: string }).name, handle.metadata.name);
    assert.deepEqual(claim(world)?.metadata.finalizers, [DOMAIN]);
    world.requests.length = 0;
    await pass(world);
    assert.deepEqual(writes(world), []);
  });
}

test("a lost answer of the creation leads to the same handle, not to a second one", async () => {
  const world = claimWorld({ provider: { name: "db" } });
  world.after = (request) => {
    if (request.startsWith("POST ResourceHandle")) throw new Error("answer lost");
  };
  await assert.rejects(pass(world), /answer lost/u);
  world.after = () => undefined;
  await pass(world);
  assert.equal((status(world)["resourceHandle"] as { name: string }).name, onlyHandle(world).metadata.name);
});

test("the best free handle is bound instead of making one", async () => {
  const world = claimWorld({ provider: { name: "db" } });
  world.ours("ResourceHandle", "guid-free1", { spec: { resources: [{ provider: PROVIDER, name: "db" }] } });
  await pass(world);
  assert.equal(onlyHandle(world).metadata.name, "guid-free1");
  assert.equal((status(world)["resourceHandle"] as { name: string }).name, "guid-free1");
});

test("invalid parameters are recorded and nothing is made", async () => {
  const world = claimWorld({ provider: { name: "db", parameterValues: { colour: "red" } } });
  await pass(world);
  assert.deepEqual((status(world)["provider"] as { validationErrors: string[] }).validationErrors, ["No such parameter colour."]);
  assert.deepEqual(world.all("ResourceHandle"), []);
});

test("a required approval is asked for once and nothing is made until it is given", async () => {
  const world = claimWorld({ provider: { name: "db" } }, { override: {}, approval: { required: true } });
  await pass(world);
  assert.deepEqual(status(world)["approval"], { state: "pending", message: "Approval pending." });
  await pass(world);
  assert.deepEqual(world.all("ResourceHandle"), []);
  const pending = claim(world);
  assert.ok(pending);
  world.put({ ...pending, status: { ...status(world), approval: { state: "approved" } } });
  await pass(world);
  onlyHandle(world);
});

test("an ignored claim is left alone", async () => {
  const world = claimWorld({ provider: { name: "db" } }, {}, { labels: { [`${DOMAIN}/ignore`]: "" } });
  await pass(world);
  assert.deepEqual(writes(world), []);
});

test("both forms at once, and an unknown provider, are tried again after ten minutes", async () => {
  const tenMinutes = (error: unknown): boolean => error instanceof RetryAfterError && error.afterMs === 600_000;
  await assert.rejects(pass(claimWorld({ provider: { name: "db" }, resources: [] })), tenMinutes);
  const world = claimWorld({ provider: { name: "nobody" } });
  await assert.rejects(pass(world), tenMinutes);
  assert.equal((status(world)["provider"] as { name: string }).name, "nobody");
});

test("a claim that changes under the pass is a conflict, not an overwrite", async () => {
  const world = claimWorld({ provider: { name: "db" } });
  world.before = (request) => {
    if (!request.startsWith("PATCH ResourceClaim")) return;
    world.before = () => undefined;
    const current = claim(world);
    assert.ok(current);
    world.put({ ...current, metadata: { ...current.metadata, labels: { mine: "1" } } });
  };
  await assert.rejects(pass(world), ConflictError);
  assert.equal(claim(world)?.metadata.labels?.["mine"], "1");
});

test("the finalizer stays until the handle is gone", async () => {
  const world = claimWorld({ provider: { name: "db" } });
  await pass(world);
  const handle = onlyHandle(world);
  world.put({ ...handle, metadata: { ...handle.metadata, finalizers: [DOMAIN] } });
  await world.delete(REF);
  await pass(world);
  assert.notEqual(onlyHandle(world).metadata.deletionTimestamp, undefined);
  assert.ok(claim(world));
  const going = onlyHandle(world);
  world.objects.delete([...world.objects.keys()].find((key) => key.endsWith(`/${going.metadata.name}`)) ?? "");
  await pass(world);
  assert.equal(claim(world), undefined);
});

test("the first ready handle records the instant and moves the wished end by the default", async () => {
  const world = claimWorld({ provider: { name: "db" } }, { override: {}, lifespan: { default: "1d" } });
  await pass(world);
  const handle = onlyHandle(world);
  world.now += 3_600_000;
  world.put({ ...handle, status: { ready: true, healthy: true, resources: [{ healthy: true, ready: true }] } });
  await pass(world);
  await pass(world);
  const lifespan = status(world)["lifespan"] as { firstReady: string; end: string };
  assert.equal(lifespan.firstReady, world.stamp());
  assert.equal(Date.parse(lifespan.end) - Date.parse(lifespan.firstReady), 86_400_000);
  assert.equal(status(world)["ready"], true);
  const events = world.all("Event");
  assert.deepEqual(
    events.map(({ reason }) => reason),
    ["Lifespan end changed"],
  );
  assert.match(
    String(events[0]?.["message"]),
    /^Updated lifespan end to 2031-03-05T10:00:00Z for ResourceClaim lab in users from ResourceHandle guid-/u,
  );
});

test("a bound claim with invalid wishes still shows what its handle shows", async () => {
  const world = claimWorld({ provider: { name: "db" } });
  await pass(world);
  const handle = onlyHandle(world);
  world.put({ ...handle, status: { ready: true, healthy: true } });
  const bound = claim(world);
  assert.ok(bound);
  world.put({ ...bound, spec: { provider: { name: "db", parameterValues: { colour: "red" } } } });
  await pass(world);
  assert.deepEqual((status(world)["provider"] as { validationErrors: string[] }).validationErrors, ["No such parameter colour."]);
  assert.equal(status(world)["ready"], true);
});
