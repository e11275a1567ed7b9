// The cluster that KUBECONFIG names, behind the same interface: nothing is started, and nothing of it can be stopped.
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { SetupError } from "../support/setup-error.ts";
import type { Cluster } from "./cluster.ts";

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly cluster: string } }[];
}

/** The file that KUBECONFIG names, when it is set; SetupError when there is no such file. */
export function givenKubeconfig(): string | undefined {
  const path = process.env["KUBECONFIG"];
  if (path === undefined || path === "") return undefined;
  if (!existsSync(path)) throw new SetupError(`KUBECONFIG names ${path}, which does not exist.`);
  return path;
}

/** Fault injection and the audit log need a server of our own and are refused with SetupError. */
export function givenCluster(kubeconfigPath: string): Cluster {
  return {
    kubeconfigPath,
    serverUrl: serverUrl(kubeconfigPath),
    dir: "",
    kubeconfigFor: () => kubeconfigPath,
    auditLog: refuse,
    pids: () => ({}),
    stopApiServer: refuseLater,
    killApiServer: refuseLater,
    startApiServer: refuseLater,
    stop: () => Promise.resolve(),
  };
}

function refuse(): never {
  throw new SetupError("this needs a control plane of its own: unset KUBECONFIG.");
}

function refuseLater(): Promise<never> {
  return Promise.resolve().then(refuse);
}

function serverUrl(path: string): string {
  const config = parse(readFileSync(path, "utf8")) as Kubeconfig | null;
  const context = config?.contexts?.find(({ name }) => name === config["current-context"]);
  const cluster = config?.clusters?.find(({ name }) => name === context?.context.cluster);
  if (!cluster) throw new SetupError(`KUBECONFIG names ${path}, which has no current context.`);
  return cluster.cluster.server;
}
