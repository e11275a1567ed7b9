// A real control plane on loopback: etcd, kube-apiserver and, on request, kube-controller-manager, with data in a temporary
// folder. Several stand side by side; nothing outlives the process that started them (support/child.ts).
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, startChild, stopChild } from "../support/child.ts";
import { waitFor } from "../support/wait.ts";
import { ensureBinaries, SetupError } from "./binaries.ts";
import type { Binaries } from "./binaries.ts";

export interface ClusterOptions {
  /** Level of the API audit log; absent = none. */
  readonly audit?: "Metadata" | "Request" | "RequestResponse";
  readonly controllerManager?: boolean;
}

export interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly userAgent: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

export interface Cluster {
  /** Kubeconfig of user `admin`, group system:masters. */
  readonly kubeconfig: string;
  /** Kubeconfig of another system:masters user, so that the audit log attributes its requests. */
  kubeconfigFor(user: string): string;
  /** Completed requests, in order; throws unless `audit` was asked for. */
  auditLog(): readonly AuditEvent[];
  /** SIGKILL of the API server alone; `startApiServer` brings it back on the same data and port. */
  killApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

const USERS = ["admin", "controller", "worker", "beat", "standalone", "test"] as const;

/** KUBECONFIG given: that cluster, and nothing is started. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const given = process.env["KUBECONFIG"];
  return given === undefined || given === "" ? new LocalCluster(options, await ensureBinaries()).start() : givenCluster(given);
}

function givenCluster(kubeconfig: string): Cluster {
  if (!existsSync(kubeconfig)) throw new SetupError(`KUBECONFIG names ${kubeconfig}, which does not exist.`);
  const refuse = (): never => {
    throw new SetupError("this needs a control plane of its own: unset KUBECONFIG.");
  };
  return {
    kubeconfig, kubeconfigFor: () => kubeconfig, auditLog: refuse,
    killApiServer: () => Promise.resolve().then(refuse), startApiServer: () => Promise.resolve().then(refuse), stop: () => Promise.resolve(),
  };
}

class LocalCluster implements Cluster {
  readonly #options: ClusterOptions;
  readonly #binaries: Binaries;
  readonly #dir = mkdtempSync(join(tmpdir(), "poolstream-cluster-"));
  readonly #tokens = new Map<string, string>(USERS.map((user) => [user, randomBytes(16).toString("hex")]));
  readonly #children = new Map<string, ChildProcess>();
  #ports: { readonly etcd: number; readonly peer: number; readonly api: number; readonly manager: number } = { etcd: 0, peer: 0, api: 0, manager: 0 };

  constructor(options: ClusterOptions, binaries: Binaries) {
    this.#options = options;
    this.#binaries = binaries;
  }

  get kubeconfig(): string {
    return this.kubeconfigFor("admin");
  }

  async start(): Promise<this> {
    const [etcd = 0, peer = 0, api = 0, manager = 0] = await freePorts(4);
    this.#ports = { etcd, peer, api, manager };
    this.#writeFiles();
    this.#spawn("etcd", [
      "--data-dir", join(this.#dir, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
      "--listen-client-urls", `http://127.0.0.1:${etcd}`, "--advertise-client-urls", `http://127.0.0.1:${etcd}`,
      "--listen-peer-urls", `http://127.0.0.1:${peer}`,
    ]);
    await this.startApiServer();
    if (this.#options.controllerManager === true) this.#spawn("kube-controller-manager", this.#managerArgs());
    return this;
  }

  async startApiServer(): Promise<void> {
    this.#spawn("kube-apiserver", this.#apiServerArgs());
    await waitFor("the API server to be ready", () => this.#ready(), { timeoutMs: 60_000, intervalMs: 100 });
  }

  async killApiServer(): Promise<void> {
    await this.#stopOne("kube-apiserver", "SIGKILL");
  }

  kubeconfigFor(user: string): string {
    const token = this.#tokens.get(user);
    if (token === undefined) throw new Error(`no such user: ${user}; known: ${USERS.join(", ")}`);
    const path = join(this.#dir, `${user}.kubeconfig`);
    const config = {
      apiVersion: "v1", kind: "Config", "current-context": "local",
      clusters: [{ name: "local", cluster: { server: `https://127.0.0.1:${this.#ports.api}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: "local", context: { cluster: "local", user } }],
    };
    writeFileSync(path, JSON.stringify(config, null, 1));
    return path;
  }

  auditLog(): readonly AuditEvent[] {
    if (this.#options.audit === undefined) throw new Error("start the cluster with `audit` to read its audit log");
    const text = readFileSync(join(this.#dir, "audit.log"), "utf8");
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as AuditEvent);
  }

  async stop(): Promise<void> {
    for (const name of ["kube-controller-manager", "kube-apiserver", "etcd"]) await this.#stopOne(name, "SIGTERM");
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #spawn(name: keyof Binaries, args: readonly string[]): void {
    this.#children.set(name, startChild(this.#binaries[name], args, { logFile: join(this.#dir, `${name}.log`) }));
  }

  async #stopOne(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child) await stopChild(child, signal, 5000);
  }

  #writeFiles(): void {
    mkdirSync(join(this.#dir, "certs"), { recursive: true });
    const tokens = [...this.#tokens].map(([user, token]) => `${token},${user},${user},"system:masters"`).join("\n");
    writeFileSync(join(this.#dir, "tokens.csv"), `${tokens}\n`);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(join(this.#dir, "sa.key"), privateKey.export({ type: "pkcs1", format: "pem" }));
    writeFileSync(join(this.#dir, "sa.pub"), publicKey.export({ type: "spki", format: "pem" }));
    const policy = { apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived", "ResponseStarted", "Panic"], rules: [{ level: this.#options.audit ?? "None" }] };
    writeFileSync(join(this.#dir, "audit-policy.yaml"), JSON.stringify(policy));
  }

  #apiServerArgs(): string[] {
    const file = (name: string): string => join(this.#dir, name);
    const audit = this.#options.audit === undefined ? [] : ["--audit-policy-file", file("audit-policy.yaml"), "--audit-log-path", file("audit.log")];
    return [
      "--etcd-servers", `http://127.0.0.1:${this.#ports.etcd}`, "--secure-port", String(this.#ports.api), "--bind-address", "127.0.0.1",
      "--advertise-address", "127.0.0.1", "--cert-dir", file("certs"), "--service-cluster-ip-range", "10.0.0.0/24",
      "--token-auth-file", file("tokens.csv"), "--authorization-mode", "RBAC", "--service-account-key-file", file("sa.pub"),
      "--service-account-signing-key-file", file("sa.key"), "--service-account-issuer", "https://poolstream.test",
      "--endpoint-reconciler-type", "none", "--disable-admission-plugins", "ServiceAccount",
      "--max-requests-inflight", "800", "--max-mutating-requests-inflight", "400", ...audit,
    ];
  }

  #managerArgs(): string[] {
    return [
      "--kubeconfig", this.kubeconfig, "--leader-elect=false", "--secure-port", String(this.#ports.manager), "--bind-address", "127.0.0.1",
      "--service-account-private-key-file", join(this.#dir, "sa.key"), "--controllers", "*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle",
    ];
  }

  // Readiness, and that the first namespace can be read: just after start RBAC and bootstrap hooks still run.
  #ready(): Promise<boolean> {
    const child = this.#children.get("kube-apiserver");
    if (child && child.exitCode !== null) {
      throw new Error(`kube-apiserver ended: ${readFileSync(join(this.#dir, "kube-apiserver.log"), "utf8").slice(-500)}`);
    }
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${this.#tokens.get("admin")}` };
      request({ host: "127.0.0.1", port: this.#ports.api, path: "/readyz", headers, rejectUnauthorized: false, timeout: 1000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      }).once("error", () => resolve(false)).end();
    });
  }
}
