// The main job with processes killed in the middle of it: nothing is lost, nothing is done twice, nobody helps by hand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GROUP_VERSION, Installation, NAMESPACE } from "../support/installation.ts";
import type { RunningRole } from "../support/installation.ts";
import { waitFor } from "../support/wait.ts";
import { claim, configMapProvider } from "./main-flow.ts";

// A third of the defaults' times, in their proportions, so that each recovery takes seconds.
const env = {
  POOLSTREAM_BUS_HEARTBEAT_MS: "700",
  POOLSTREAM_BUS_LOCK_TTL_MS: "2500",
  POOLSTREAM_BUS_IDLE_MS: "2500",
  POOLSTREAM_BUS_RECLAIM_EVERY_MS: "300",
  POOLSTREAM_LEADER_DURATION_MS: "3000",
  POOLSTREAM_BEAT_LEASE_MS: "2000",
};
const BATCH = 20;

let world: Installation;
before(async () => {
  world = await Installation.start({ mode: "distributed", workers: 2, env });
  await world.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "users" } });
  await world.apply(configMapProvider("settings"));
});
after(() => world.stop());

function running(role: string): RunningRole {
  const found = world.roles.find((candidate) => candidate.role === role);
  assert.ok(found, `no ${role} is running`);
  return found;
}

async function createBatch(prefix: string): Promise<string[]> {
  const names = Array.from({ length: BATCH }, (_, index) => `${prefix}-${index}`);
  await Promise.all(names.map((name) => world.apply(claim(name, "settings"))));
  return names;
}

interface Status {
  readonly ready?: boolean;
  readonly resourceHandle?: { readonly name: string };
}

/** I1: each claim has exactly one handle naming it, and that one is in its status. */
async function servedExactlyOnce(names: readonly string[]): Promise<void> {
  await waitFor(
    `${names.length} ready claims`,
    async () => {
      const claims = await world.list("ResourceClaim", "users");
      return names.every(
        (name) => (claims.find(({ metadata }) => metadata.name === name)?.["status"] as Status | undefined)?.ready === true,
      );
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
  const handles = await world.list("ResourceHandle", NAMESPACE);
  for (const name of names) {
    const status = (await world.get("ResourceClaim", name, "users"))?.["status"] as Status;
    const naming = handles.filter((handle) => (handle["spec"] as { resourceClaim?: { name: string } }).resourceClaim?.name === name);
    assert.deepEqual(
      naming.map(({ metadata }) => metadata.name),
      [status.resourceHandle?.name],
    );
  }
}

async function deleteAll(names: readonly string[]): Promise<void> {
  for (const name of names) await world.client.delete({ apiVersion: GROUP_VERSION, kind: "ResourceClaim", name, namespace: "users" });
}

async function nothingLeft(): Promise<void> {
  await waitFor(
    "no claim, handle or object to be left",
    async () => {
      const left = [
        ...(await world.list("ResourceClaim", "users")),
        ...(await world.list("ResourceHandle", NAMESPACE)),
        ...(await world.list("ConfigMap", "users", "v1")).filter(({ metadata }) => metadata.name !== "kube-root-ca.crt"),
      ];
      if (left.length > 0) throw new Error(`${left.length} left, first ${left[0]?.kind}/${left[0]?.metadata.name}`);
      return true;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}

test("a worker killed in the middle: its work is taken over by the other", async () => {
  const creating = createBatch("worker");
  await waitFor("work in flight", async () => (await world.list("ResourceHandle", NAMESPACE)).length > 2);
  await world.kill(running("worker"));
  await servedExactlyOnce(await creating);
  await world.startRole("worker");
});

test("the controller killed in the middle: the next one acts on what changed meanwhile", async () => {
  await world.kill(running("controller"));
  const names = await createBatch("controller");
  await world.startRole("controller");
  await servedExactlyOnce(names);
});

test("redis-server killed in the middle, back with nothing: all work is found again", async () => {
  const first = createBatch("before");
  await waitFor("work in flight", async () => (await world.list("ResourceHandle", NAMESPACE)).length > BATCH * 2 + 2);
  await world.redis?.kill();
  const second = createBatch("during");
  await Promise.all([first, second]);
  await world.redis?.restart();
  await servedExactlyOnce([...(await first), ...(await second)]);
});

test("a worker killed in the middle of deletions: nothing stays behind", async () => {
  const names = (await world.list("ResourceClaim", "users")).map(({ metadata }) => metadata.name ?? "");
  assert.equal(names.length, BATCH * 4);
  const deleting = deleteAll(names);
  await waitFor("deletions in flight", async () => (await world.list("ResourceHandle", NAMESPACE)).length < BATCH * 4);
  await world.kill(running("worker"));
  await deleting;
  await nothingLeft();
});
