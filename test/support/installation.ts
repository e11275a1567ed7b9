// A whole installation as a user has it: CRDs applied, an operator namespace, and the roles as real processes.
// The same for both modes, so that every integration suite runs its files in standalone and in distributed mode.
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { createApiClient } from "../../src/kube/api-client.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { ConflictError, NotFoundError, TooManyRequestsError } from "../../src/kube/errors.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { createLogger } from "../../src/runtime/log.ts";
import { startCluster } from "../cluster/cluster.ts";
import type { Cluster, ClusterOptions } from "../cluster/cluster.ts";
import { startChild, stopChild, freePorts } from "./child.ts";
import { startRedis } from "./redis.ts";
import type { RedisServer } from "./redis.ts";
import { waitFor } from "./wait.ts";

const ROOT = join(import.meta.dirname, "..", "..");
export const NAMESPACE = "poolstream";
export const GROUP_VERSION = "poolboy.gpte.redhat.com/v1";
export type Mode = "standalone" | "distributed";

export interface InstallationOptions {
  readonly mode: Mode;
  readonly workers?: number;
  readonly cluster?: ClusterOptions;
  /** Further settings of every role, as environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run the compiled program instead of the sources. */
  readonly program?: string;
}

export interface RunningRole {
  readonly role: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly logFile: string;
  log(): readonly Record<string, unknown>[];
}

export class Installation {
  readonly mode: Mode;
  readonly cluster: Cluster;
  readonly redis: RedisServer | undefined;
  readonly client: KubeClient & { close(): Promise<void> };
  readonly roles: RunningRole[] = [];
  readonly #options: InstallationOptions;
  readonly #dir = mkdtempSync(join(tmpdir(), "poolstream-install-"));

  private constructor(options: InstallationOptions, cluster: Cluster, redis: RedisServer | undefined) {
    this.#options = options;
    this.mode = options.mode;
    this.cluster = cluster;
    this.redis = redis;
    this.client = createApiClient({
      kubeconfig: cluster.kubeconfigFor("test"),
      userAgent: "poolstream-test-user/1",
      maxSockets: 32,
      requestTimeoutMs: 30_000,
      clock: systemClock,
      log: createLogger({ level: "error", role: "test" }),
    });
  }

  /** Control plane, CRDs, namespace, and every role ready. */
  static async start(options: InstallationOptions): Promise<Installation> {
    const cluster = await startCluster(options.cluster);
    const redis = options.mode === "distributed" ? await startRedis() : undefined;
    const installation = new Installation(options, cluster, redis);
    await installation.applyFiles(join(ROOT, "manifests", "crds"));
    await installation.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    if (options.mode === "standalone") await installation.startRole("standalone");
    else {
      await installation.startRole("controller");
      for (let index = 0; index < (options.workers ?? 2); index += 1) await installation.startRole("worker");
      await installation.startRole("beat");
    }
    return installation;
  }

  /** Starts one more process of a role and waits until it says that it is ready. */
  async startRole(role: string): Promise<RunningRole> {
    const [port = 0] = await freePorts(1);
    const logFile = join(this.#dir, `${role}-${port}.log`);
    const program = this.#options.program ?? join(ROOT, "src", "main.ts");
    const { HOSTNAME: _, ...inherited } = process.env;
    const child = startChild(process.execPath, [program, role], {
      logFile,
      env: {
        ...inherited,
        KUBECONFIG: this.cluster.kubeconfigFor(role),
        OPERATOR_NAMESPACE: NAMESPACE,
        ...(this.redis ? { REDIS_URL: this.redis.url } : {}),
        POOLSTREAM_HTTP_PORT: String(port),
        POOLSTREAM_HTTP_HOST: "127.0.0.1",
        POOLSTREAM_LOG_LEVEL: "info",
        ...this.#options.env,
      },
    });
    const running: RunningRole = {
      role,
      child,
      port,
      logFile,
      log: () =>
        readFileSync(logFile, "utf8")
          .split("\n")
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as Record<string, unknown>),
    };
    this.roles.push(running);
    await waitFor(
      `${role} to be ready`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${role} ended with ${child.exitCode}: ${readFileSync(logFile, "utf8").slice(-2000)}`);
        return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
      },
      { timeoutMs: 20_000 },
    );
    return running;
  }

  /** SIGKILL. */
  async kill(role: RunningRole): Promise<void> {
    await stopChild(role.child, "SIGKILL");
    this.roles.splice(this.roles.indexOf(role), 1);
  }

  /** SIGTERM; the exit code. */
  async stopRole(role: RunningRole): Promise<number | undefined> {
    this.roles.splice(this.roles.indexOf(role), 1);
    return stopChild(role.child);
  }

  /** Creates, or merge-patches what exists; waits while a new CRD's storage is not served yet. */
  async apply(object: KubeObject): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object;
    const ref = { apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace };
    return waitFor(
      `${kind} ${metadata.name} to be accepted`,
      async () => {
        try {
          return await this.client.create(object);
        } catch (error) {
          if (error instanceof ConflictError) return this.client.patch(ref, { type: "merge", body: { ...object } });
          if (error instanceof NotFoundError || error instanceof TooManyRequestsError) return undefined;
          throw error;
        }
      },
      { timeoutMs: 30_000 },
    );
  }

  /** Every YAML document below a folder, or of one file; custom resources wait for their CRDs. */
  async applyFiles(path: string): Promise<KubeObject[]> {
    const files = path.endsWith(".yaml")
      ? [path]
      : readdirSync(path)
          .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml")
          .toSorted()
          .map((name) => join(path, name));
    const applied: KubeObject[] = [];
    for (const file of files) {
      for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
        const object = document.toJS() as KubeObject | null;
        if (object) applied.push(await this.apply(object));
      }
    }
    return applied;
  }

  /** An object of our group, or undefined when it is gone. */
  async get(
    kind: string,
    name: string,
    namespace: string = NAMESPACE,
    apiVersion: string = GROUP_VERSION,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.client.get({ apiVersion, kind, name, namespace });
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async list(kind: string, namespace?: string, apiVersion: string = GROUP_VERSION): Promise<KubeObject[]> {
    const items: KubeObject[] = [];
    for await (const page of this.client.list({ apiVersion, kind }, { namespace })) items.push(...page.items);
    return items;
  }

  async stop(): Promise<void> {
    await Promise.all(this.roles.splice(0).map((role) => stopChild(role.child)));
    await this.client.close();
    await this.redis?.stop();
    await this.cluster.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
