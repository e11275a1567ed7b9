// Start, stop and bad settings of every role, as a process manager sees them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { Installation } from "../support/installation.ts";
import type { Mode } from "../support/installation.ts";
import { startRedis } from "../support/redis.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "main.ts");

function run(args: readonly string[], env: Record<string, string> = {}): { readonly code: number | null; readonly stderr: string } {
  const { KUBECONFIG: _, REDIS_URL: __, ...inherited } = process.env;
  const result = spawnSync(process.execPath, [PROGRAM, ...args], {
    env: { ...inherited, ...env },
    encoding: "utf8",
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  return { code: result.status, stderr: result.stderr };
}

test("AC-9: an unknown setting stops the process at start with its name", () => {
  const { code, stderr } = run(["worker"], { POOLSTREAM_WORKER_CONCURENCY: "5" });
  assert.equal(code, 2);
  assert.match(stderr, /^poolstream: unknown setting in the environment: POOLSTREAM_WORKER_CONCURENCY$/m);
  assert.doesNotMatch(stderr, /at .*\.ts/);
});

test("AC-43: a process that lacks a required setting names it", () => {
  assert.match(run(["beat"]).stderr, /redis\.url is required: set POOLSTREAM_REDIS_URL or REDIS_URL/);
  assert.match(run(["standalone"]).stderr, /operator\.namespace is required: set POOLSTREAM_OPERATOR_NAMESPACE or OPERATOR_NAMESPACE/);
  assert.match(run(["standalone"], { OPERATOR_NAMESPACE: "x" }).stderr, /set KUBECONFIG, or run in a pod/);
});

test("a contradictory schedule and impossible timings are refused", () => {
  const base = { OPERATOR_NAMESPACE: "x", REDIS_URL: "redis://127.0.0.1:1" };
  assert.match(
    run(["beat"], { ...base, POOLSTREAM_KINDS_RESOURCEPOOLS_RESYNC: "every now and then" }).stderr,
    /kinds\.resourcepools\.resync/,
  );
  assert.match(run(["beat"], { ...base, POOLSTREAM_BUS_LOCK_TTL_MS: "1000" }).stderr, /lockTtlMs|PS_CONFIG_TIMINGS|heartbeat/);
});

test("no role, or an unknown one, prints how to use it", () => {
  assert.match(run([]).stderr, /^usage: poolstream <role>/);
  assert.equal(run(["worker-manager"]).code, 2);
});

for (const mode of ["standalone", "distributed"] satisfies Mode[]) {
  test(`${mode}: every role stops on SIGTERM with exit code 0, the Lease given up`, async () => {
    const world = await Installation.start({ mode, workers: 1 });
    try {
      for (const role of world.roles.slice()) assert.equal(await world.stopRole(role), 0, role.role);
      const [lease] = await world.list("Lease", "poolstream", "coordination.k8s.io/v1");
      assert.equal((lease?.["spec"] as { holderIdentity?: string } | undefined)?.holderIdentity ?? "", "");
    } finally {
      await world.stop();
    }
  });
}

test("AC-43: the other mode refuses to run beside a live installation", async () => {
  const world = await Installation.start({ mode: "standalone", env: { POOLSTREAM_LEADER_DURATION_MS: "2000" } });
  const redis = await startRedis();
  try {
    const { code, stderr } = run(["controller"], {
      KUBECONFIG: world.cluster.kubeconfigFor("controller"),
      OPERATOR_NAMESPACE: "poolstream",
      REDIS_URL: redis.url,
      POOLSTREAM_HTTP_PORT: "0",
      POOLSTREAM_LEADER_DURATION_MS: "2000",
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /a standalone installation runs on these objects/);
  } finally {
    await redis.stop();
    await world.stop();
  }
});
