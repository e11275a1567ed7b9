// Files and command lines of the three programs; cluster.ts runs them.
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { auditPolicy } from "./audit.ts";
import type { AuditLevel } from "./audit.ts";

export interface Layout {
  readonly dir: string;
  readonly ports: { readonly etcd: number; readonly peer: number; readonly api: number; readonly manager: number };
  /** Token of each user. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly audit: AuditLevel | undefined;
}

export const ADMIN = "admin";
export const MANAGER = "kube-controller-manager";

export function auditPath(layout: Layout): string {
  return join(layout.dir, "audit.log");
}

/** Everything that the programs read, and an empty audit log, so that reading it never fails. */
export function writeFiles(layout: Layout): void {
  const write = (name: string, content: string): void => writeFileSync(join(layout.dir, name), content, { mode: 0o600 });
  mkdirSync(join(layout.dir, "certs"), { recursive: true });
  write("tokens.csv", [...layout.tokens].map(([user, token]) => `${token},${user},${user},"system:masters"\n`).join(""));
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  write("sa.key", privateKey.export({ type: "pkcs1", format: "pem" }).toString());
  write("sa.pub", publicKey.export({ type: "spki", format: "pem" }).toString());
  write("audit-policy.yaml", JSON.stringify(auditPolicy(layout.audit)));
  if (layout.audit !== undefined) write("audit.log", "");
}

/** The API server signs a certificate of its own at its first start; its authority is the last in the file. */
export function authority(layout: Layout): string | undefined {
  const path = join(layout.dir, "certs", "apiserver.crt");
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Writes the kubeconfig of a user and returns its path. JSON is YAML. */
export function writeKubeconfig(layout: Layout, user: string): string {
  const path = join(layout.dir, `${user}.kubeconfig`);
  const data = Buffer.from(authority(layout) ?? "").toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "local",
    clusters: [{ name: "local", cluster: { server: `https://127.0.0.1:${layout.ports.api}`, "certificate-authority-data": data } }],
    users: [{ name: user, user: { token: layout.tokens.get(user) } }],
    contexts: [{ name: "local", context: { cluster: "local", user } }],
  };
  writeFileSync(path, JSON.stringify(config, null, 1), { mode: 0o600 });
  return path;
}

export function etcdFlags({ dir, ports }: Layout): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.peer}`;
  return [
    `--data-dir=${join(dir, "etcd")}`,
    "--unsafe-no-fsync",
    "--log-level=error",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
}

export function apiServerFlags(layout: Layout): string[] {
  const { dir, ports } = layout;
  // One file for ever: the reader does not follow rotation.
  const audit = [
    `--audit-policy-file=${join(dir, "audit-policy.yaml")}`,
    `--audit-log-path=${auditPath(layout)}`,
    "--audit-log-maxsize=100000",
  ];
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    "--etcd-compaction-interval=0",
    `--secure-port=${ports.api}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--cert-dir=${join(dir, "certs")}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--endpoint-reconciler-type=none",
    `--token-auth-file=${join(dir, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    `--service-account-key-file=${join(dir, "sa.pub")}`,
    `--service-account-signing-key-file=${join(dir, "sa.key")}`,
    "--service-account-issuer=https://poolstream.test",
    // No node runs pods here, and without a controller manager no namespace has the service account that pods would need.
    "--disable-admission-plugins=ServiceAccount",
    // Load tests should meet our own limits first.
    "--max-requests-inflight=800",
    "--max-mutating-requests-inflight=400",
    ...(layout.audit === undefined ? [] : audit),
  ];
}

export function managerFlags(layout: Layout): string[] {
  return [
    `--kubeconfig=${writeKubeconfig(layout, MANAGER)}`,
    "--leader-elect=false",
    `--secure-port=${layout.ports.manager}`,
    "--bind-address=127.0.0.1",
    `--service-account-private-key-file=${join(layout.dir, "sa.key")}`,
    "--controllers=*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle",
  ];
}
