import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError, ForbiddenError } from "../../../../src/kube/errors.ts";
import type { KubeObject } from "../../../../src/kube/types.ts";
import { reconcileHandle } from "../../../../src/resources/handle/reconcile.ts";
import type { Result } from "../../../../src/resources/kind.ts";
import { RetryAfterError } from "../../../../src/runtime/errors.ts";
import { DOMAIN, NS, START, World } from "../world.ts";

const HANDLE = "guid-7k2xq";
const CLAIM = { apiVersion: `${DOMAIN}/v1`, kind: "ResourceClaim", name: "lab", namespace: "users" };
const key = (suffix: string): string => `${DOMAIN}/${suffix}`;
const providerRef = (name: string): object => ({ apiVersion: `${DOMAIN}/v1`, kind: "ResourceProvider", name, namespace: NS });
const entry = (provider: string, template: object = {}, name = provider): object => ({ name, provider: providerRef(provider), template });
const pass = (world: World): Promise<Result> => reconcileHandle({ namespace: NS, name: HANDLE, uid: "", cause: "test" }, world.context);

const DATABASE = {
  override: { apiVersion: "example.com/v1", kind: "Database", metadata: { name: "db-{{guid}}", namespace: "data" } },
  template: { enable: true },
  healthCheck: 'ne status.phase "failed"',
  readinessCheck: 'eq status.phase "ready"',
  updateFilters: [{ pathMatch: "/spec(/.*)?" }],
};

function handleWorld(spec: object = { resources: [entry("db", { spec: { size: "s" } })] }, metadata: Record<string, unknown> = {}): World {
  const world = new World();
  world.ours("ResourceProvider", "db", { spec: DATABASE });
  world.ours("ResourceHandle", HANDLE, { spec }, { finalizers: [DOMAIN], ...metadata });
  return world;
}
function claimIn(world: World, body: object = {}, annotations?: Record<string, string>): void {
  world.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "users", ...(annotations ? { annotations } : {}) } });
  world.put({
    apiVersion: CLAIM.apiVersion,
    kind: CLAIM.kind,
    metadata: { name: CLAIM.name, namespace: CLAIM.namespace },
    spec: { resources: [] },
    ...body,
  });
}
const database = (world: World, name = "db-7k2xq"): KubeObject | undefined => world.find("Database", name, "data");
const statusOf = (world: World): Record<string, unknown> =>
  (world.find("ResourceHandle", HANDLE)?.["status"] ?? {}) as Record<string, unknown>;
const writes = (world: World): string[] => world.requests.filter((request) => !/^(GET|LIST)/u.test(request));
function phase(world: World, value: string): void {
  const object = database(world);
  assert.ok(object);
  world.put({ ...object, status: { phase: value } });
}
const remove = (world: World): Promise<void> =>
  world.delete({ apiVersion: `${DOMAIN}/v1`, kind: "ResourceHandle", name: HANDLE, namespace: NS });

test("a fresh handle gets its object, with annotations, recorded before it is made", async () => {
  const world = handleWorld();
  world.before = (request) => {
    if (request.startsWith("POST Database")) assert.ok(JSON.stringify(statusOf(world)).includes("db-7k2xq"));
  };
  await pass(world);
  assert.deepEqual(database(world)?.metadata.annotations, {
    [key("resource-provider-name")]: "db",
    [key("resource-provider-namespace")]: NS,
    [key("resource-handle-name")]: HANDLE,
    [key("resource-handle-namespace")]: NS,
    [key("resource-handle-uid")]: `uid-${HANDLE}`,
    [key("resource-index")]: "0",
  });
  assert.deepEqual(database(world)?.["spec"], { size: "s" });
  assert.deepEqual(statusOf(world), {
    resources: [
      {
        name: "db",
        reference: { apiVersion: "example.com/v1", kind: "Database", name: "db-7k2xq", namespace: "data" },
        healthy: true,
        ready: false,
      },
    ],
    healthy: true,
    ready: false,
  });
  assert.deepEqual(
    writes(world).map((request) => request.split("/")[0]),
    ["POST ResourceWatch poolstream", `PATCH ResourceHandle poolstream`, "POST Database data", `PATCH ResourceHandle poolstream`],
  );
});

test("a pass over a handle that is right writes nothing", async () => {
  const world = handleWorld();
  await pass(world);
  await pass(world);
  world.requests.length = 0;
  assert.equal((await pass(world)).requeueAfterMs, undefined);
  assert.deepEqual(writes(world), []);
});

test("health and readiness follow the object", async () => {
  const world = handleWorld();
  await pass(world);
  phase(world, "ready");
  await pass(world);
  assert.deepEqual([statusOf(world)["healthy"], statusOf(world)["ready"]], [true, true]);
  phase(world, "failed");
  await pass(world);
  assert.deepEqual([statusOf(world)["healthy"], statusOf(world)["ready"]], [false, false]);
});

test("a vanished object is made again under its stored name", async () => {
  const world = handleWorld();
  await pass(world);
  await world.delete({ apiVersion: "example.com/v1", kind: "Database", name: "db-7k2xq", namespace: "data" });
  await pass(world);
  assert.ok(database(world));
});

test("an object of that name is adopted, and looked at again soon", async () => {
  const world = handleWorld();
  world.put({
    apiVersion: "example.com/v1",
    kind: "Database",
    metadata: { name: "db-7k2xq", namespace: "data", annotations: { mine: "1" } },
    spec: { size: "s" },
  });
  assert.equal((await pass(world)).requeueAfterMs, 1000);
  await pass(world);
  assert.equal(database(world)?.metadata.annotations?.[key("resource-handle-name")], HANDLE);
  assert.equal(database(world)?.metadata.annotations?.["mine"], "1");
});

test("changes reach the object as far as the filters let them", async () => {
  const world = handleWorld();
  await pass(world);
  const handle = world.find("ResourceHandle", HANDLE);
  assert.ok(handle);
  world.put({
    ...handle,
    spec: { resources: [entry("db", { spec: { size: "l" }, data: { refused: true } })], resourceLabels: { refused: "yes" } },
  });
  await pass(world);
  assert.deepEqual(database(world)?.["spec"], { size: "l" });
  assert.equal(database(world)?.["data"], undefined);
  assert.equal(database(world)?.metadata.labels, undefined);
});

test("a rendered kind that changes is refused for ten minutes", async () => {
  const world = handleWorld();
  await pass(world);
  world.ours("ResourceProvider", "db", { spec: { ...DATABASE, override: { ...DATABASE.override, kind: "Store" } } });
  await assert.rejects(
    pass(world),
    (error) =>
      error instanceof RetryAfterError && error.afterMs === 600_000 && error.message.endsWith("would change from kind Database to Store!"),
  );
});

test("an entry that needs a claim waits for it", async () => {
  const world = handleWorld();
  world.ours("ResourceProvider", "db", { spec: { ...DATABASE, resourceRequiresClaim: true } });
  await pass(world);
  assert.deepEqual(statusOf(world), { resources: [{ name: "db", waitingFor: "ResourceClaim", ready: false }], ready: false });
  assert.equal(database(world), undefined);
  claimIn(world);
  const handle = world.find("ResourceHandle", HANDLE);
  assert.ok(handle);
  world.put({ ...handle, spec: { ...(handle["spec"] as object), resourceClaim: CLAIM } });
  await pass(world);
  assert.equal(database(world)?.metadata.annotations?.[key("resource-claim-name")], "lab");
  assert.equal((statusOf(world)["resources"] as { waitingFor?: string }[])[0]?.waitingFor, undefined);
});

test("a linked entry waits, takes its variable, and is made when the condition holds", async () => {
  const world = handleWorld({ resources: [entry("db"), entry("app")] });
  world.ours("ResourceProvider", "app", {
    spec: {
      override: {
        apiVersion: "example.com/v1",
        kind: "App",
        metadata: { name: "app-{{guid}}", namespace: "data" },
        spec: { host: "{{host}}" },
      },
      template: { enable: true },
      linkedResourceProviders: [
        { name: "db", waitFor: 'eq linked_resource_state.status.phase "ready"', templateVars: [{ name: "host", from: "/status/host" }] },
      ],
    },
  });
  await pass(world);
  assert.equal((statusOf(world)["resources"] as { waitingFor?: string }[])[1]?.waitingFor, "Linked ResourceProvider");
  assert.equal(world.find("App", "app-7k2xq", "data"), undefined);
  const object = database(world);
  assert.ok(object);
  world.put({ ...object, status: { phase: "ready", host: "h1" } });
  await pass(world);
  assert.deepEqual(world.find("App", "app-7k2xq", "data")?.["spec"], { host: "h1" });
  assert.equal((statusOf(world)["resources"] as { waitingFor?: string }[])[1]?.waitingFor, undefined);
});

test("a handle of a top-level provider is expanded, and follows its parameters", async () => {
  const world = handleWorld({ provider: { name: "db", parameterValues: { size: "m" } }, vars: {} });
  world.ours("ResourceProvider", "db", {
    spec: {
      ...DATABASE,
      template: { enable: true, definition: { spec: { size: "{{size}}" } } },
      statusSummaryTemplate: { of: "{{resource_handle.guid}}" },
    },
  });
  await pass(world);
  assert.deepEqual(database(world)?.["spec"], { size: "m" });
  assert.deepEqual(statusOf(world)["summary"], { of: "7k2xq" });
  const handle = world.find("ResourceHandle", HANDLE);
  assert.ok(handle);
  world.put({ ...handle, spec: { ...(handle["spec"] as object), provider: { name: "db", parameterValues: { size: "l" } } } });
  await pass(world);
  assert.deepEqual(database(world)?.["spec"], { size: "l" });
});

test("a missing provider waits a minute, an unknown kind ten", async () => {
  const world = handleWorld({ resources: [entry("nobody")] });
  await assert.rejects(pass(world), (error) => error instanceof RetryAfterError && error.afterMs === 60_000);
  const other = handleWorld();
  other.unknownKinds.add("Database");
  await assert.rejects(pass(other), (error) => error instanceof RetryAfterError && error.afterMs === 600_000);
});

test("requester annotations come from the claim's namespace, and a namespace without annotations is none", async () => {
  for (const [annotations, user] of [
    [undefined, undefined],
    [{ "openshift.io/requester": "ann" }, "ann"],
  ] as const) {
    const world = handleWorld({ resources: [entry("db")], resourceClaim: CLAIM });
    claimIn(world, {}, annotations);
    await pass(world);
    assert.equal(database(world)?.metadata.annotations?.[key("resource-requester-user")], user);
  }
});

test("a handle past its end, or without its claim, deletes itself", async () => {
  for (const spec of [{ lifespan: { end: "2031-03-04T09:59:59Z" } }, { resourceClaim: CLAIM }]) {
    const world = handleWorld({ resources: [entry("db")], ...spec });
    await pass(world);
    assert.ok(world.find("ResourceHandle", HANDLE)?.metadata.deletionTimestamp);
    assert.equal(database(world), undefined);
  }
});

test("a claim that cannot be read deletes nothing", async () => {
  const world = handleWorld({ resources: [entry("db")], resourceClaim: CLAIM });
  world.before = (request) => {
    if (request.startsWith("GET ResourceClaim")) throw new ForbiddenError("PS_KUBE_FORBIDDEN", "no", { status: 403 });
  };
  await assert.rejects(pass(world), ForbiddenError);
  assert.equal(world.find("ResourceHandle", HANDLE)?.metadata.deletionTimestamp, undefined);
});

test("an end in the future is an exact timer", async () => {
  const world = handleWorld({ resources: [entry("db")], lifespan: { end: "2031-03-04T10:05:00Z" } });
  const { requeueAfterMs = 0 } = await pass(world);
  assert.equal(requeueAfterMs, 301_000);
  world.now = START + requeueAfterMs;
  await pass(world);
  assert.ok(world.find("ResourceHandle", HANDLE)?.metadata.deletionTimestamp);
});

test("a deleted handle stays until its objects are gone, then its claim goes", async () => {
  const world = handleWorld({ resources: [entry("db")], resourceClaim: CLAIM });
  claimIn(world);
  await pass(world);
  const object = database(world);
  assert.ok(object);
  world.put({ ...object, metadata: { ...object.metadata, finalizers: ["example.com/slow"] } });
  await remove(world);
  assert.equal((await pass(world)).requeueAfterMs, 2000);
  assert.ok(database(world)?.metadata.annotations?.[key("resource-handle-deleted")]);
  assert.ok(world.find("ResourceHandle", HANDLE));
  await world.patch(
    { apiVersion: "example.com/v1", kind: "Database", name: "db-7k2xq", namespace: "data" },
    { type: "json", operations: [{ op: "remove", path: "/metadata/finalizers" }] },
  );
  await pass(world);
  assert.equal(database(world), undefined);
  assert.equal(world.find("ResourceHandle", HANDLE), undefined);
  assert.equal(world.find("ResourceClaim", "lab", "users"), undefined);
  assert.deepEqual(await pass(world), { gone: true });
});

test("a detached claim, or one that another handle serves, outlives the handle", async () => {
  for (const resourceHandle of [{ name: HANDLE, detached: true }, { name: "guid-other" }]) {
    const world = handleWorld({ resources: [entry("db")], resourceClaim: CLAIM });
    claimIn(world, { status: { resourceHandle } });
    await remove(world);
    await pass(world);
    assert.equal(world.find("ResourceHandle", HANDLE), undefined);
    assert.ok(world.find("ResourceClaim", "lab", "users"));
  }
});

test("an object without annotations does not block the deletion", async () => {
  const world = handleWorld();
  await pass(world);
  world.put({ apiVersion: "example.com/v1", kind: "Database", metadata: { name: "db-7k2xq", namespace: "data" } });
  await remove(world);
  await pass(world);
  assert.equal(world.find("ResourceHandle", HANDLE), undefined);
});

test("a kind that the API does not serve now is no proof that its objects are gone", async () => {
  const world = handleWorld();
  await pass(world);
  await remove(world);
  world.unknownKinds.add("Database");
  await assert.rejects(pass(world), RetryAfterError);
  assert.ok(world.find("ResourceHandle", HANDLE));
  world.unknownKinds.clear();
  await pass(world);
  assert.equal(world.find("ResourceHandle", HANDLE), undefined);
  assert.equal(database(world), undefined);
});

test("an ignored handle is not touched, living or terminating", async () => {
  const world = handleWorld(undefined, { labels: { [key("ignore")]: "" } });
  await pass(world);
  await remove(world);
  await pass(world);
  assert.ok(world.find("ResourceHandle", HANDLE));
  assert.deepEqual(writes(world), [`DELETE ResourceHandle ${NS}/${HANDLE}`]);
});

test("finalizers of the reference are taken over, others stay", async () => {
  const world = handleWorld(undefined, { finalizers: [`${DOMAIN}/handler`, "other/one"] });
  await pass(world);
  assert.deepEqual(world.find("ResourceHandle", HANDLE)?.metadata.finalizers, ["other/one", DOMAIN]);
});

test("a handle that was bound meanwhile is computed again, with nothing lost", async () => {
  const world = handleWorld();
  world.before = (request) => {
    if (!request.endsWith(" status")) return;
    world.before = () => undefined;
    const handle = world.find("ResourceHandle", HANDLE);
    if (handle) world.put({ ...handle, spec: { ...(handle["spec"] as object), resourceClaim: CLAIM } });
  };
  await assert.rejects(pass(world), ConflictError);
  assert.equal(database(world), undefined);
  claimIn(world);
  await pass(world);
  assert.equal(database(world)?.metadata.annotations?.[key("resource-claim-name")], "lab");
});

test("a pinned reference in an entry keeps its name; another kind is refused", async () => {
  const pinned = { ...entry("db"), reference: { apiVersion: "example.com/v1", kind: "Database", name: "old", namespace: "data" } };
  const world = handleWorld({ resources: [pinned] });
  await pass(world);
  assert.ok(database(world, "old"));
  const other = handleWorld({ resources: [{ ...pinned, reference: { ...pinned.reference, kind: "Store" } }] });
  await assert.rejects(pass(other), /Unable to change kind for resource!/u);
});

test("a definition that reads the clock is rendered again each interval", async () => {
  const world = handleWorld();
  world.ours("ResourceProvider", "db", { spec: { ...DATABASE, override: { ...DATABASE.override, spec: { at: "{{now}}" } } } });
  assert.equal((await pass(world)).requeueAfterMs, 60_000);
  world.now = START + 60_000;
  await pass(world);
  assert.deepEqual(database(world)?.["spec"], { size: "s", at: "2031-03-04T10:01:00Z" });
});
