// Where the API server is and how to prove who we are: client-node's KubeConfig, which knows kubeconfig files, in-cluster
// tokens (re-read each minute) and exec plugins. Nothing else of client-node is used: it opens a TLS connection per call.
import { KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";
import { ConfigError, messageOf } from "../runtime/errors.ts";

export interface TlsOptions {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface Credentials {
  /** `https://host:port`, without a path at the end. */
  readonly server: string;
  tls(): Promise<TlsOptions>;
  /** Authorization and whatever else the user entry asks for; asked before each request, cheap. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** From a file, or from the pod's service account; ConfigError names KUBECONFIG when there is neither. */
export function loadCredentials(kubeconfig: string | undefined): Credentials {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new ConfigError("PS_CONFIG_KUBECONFIG", `no access to a cluster: set KUBECONFIG, or run in a pod (${messageOf(error)})`, {
      cause: error,
    });
  }
  const cluster = config.getCurrentCluster();
  // Outside a pod client-node makes an address of missing variables instead of saying so.
  if (cluster?.server.includes("undefined") === true)
    throw new ConfigError("PS_CONFIG_KUBECONFIG", "no access to a cluster: set KUBECONFIG, or run in a pod");
  if (!cluster) throw new ConfigError("PS_CONFIG_KUBECONFIG", "the file that KUBECONFIG names has no current context");
  const read = (): Promise<RequestOptions> => applied(config);
  return {
    server: cluster.server.replace(/\/+$/u, ""),
    tls: async () => {
      const { ca, cert, key, rejectUnauthorized } = await read();
      return { ca, cert, key, rejectUnauthorized } as TlsOptions;
    },
    headers: async () => textHeaders((await read()).headers ?? {}),
  };
}

async function applied(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return options;
}

function textHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
