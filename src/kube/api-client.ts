// KubeClient over a real API server: paths, paging and patches on http.ts, kinds by discovery.ts, watches by watch.ts.
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { CallOptions, DeleteOptions, KubeClient, ListOptions, ListPage, PatchOptions, WatchOptions } from "./client.ts";
import { loadCredentials } from "./credentials.ts";
import { Discovery, groupPath } from "./discovery.ts";
import type { ResourceInfo } from "./discovery.ts";
import { NotFoundError } from "./errors.ts";
import { Http } from "./http.ts";
import type { KindRef, KubeObject, ObjectRef, Patch, WatchEvent } from "./types.ts";
import { watchOnce } from "./watch.ts";

const PAGE_SIZE = 500;

export interface ApiClientOptions {
  /** Kubeconfig file; absent = the pod's service account. */
  readonly kubeconfig?: string | undefined;
  readonly userAgent: string;
  readonly maxSockets: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Throws ConfigError when there are no credentials; makes no request yet. */
export function createApiClient(options: ApiClientOptions): KubeClient & { close(): Promise<void> } {
  return new ApiClient(options);
}

class ApiClient implements KubeClient {
  readonly #http: Http;
  readonly #discovery: Discovery;
  readonly #log: Logger;

  constructor(options: ApiClientOptions) {
    this.#http = new Http({ ...options, credentials: loadCredentials(options.kubeconfig) });
    this.#discovery = new Discovery((path) => this.#http.json({ method: "GET", path }), options.clock);
    this.#log = options.log;
  }

  async get(ref: ObjectRef, options: CallOptions = {}): Promise<KubeObject> {
    return this.#object({ method: "GET", path: await this.#path(ref), signal: options.signal });
  }

  async *list(kind: KindRef, options: ListOptions = {}): AsyncGenerator<ListPage> {
    const path = await this.#collection(kind, options.namespace);
    let token = "";
    do {
      const query = new URLSearchParams({ limit: String(options.limit ?? PAGE_SIZE) });
      if (options.labelSelector !== undefined) query.set("labelSelector", options.labelSelector);
      if (token !== "") query.set("continue", token);
      const list = (await this.#http.json({ method: "GET", path: `${path}?${query.toString()}`, signal: options.signal })) as ObjectList;
      // Items of a list carry neither apiVersion nor kind.
      yield { items: list.items.map((item) => ({ ...item, ...kind })), resourceVersion: list.metadata.resourceVersion };
      token = list.metadata.continue ?? "";
    } while (token !== "");
  }

  async create(object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    const path = await this.#collection(object, object.metadata.namespace);
    return this.#object({ method: "POST", path, body: object, signal: options.signal });
  }

  async patch(ref: ObjectRef, patch: Patch, options: PatchOptions = {}): Promise<KubeObject> {
    const body = patch.type === "json" ? patch.operations : patch.body;
    return this.#object({
      method: "PATCH",
      path: await this.#path(ref, options.subresource),
      body,
      signal: options.signal,
      contentType: patch.type === "json" ? "application/json-patch+json" : "application/merge-patch+json",
    });
  }

  async replace(object: KubeObject, options: PatchOptions = {}): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object;
    const ref = { apiVersion, kind, namespace: metadata.namespace, name: metadata.name ?? "" };
    return this.#object({ method: "PUT", path: await this.#path(ref, options.subresource), body: object, signal: options.signal });
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const preconditions = options.uid === undefined ? {} : { preconditions: { uid: options.uid } };
    const body = {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: options.propagationPolicy ?? "Background",
      ...preconditions,
    };
    await this.#http.json({ method: "DELETE", path: await this.#path(ref), body, signal: options.signal });
  }

  async *watch(kind: KindRef, options: WatchOptions): AsyncGenerator<WatchEvent> {
    const path = await this.#collection(kind, options.namespace);
    yield* watchOnce({ http: this.#http, path, kind, log: this.#log, options });
  }

  async discover(kind: KindRef): Promise<ResourceInfo | undefined> {
    return this.#discovery.find(kind);
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #object(call: Parameters<Http["json"]>[0]): Promise<KubeObject> {
    return (await this.#http.json(call)) as KubeObject;
  }

  async #collection(kind: KindRef, namespace: string | undefined): Promise<string> {
    const info = await this.#discovery.find(kind);
    if (!info)
      throw new NotFoundError("PS_KUBE_UNKNOWN_KIND", `the API server has no kind ${kind.kind} in ${kind.apiVersion}`, { status: 404 });
    const scope = info.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
    return `${groupPath(kind.apiVersion)}${scope}/${info.plural}`;
  }

  async #path(ref: ObjectRef, subresource?: string): Promise<string> {
    const path = `${await this.#collection(ref, ref.namespace)}/${encodeURIComponent(ref.name)}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }
}

interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}
