import assert from "node:assert/strict";
import { test } from "node:test";
import { providerKind } from "../../../../src/resources/provider/kind.ts";
import { NS, World } from "../world.ts";

test("a changed provider makes its claims, pools and handles run, linked entries included, and nobody else's", async () => {
  const world = new World();
  world.ours("ResourceProvider", "base", { spec: {} });
  world.ours("ResourceHandle", "guid-a", {
    spec: { provider: { name: "top" }, resources: [{ provider: { name: "base" } }, { provider: { name: "top" } }] },
  });
  world.ours("ResourceHandle", "guid-b", { spec: { provider: { name: "top" }, resources: [{ provider: { name: "top" } }] } });
  world.ours("ResourceHandle", "guid-c", { spec: { provider: { name: "base" } } });
  world.ours("ResourcePool", "bench", { spec: { provider: { name: "base" } } });
  world.ours("ResourceClaim", "lab", { spec: { provider: { name: "top" } } });
  world.ours("ResourceClaim", "own", { spec: { resources: [{ template: {} }] } });
  await providerKind.reconcile({ namespace: NS, name: "base", uid: "", cause: "changed" }, world.context);
  assert.deepEqual(world.enqueued.map(({ kind, name }) => `${kind} ${name}`).toSorted(), [
    "resourceclaims own",
    "resourcehandles guid-a",
    "resourcehandles guid-c",
    "resourcepools bench",
  ]);
});
