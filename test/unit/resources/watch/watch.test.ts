import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectChange } from "../../../../src/resources/kind.ts";
import { ensureWatch } from "../../../../src/resources/watch/ensure.ts";
import { mapManaged } from "../../../../src/resources/watch/map-managed.ts";
import { watchKind } from "../../../../src/resources/watch/kind.ts";
import { watchName } from "../../../../src/resources/watch/names.ts";
import { DOMAIN, NS, World } from "../world.ts";

// The check values of spec resource-pool-and-watch 5.1.
for (const [apiVersion, kind, namespace, name] of [
  ["v1", "ConfigMap", "team-blue", "team-blue-zsqdta3u1hmt"],
  ["example.org/v1", "Widget", "lab", "lab-ljxvvrysca1n"],
  ["batch/v1", "Job", "default", "default-ocyex00plym7"],
  ["v1", "Namespace", undefined, "cluster-ojzrtlkaozec"],
  ["example.org/v1beta2", "ClusterWidget", undefined, "cluster-rz8acnyzqw2r"],
] as const) {
  test(`the watch of ${apiVersion} ${kind} is ${name}`, () => assert.equal(watchName(apiVersion, kind, namespace), name));
}

const { settings } = new World().context;
const change = (annotations: Record<string, string> | undefined, type: ObjectChange["type"] = "MODIFIED"): ObjectChange => ({
  type,
  object: { apiVersion: "v1", kind: "ConfigMap", metadata: annotations ? { annotations } : {} },
});
const name = `${DOMAIN}/resource-handle-name`;
const deleted = `${DOMAIN}/resource-handle-deleted`;

test("a managed object's change marks its handle, and wakes nothing", () => {
  assert.deepEqual(mapManaged(change({ [name]: "guid-a", [`${DOMAIN}/resource-handle-uid`]: "another" }), settings), [
    { kind: "resourcehandles", namespace: NS, name: "guid-a", cause: "managed object", waking: false },
  ]);
});

test("other objects, and those on their way out, mark nothing; a vanished one does", () => {
  assert.deepEqual(
    [change(undefined), change({}), change({ [name]: "" }), change({ [name]: "guid-a", [deleted]: "" })].flatMap((one) =>
      mapManaged(one, settings),
    ),
    [],
  );
  assert.equal(mapManaged(change({ [name]: "guid-a", [deleted]: "" }, "DELETED"), settings).length, 1);
});

test("a watch is made once, and again when it is gone for a minute", async () => {
  const world = new World();
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "team" } };
  await ensureWatch(object, world.context);
  await ensureWatch(object, world.context);
  assert.deepEqual(world.requests, [`POST ResourceWatch ${NS}/${watchName("v1", "Secret", "team")}`]);
  const [made] = world.all("ResourceWatch");
  assert.ok(made);
  assert.deepEqual(made["spec"], { apiVersion: "v1", kind: "Secret", namespace: "team" });
  assert.deepEqual(watchKind.watches?.(made), { apiVersion: "v1", kind: "Secret", namespace: "team" });
  world.now += 60_000;
  await ensureWatch(object, world.context);
  assert.equal(world.all("ResourceWatch").length, 1);
});

test("a kind that the API does not serve is named in the status, until it is served", async () => {
  const world = new World();
  const spec = { apiVersion: "example.org/v1", kind: "Widget", namespace: "lab" };
  world.ours("ResourceWatch", "lab-x", { spec });
  const pass = (): ReturnType<typeof watchKind.reconcile> =>
    watchKind.reconcile({ namespace: NS, name: "lab-x", uid: "", cause: "test" }, world.context);
  const statusOf = (): unknown => world.find("ResourceWatch", "lab-x")?.["status"];
  await pass();
  assert.equal(statusOf(), undefined);
  world.unknownKinds.add("Widget");
  assert.equal((await pass()).requeueAfterMs, 600_000);
  assert.deepEqual(statusOf(), { error: "API example.org/v1 does not have kind Widget" });
  world.unknownKinds.clear();
  assert.equal((await pass()).requeueAfterMs, undefined);
  assert.deepEqual(statusOf(), {});
});
