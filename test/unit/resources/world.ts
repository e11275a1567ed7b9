// A small API server in memory for the passes of single kinds: objects, JSON and merge patches with `test`, resource versions,
// finalizers, uid preconditions. It answers failed patches as the real one does. Everything a pass sent is in `requests`.
import { createNoCache } from "../../../src/cache/no-cache.ts";
import type { CallOptions, DeleteOptions, KubeClient, ListOptions, ListPage, PatchOptions } from "../../../src/kube/client.ts";
import { kubeError } from "../../../src/kube/errors.ts";
import { deepMerge, equal } from "../../../src/kube/patch.ts";
import type { KindRef, KubeObject, ObjectRef, Patch, PatchOperation } from "../../../src/kube/types.ts";
import type { Context, KindName, Mapped } from "../../../src/resources/kind.ts";
import { createLogger } from "../../../src/runtime/log.ts";
import { createTemplating } from "../../../src/templating/engine.ts";

export const DOMAIN = "poolboy.gpte.redhat.com";
export const NS = "poolstream";
export const START = Date.UTC(2031, 2, 4, 10, 0, 0);
const KINDS: readonly KindName[] = [
  "resourceclaims",
  "resourcehandles",
  "resourcepools",
  "resourcepoolscalings",
  "resourceproviders",
  "resourcewatches",
];

type Content = Record<string, unknown>;
const clone = <T>(value: T): T => structuredClone(value);
const keyOf = (ref: ObjectRef): string => `${ref.kind} ${ref.namespace ?? ""}/${ref.name}`;

export class World implements KubeClient {
  readonly objects = new Map<string, KubeObject>();
  readonly requests: string[] = [];
  readonly enqueued: Mapped[] = [];
  readonly unknownKinds = new Set<string>();
  now = START;
  /** Runs before a request is answered; throws to make it fail, or changes the world as somebody else would. */
  before: (request: string) => void = () => undefined;
  /** Runs after a request took effect and before its answer arrives. */
  after: (request: string) => void = () => undefined;
  #version = 0;

  readonly context: Context = {
    client: this,
    cache: createNoCache(),
    templating: createTemplating({ defaultStyle: "handlebars", clock: { now: () => this.now, monotonic: () => this.now } }),
    settings: {
      domain: DOMAIN,
      version: "v1",
      namespace: NS,
      templateStyle: "handlebars",
      instance: "test",
      manageIntervalMs: Object.fromEntries(KINDS.map((kind) => [kind, 60_000])) as Record<KindName, number>,
    },
    clock: { now: () => this.now, monotonic: () => this.now },
    log: createLogger({ level: "silent", role: "test" }),
    signal: new AbortController().signal,
    enqueue: (keys) => Promise.resolve(void this.enqueued.push(...keys)),
  };

  /** Puts an object in, complete with status. */
  put(object: KubeObject): KubeObject {
    const { metadata } = object;
    const stored = {
      ...clone(object),
      metadata: { uid: `uid-${metadata.name}`, creationTimestamp: this.stamp(), ...clone(metadata), resourceVersion: this.next() },
    };
    this.objects.set(keyOf({ ...object, name: metadata.name ?? "", namespace: metadata.namespace }), stored);
    return clone(stored);
  }

  ours(kind: string, name: string, body: Content = {}, metadata: Content = {}): KubeObject {
    return this.put({ apiVersion: `${DOMAIN}/v1`, kind, metadata: { name, namespace: NS, ...metadata }, ...body });
  }

  find(kind: string, name: string, namespace: string | undefined = NS): KubeObject | undefined {
    const found = this.objects.get(keyOf({ apiVersion: "", kind, name, namespace }));
    return found && clone(found);
  }

  all(kind: string): KubeObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind).map(clone);
  }

  next(): string {
    this.#version += 1;
    return String(this.#version);
  }

  stamp(): string {
    return `${new Date(this.now).toISOString().slice(0, 19)}Z`;
  }

  async get(ref: ObjectRef): Promise<KubeObject> {
    return this.#answer(`GET ${keyOf(ref)}`, () => clone(this.#stored(ref)));
  }

  async *list(kind: KindRef, options: ListOptions = {}): AsyncGenerator<ListPage> {
    yield await this.#answer(`LIST ${kind.kind}`, () => {
      const wanted = (options.labelSelector ?? "")
        .split(",")
        .filter((part) => part !== "")
        .map((part) => part.split("="));
      const items = this.all(kind.kind)
        .filter(({ metadata }) => options.namespace === undefined || metadata.namespace === options.namespace)
        .filter(({ metadata }) => wanted.every(([label = "", value]) => metadata.labels?.[label] === value));
      return { items, resourceVersion: String(this.#version) };
    });
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const ref = { ...object, name: object.metadata.name ?? "", namespace: object.metadata.namespace };
    return this.#answer(`POST ${keyOf(ref)}`, () => {
      if (this.unknownKinds.has(object.kind)) throw kubeError("no such kind", { status: 404 });
      if (this.objects.has(keyOf(ref))) throw kubeError(`${keyOf(ref)} already exists`, { status: 409 });
      return this.put({ ...object, metadata: { ...object.metadata, uid: `uid-${ref.name}-${this.next()}` } });
    });
  }

  async patch(ref: ObjectRef, patch: Patch, options: PatchOptions = {}): Promise<KubeObject> {
    return this.#answer(`PATCH ${keyOf(ref)}${options.subresource === undefined ? "" : " status"}`, () => {
      const old = this.#stored(ref);
      const changed = patch.type === "merge" ? this.#merged(old, patch.body) : applied(clone(old), patch.operations);
      const status = old["status"] === undefined ? {} : { status: old["status"] };
      const { status: _, ...main } = changed;
      return this.#store(
        ref,
        (options.subresource === "status" ? { ...old, status: changed["status"] } : { ...main, ...status }) as unknown as KubeObject,
      );
    });
  }

  async replace(): Promise<KubeObject> {
    throw new Error("no pass replaces");
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    await this.#answer(`DELETE ${keyOf(ref)}`, () => {
      const old = this.#stored(ref);
      if (options.uid !== undefined && old.metadata.uid !== options.uid) throw kubeError("another uid", { status: 409 });
      if ((old.metadata.finalizers ?? []).length === 0) this.objects.delete(keyOf(ref));
      else if (old.metadata.deletionTimestamp === undefined)
        this.#store(ref, { ...old, metadata: { ...old.metadata, deletionTimestamp: this.stamp() } });
    });
  }

  watch(_kind: KindRef, _options: CallOptions): never {
    throw new Error("no pass watches");
  }

  discover({ kind }: KindRef): Promise<{ plural: string; namespaced: boolean } | undefined> {
    return Promise.resolve(this.unknownKinds.has(kind) ? undefined : { plural: `${kind.toLowerCase()}s`, namespaced: true });
  }

  async #answer<T>(request: string, act: () => T): Promise<T> {
    this.requests.push(request);
    await Promise.resolve();
    this.before(request);
    const answer = act();
    this.after(request);
    return answer;
  }

  #stored(ref: ObjectRef): KubeObject {
    const found = this.objects.get(keyOf(ref));
    if (!found || this.unknownKinds.has(ref.kind)) throw kubeError(`${keyOf(ref)} not found`, { status: 404 });
    return found;
  }

  #merged(old: KubeObject, body: Content): Content {
    const version = (body["metadata"] as { readonly resourceVersion?: string } | undefined)?.resourceVersion;
    if (version !== undefined && version !== old.metadata.resourceVersion) throw kubeError("the object has been modified", { status: 409 });
    return deepMerge(old, body) as Content;
  }

  #store(ref: ObjectRef, object: KubeObject): KubeObject {
    const old = this.#stored(ref);
    const stored = equal(object, old) ? old : { ...clone(object), metadata: { ...object.metadata, resourceVersion: this.next() } };
    const gone = stored.metadata.deletionTimestamp !== undefined && (stored.metadata.finalizers ?? []).length === 0;
    if (gone) this.objects.delete(keyOf(ref));
    else this.objects.set(keyOf(ref), stored);
    return clone(stored);
  }
}

function applied(root: KubeObject, operations: readonly PatchOperation[]): Content {
  const content: Content = { ...root };
  for (const operation of operations) apply(content, operation);
  return content;
}

function apply(root: Content, operation: PatchOperation): void {
  const segments = operation.path
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = segments.pop() ?? "";
  const parent = parentOf(root, segments);
  if (operation.op === "test") {
    if (!equal(parent[last] ?? null, operation.value ?? null)) throw refused(`testing value ${operation.path} failed: test failed`);
    return;
  }
  if (operation.op !== "add" && !Object.hasOwn(parent, last)) throw refused(`missing path ${operation.path}`);
  if (Array.isArray(parent)) spliced(parent, Number(last), operation);
  else if (operation.op === "remove") delete parent[last];
  else parent[last] = clone(operation.value);
}

function parentOf(root: Content, segments: readonly string[]): Content {
  const parent = segments.reduce<unknown>((value, segment) => (value as Content | undefined)?.[segment], root);
  if (typeof parent !== "object" || parent === null) throw refused(`missing path /${segments.join("/")}`);
  return parent as Content;
}

function spliced(list: unknown[], index: number, operation: PatchOperation): void {
  list.splice(index, operation.op === "add" ? 0 : 1, ...("value" in operation ? [clone(operation.value)] : []));
}

function refused(why: string): Error {
  return kubeError(`the server rejected our request due to an error in our request: ${why}`, { status: 422 });
}
