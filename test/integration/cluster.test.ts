// The launcher itself: clusters side by side, attributed audit log, restarts, and nothing left behind by whatever end.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ensureBinaries } from "../cluster/binaries.ts";
import { startCluster } from "../cluster/cluster.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isAlive, makeScratch, processIdentity, recordServer, sweepScratch } from "../support/scratch.ts";
import { GiveUpError, waitFor } from "../support/wait.ts";

const { kubectl } = await ensureBinaries(["kubectl"]);
// The launcher's promises cannot be kept on a cluster that it did not start.
const skip = process.env["KUBECONFIG"] ? "KUBECONFIG names a cluster that this suite did not start" : false;

async function run(cluster: Cluster, user: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(kubectl, ["--kubeconfig", cluster.kubeconfigFor(user), ...args]);
  return stdout.trim();
}

function identities(cluster: Cluster): string[] {
  return Object.values(cluster.pids()).map((pid) => processIdentity(pid) ?? assert.fail(`process ${pid} does not run`));
}

test("two clusters side by side know nothing of each other and leave nothing", { skip }, async () => {
  const clusters = await Promise.all([startCluster({ audit: true, controllerManager: true }), startCluster()]);
  const [one, two] = clusters;
  const programs = clusters.flatMap(identities);
  try {
    await run(one, "worker", "create", "namespace", "only-here");
    assert.equal(await run(one, "test", "get", "namespace", "only-here", "-o", "name"), "namespace/only-here");
    await assert.rejects(run(two, "test", "get", "namespace", "only-here"), /NotFound/u);
    const created = one.auditLog().filter(({ verb, objectRef }) => verb === "create" && objectRef?.name === "only-here");
    assert.deepEqual(
      created.map(({ user, responseStatus }) => [user.username, responseStatus?.code]),
      [["worker", 201]],
    );
    // Only the controller manager empties a namespace and lets it go.
    await run(one, "test", "delete", "namespace", "only-here", "--timeout=30s");
    assert.throws(() => two.auditLog(), /with `audit`/u);
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
  assert.equal(programs.length, 5);
  assert.deepEqual(programs.filter(isAlive), []);
  assert.ok(!existsSync(one.dir) && !existsSync(two.dir));
});

test("the API server comes back on the same port and data, after either end", { skip }, async () => {
  const cluster = await startCluster({ audit: "requestResponse", users: ["somebody"] });
  try {
    for (const end of ["killApiServer", "stopApiServer"] as const) {
      await run(cluster, "somebody", "create", "configmap", end.toLowerCase(), "--from-literal=a=b");
      await cluster[end]();
      await assert.rejects(run(cluster, "test", "get", "configmaps"), /refused/u);
      await cluster.startApiServer();
      assert.equal(await run(cluster, "test", "get", "configmap", end.toLowerCase(), "-o", "jsonpath={.data.a}"), "b");
    }
    const bodies = cluster
      .auditLog()
      .filter(({ user, verb }) => user.username === "somebody" && verb === "create")
      .map(({ requestObject }) => requestObject);
    assert.deepEqual(
      bodies.map((body) => (body as { data: object }).data),
      [{ a: "b" }, { a: "b" }],
    );
    assert.throws(() => cluster.kubeconfigFor("nobody"), /option `users`/u);
  } finally {
    await cluster.stop();
  }
});

interface Started {
  readonly owner: ChildProcess;
  readonly dir: string;
  readonly programs: readonly string[];
}

// A process of its own that starts a cluster, writes down what runs and then does nothing.
async function startElsewhere(scratch: string, flags: readonly string[]): Promise<Started> {
  const script = join(scratch, "start.mjs");
  const report = join(scratch, "report.json");
  writeFileSync(
    script,
    `
    import { renameSync, writeFileSync } from "node:fs";
    import { startCluster } from ${JSON.stringify(import.meta.resolve("../cluster/cluster.ts"))};
    const cluster = await startCluster();
    writeFileSync("draft", JSON.stringify({ dir: cluster.dir, pids: [process.pid, ...Object.values(cluster.pids())] }));
    renameSync("draft", ${JSON.stringify(report)});
    setInterval(() => {}, 1000);`,
  );
  // A runner that finds itself below another one does nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const owner = spawn(process.execPath, [...flags, script], { cwd: scratch, env, stdio: "ignore" });
  const { dir, pids } = await waitFor(
    "the script to start a cluster",
    () => {
      if (owner.exitCode !== null) throw new GiveUpError(`the script ended with exit code ${owner.exitCode}`);
      return existsSync(report) && (JSON.parse(readFileSync(report, "utf8")) as { dir: string; pids: number[] });
    },
    { timeoutMs: 60_000 },
  );
  return { owner, dir, programs: pids.map((pid) => processIdentity(pid) ?? assert.fail(`process ${pid} does not run`)) };
}

for (const [name, flags] of [
  ["a killed script", []],
  ["a killed runner of test files", ["--test"]],
] as const) {
  test(`${name} takes its control plane with it, and the next start removes its folder`, { skip }, async () => {
    const scratch = makeScratch("test");
    try {
      const { owner, dir, programs } = await startElsewhere(scratch, flags);
      assert.equal(programs.length, 3);
      owner.kill("SIGKILL");
      await waitFor("everything to end", () => !programs.some(isAlive));
      sweepScratch();
      assert.ok(!existsSync(dir));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

test("the sweep ends what a dead owner left running", async () => {
  const scratch = makeScratch("test");
  const orphan = spawn("sleep", ["60"], { stdio: "ignore" });
  try {
    const { pid = 0 } = orphan;
    const identity = processIdentity(pid) ?? "";
    recordServer(scratch, pid);
    sweepScratch();
    assert.ok(existsSync(scratch) && isAlive(identity), "the folder of a live owner was swept");
    writeFileSync(join(scratch, "owner.pid"), `${process.pid} 1`);
    sweepScratch();
    await waitFor("the orphan to end", () => !isAlive(identity));
    assert.ok(!existsSync(scratch));
  } finally {
    orphan.kill("SIGKILL");
  }
});
