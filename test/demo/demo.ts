// `make demo`: the main job on real parts, shown live, and checked: fifty claims against providers and a pool, in distributed mode
// with a worker killed half way, then everything deleted. Exits 1 when anything is not as it must be.
import { join } from "node:path";
import type { KubeObject } from "../../src/kube/types.ts";
import { GROUP_VERSION, Installation, NAMESPACE } from "../support/installation.ts";
import type { Mode } from "../support/installation.ts";
import { SetupError } from "../support/setup-error.ts";
import { waitFor } from "../support/wait.ts";
import { latencies, table } from "./report.ts";
import type { ClaimTimes } from "./report.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const USERS = "demo";
const CLAIMS = 50;
const POOLED = 10;

interface ClaimStatus {
  readonly ready?: boolean;
  readonly resourceHandle?: { readonly name: string };
  readonly resources?: readonly { readonly reference?: { readonly kind: string; readonly name: string } }[];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function statusOf(object: KubeObject): ClaimStatus {
  return object["status"] ?? {};
}

function mode(): Mode {
  const given = process.env["MODE"] ?? "standalone";
  if (given !== "standalone" && given !== "distributed") throw new SetupError(`MODE must be standalone or distributed, not ${given}.`);
  return given;
}

async function prepare(world: Installation): Promise<void> {
  say("applying namespaces, custom resource, providers and a pool of 10 from examples/");
  await world.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: USERS } });
  await world.applyFiles(join(ROOT, "examples", "crds"));
  await world.applyFiles(join(ROOT, "examples", "providers"));
  await world.applyFiles(join(ROOT, "examples", "pools", "notebooks.yaml"));
  await waitFor(
    "ten ready pool handles",
    async () => {
      const handles = await world.list("ResourceHandle", NAMESPACE);
      return handles.filter((handle) => statusOf(handle).ready === true).length >= POOLED;
    },
    { timeoutMs: 60_000 },
  );
}

/** Created → bound → ready of every claim, as a watch of the claims sees it. */
async function observe(world: Installation, times: Map<string, ClaimTimes>, signal: AbortSignal): Promise<void> {
  const kind = { apiVersion: GROUP_VERSION, kind: "ResourceClaim" };
  let resourceVersion = "";
  for await (const page of world.client.list(kind, { namespace: USERS })) resourceVersion = page.resourceVersion;
  for await (const event of world.client.watch(kind, { namespace: USERS, resourceVersion, signal })) {
    if (event.type === "BOOKMARK") continue;
    const claim = times.get(event.object.metadata.name ?? "");
    const status = statusOf(event.object);
    if (claim && status.resourceHandle) claim.boundAt ??= performance.now();
    if (claim && status.ready === true) claim.readyAt ??= performance.now();
  }
}

async function createClaims(world: Installation, times: Map<string, ClaimTimes>, numbers: readonly number[]): Promise<void> {
  await Promise.all(
    numbers.map(async (number) => {
      const name = `notebook-${String(number).padStart(2, "0")}`;
      const size = number <= POOLED ? "small" : "medium";
      times.set(name, { name, createdAt: performance.now() });
      await world.apply({
        apiVersion: GROUP_VERSION,
        kind: "ResourceClaim",
        metadata: { name, namespace: USERS },
        spec: { provider: { name: "notebook", parameterValues: { size, greeting: `hello ${number}` } } },
      });
    }),
  );
}

async function untilReady(times: ReadonlyMap<string, ClaimTimes>, count: number): Promise<void> {
  let shown = -1;
  await waitFor(
    `${count} ready claims`,
    () => {
      const ready = [...times.values()].filter((claim) => claim.readyAt !== undefined).length;
      const bound = [...times.values()].filter((claim) => claim.boundAt !== undefined).length;
      if (ready !== shown) say(`  ${times.size} claims, ${bound} bound, ${ready} ready`);
      shown = ready;
      return ready >= count;
    },
    { timeoutMs: 90_000, intervalMs: 100 },
  );
}

async function killWorker(world: Installation): Promise<void> {
  const worker = world.roles.find(({ role }) => role === "worker");
  if (!worker) return;
  say(`killing worker process ${worker.child.pid} with SIGKILL in the middle of it`);
  await world.kill(worker);
}

async function checkServed(world: Installation): Promise<void> {
  const claims = await world.list("ResourceClaim", USERS);
  const handles = await world.list("ResourceHandle", NAMESPACE);
  const bound = handles.flatMap((handle) => {
    const claim = (handle["spec"] as { resourceClaim?: { name: string } }).resourceClaim;
    return claim ? [`${claim.name} ${handle.metadata.name}`] : [];
  });
  const wanted = claims.map((claim) => `${claim.metadata.name} ${statusOf(claim).resourceHandle?.name}`);
  const wrong = wanted.filter((pair) => !bound.includes(pair));
  if (wrong.length > 0 || bound.length !== CLAIMS)
    throw new Error(`claims and handles do not agree: ${wrong.join(", ")}; ${bound.length} bound handles`);
}

async function deleteAll(world: Installation): Promise<void> {
  say("deleting claims, then the pool");
  for (const claim of await world.list("ResourceClaim", USERS)) {
    await world.client.delete({ apiVersion: GROUP_VERSION, kind: "ResourceClaim", name: claim.metadata.name ?? "", namespace: USERS });
  }
  await world.client.delete({ apiVersion: GROUP_VERSION, kind: "ResourcePool", name: "notebooks", namespace: NAMESPACE });
  await waitFor(
    "nothing to be left",
    async () => {
      const left = [
        ...(await world.list("ResourceClaim", USERS)),
        ...(await world.list("ResourceHandle", NAMESPACE)),
        ...(await world.list("ResourcePool", NAMESPACE)),
        ...(await world.list("ConfigMap", USERS, "v1")).filter(({ metadata }) => metadata.name !== "kube-root-ca.crt"),
      ];
      if (left.length > 0) throw new Error(`${left.length} left, first ${left[0]?.kind}/${left[0]?.metadata.name}`);
      return true;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
  say("nothing is left: no claim, no handle, no pool, no object");
}

async function keep(world: Installation): Promise<void> {
  say(`\nleft running; look around, then press Ctrl-C:
  export KUBECONFIG=${world.cluster.kubeconfigPath}
  kubectl get resourceclaims.poolboy.gpte.redhat.com -n ${USERS}
  kubectl get resourcehandles,resourcepools -n ${NAMESPACE}`);
  for (const { role, port } of world.roles) say(`  curl -s http://127.0.0.1:${port}/metrics | grep poolstream_     # ${role}`);
  if (world.redis) say(`  redis-cli -p ${world.redis.port} XINFO GROUPS 'ps:{resourceclaims:0}:urgent'`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

async function run(world: Installation): Promise<void> {
  await prepare(world);
  const times = new Map<string, ClaimTimes>();
  const watching = new AbortController();
  const observer = observe(world, times, watching.signal).catch(() => undefined);
  say(`creating ${CLAIMS} claims`);
  const started = performance.now();
  const half = Array.from({ length: CLAIMS / 2 }, (_, index) => index + 1);
  await createClaims(world, times, half);
  if (world.mode === "distributed") await killWorker(world);
  await createClaims(
    world,
    times,
    half.map((number) => number + CLAIMS / 2),
  );
  await untilReady(times, CLAIMS);
  const seconds = (performance.now() - started) / 1000;
  await checkServed(world);
  watching.abort();
  await observer;
  const claims = await world.list("ResourceClaim", USERS);
  say(
    table(
      claims.map((claim) => ({
        claim: claim.metadata.name ?? "",
        handle: statusOf(claim).resourceHandle?.name ?? "",
        objects: (statusOf(claim).resources ?? []).map(({ reference }) => `${reference?.kind}/${reference?.name}`).join(" "),
        times: times.get(claim.metadata.name ?? ""),
      })),
    ),
  );
  say(latencies([...times.values()], seconds));
  if (process.env["KEEP"] === "1") await keep(world);
  await deleteAll(world);
}

async function main(): Promise<void> {
  const chosen = mode();
  say(
    `Poolstream demo, ${chosen}: starting the control plane${chosen === "distributed" ? ", redis-server, controller, two workers and beat" : " and one process, no Redis"}`,
  );
  const world = await Installation.start({
    mode: chosen,
    workers: 2,
    cluster: { controllerManager: true },
    program: join(ROOT, "dist", "main.js"),
  });
  try {
    await run(world);
  } finally {
    await world.stop();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `demo failed: ${error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = 1;
}
