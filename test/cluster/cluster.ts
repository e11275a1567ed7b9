// A real control plane on loopback: etcd, kube-apiserver and, on request, kube-controller-manager, with data in a temporary
// folder. Several stand side by side; nothing outlives the process that started them (support/child.ts).
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { freePorts, isRunning, startChild, stopChild } from "../support/child.ts";
import { makeScratch } from "../support/scratch.ts";
import { GiveUpError, waitFor } from "../support/wait.ts";
import { AuditLog } from "./audit.ts";
import type { AuditEvent, AuditLevel } from "./audit.ts";
import { ensureBinaries } from "./binaries.ts";
import { ADMIN, apiServerFlags, auditPath, authority, etcdFlags, MANAGER, managerFlags, writeFiles, writeKubeconfig } from "./flags.ts";
import type { Layout } from "./flags.ts";
import { givenCluster, givenKubeconfig } from "./given.ts";

export type { AuditEvent, AuditLevel } from "./audit.ts";

export interface ClusterOptions {
  /** Level of the audit log, in either spelling; true = Metadata; absent = none. */
  readonly audit?: boolean | AuditLevel | Uncapitalize<AuditLevel>;
  /** Namespaces are emptied, owned objects collected, service accounts made. */
  readonly controllerManager?: boolean;
  /** Existing folder to make the temporary one in. */
  readonly dir?: string;
  /** Users beside those that are always there: admin, test and one for each role. */
  readonly users?: readonly string[];
}

export interface Cluster {
  /** Kubeconfig of user `admin`; every user is in group system:masters. */
  readonly kubeconfigPath: string;
  readonly serverUrl: string;
  /** Folder with data and one log per program. */
  readonly dir: string;
  /** Path of the kubeconfig of another user, so that the audit log attributes its requests. */
  kubeconfigFor(user: string): string;
  /** Answered requests so far, in order; throws unless `audit` was asked for. */
  auditLog(): readonly AuditEvent[];
  /** Process ids of the running programs. */
  pids(): Readonly<Record<string, number>>;
  /** SIGTERM of the API server alone: watches end in order. */
  stopApiServer(): Promise<void>;
  /** SIGKILL of the API server alone: connections break. */
  killApiServer(): Promise<void>;
  /** Brings the API server back on the same port and data; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Ends everything and removes the folder; safe twice. */
  stop(): Promise<void>;
}

const USERS = [ADMIN, MANAGER, "test", "controller", "worker", "beat", "standalone", "demo"];
const READY_MS = 60_000;
const GRACE_MS = 10_000;

type Program = "etcd" | "kube-apiserver" | "kube-controller-manager";

/** Resolves when the cluster is ready. KUBECONFIG given: that cluster, and nothing is started. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const given = givenKubeconfig();
  if (given !== undefined) return givenCluster(given);
  const programs: Program[] = ["etcd", "kube-apiserver", ...(options.controllerManager === true ? ([MANAGER] as const) : [])];
  const binaries = await ensureBinaries(programs);
  const [etcd = 0, peer = 0, api = 0, manager = 0] = await freePorts(4);
  const users = new Set([...USERS, ...(options.users ?? [])]);
  const cluster = new LocalCluster(binaries, {
    dir: makeScratch("cluster", options.dir),
    ports: { etcd, peer, api, manager },
    tokens: new Map([...users].map((user) => [user, randomBytes(16).toString("hex")])),
    audit: auditLevel(options.audit),
  });
  try {
    await cluster.start(options.controllerManager === true);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function auditLevel(option: ClusterOptions["audit"]): AuditLevel | undefined {
  if (option === undefined || option === false) return undefined;
  return option === true ? "Metadata" : (`${option.charAt(0).toUpperCase()}${option.slice(1)}` as AuditLevel);
}

class LocalCluster implements Cluster {
  readonly serverUrl: string;
  readonly dir: string;
  readonly #binaries: Readonly<Record<Program, string>>;
  readonly #layout: Layout;
  readonly #children = new Map<Program, ChildProcess>();
  readonly #audit: AuditLog | undefined;

  constructor(binaries: Readonly<Record<Program, string>>, layout: Layout) {
    this.#binaries = binaries;
    this.#layout = layout;
    this.dir = layout.dir;
    this.serverUrl = `https://127.0.0.1:${layout.ports.api}`;
    this.#audit = layout.audit === undefined ? undefined : new AuditLog(auditPath(layout));
  }

  get kubeconfigPath(): string {
    return this.kubeconfigFor(ADMIN);
  }

  async start(withManager: boolean): Promise<void> {
    writeFiles(this.#layout);
    this.#spawn("etcd", etcdFlags(this.#layout));
    await this.startApiServer();
    if (!withManager) return;
    this.#spawn(MANAGER, managerFlags(this.#layout));
    await this.#answers(MANAGER, this.#layout.ports.manager, "/healthz");
  }

  async startApiServer(): Promise<void> {
    if (!this.#isUp("kube-apiserver")) this.#spawn("kube-apiserver", apiServerFlags(this.#layout));
    await this.#answers("kube-apiserver", this.#layout.ports.api, "/readyz");
    // The server makes this namespace itself, just after it says that it is ready.
    await this.#answers("kube-apiserver", this.#layout.ports.api, "/api/v1/namespaces/default");
  }

  async stopApiServer(): Promise<void> {
    await this.#end("kube-apiserver", "SIGTERM");
  }

  async killApiServer(): Promise<void> {
    await this.#end("kube-apiserver", "SIGKILL");
  }

  kubeconfigFor(user: string): string {
    const { tokens } = this.#layout;
    if (!tokens.has(user))
      throw new Error(`no such user: ${user}; name it in the option \`users\`; known: ${[...tokens.keys()].join(", ")}`);
    return writeKubeconfig(this.#layout, user);
  }

  auditLog(): readonly AuditEvent[] {
    if (!this.#audit) throw new Error("start the cluster with `audit` to read its audit log");
    return this.#audit.read();
  }

  pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#children].filter(([, child]) => isRunning(child)).map(([name, child]) => [name, child.pid ?? 0]));
  }

  // All at once and without grace: the data goes with the folder.
  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((program) => this.#end(program, "SIGKILL")));
    rmSync(this.dir, { recursive: true, force: true });
  }

  #spawn(program: Program, flags: readonly string[]): void {
    this.#children.set(program, startChild(this.#binaries[program], flags, { logFile: this.#log(program), scratch: this.dir }));
  }

  #isUp(program: Program): boolean {
    const child = this.#children.get(program);
    return child !== undefined && isRunning(child);
  }

  #log(program: Program): string {
    return join(this.dir, `${program}.log`);
  }

  async #end(program: Program, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children.get(program);
    if (child) await stopChild(child, signal, GRACE_MS);
  }

  async #answers(program: Program, port: number, path: string): Promise<void> {
    await waitFor(
      `${program} to answer ${path}`,
      () => {
        for (const needed of ["etcd", program] as const) {
          if (!this.#isUp(needed)) throw new GiveUpError(`${needed} ended: ${readFileSync(this.#log(needed), "utf8").slice(-1000)}`);
        }
        return this.#probe(port, path);
      },
      { timeoutMs: READY_MS },
    );
  }

  #probe(port: number, path: string): Promise<boolean> {
    // The controller manager's certificate is its own and proves nothing to us.
    const trust = port === this.#layout.ports.api ? { ca: authority(this.#layout) } : { rejectUnauthorized: false };
    const headers = { authorization: `Bearer ${this.#layout.tokens.get(ADMIN)}` };
    return new Promise((resolve) => {
      const call = request({ host: "127.0.0.1", port, path, headers, agent: false, timeout: 1000, ...trust }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      call.once("timeout", () => call.destroy());
      call.once("error", () => resolve(false));
      call.end();
    });
  }
}
