// The shared cache of the standalone mode: maps in this process, and the index that the controller keeps complete.
// Also the shape that redis-cache.ts follows.
import type { KubeObject } from "../kube/types.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CacheLookup, ObjectCache } from "./cache.ts";
import { isOlder } from "./version.ts";

export type BucketsOf = (kind: string, object: KubeObject) => readonly string[];

interface Entry {
  readonly object: KubeObject;
  readonly buckets: readonly string[];
}

export function createMemoryCache(bucketsOf: BucketsOf, clock: Clock): ObjectCache {
  return new MemoryCache(bucketsOf, clock);
}

class MemoryCache implements ObjectCache {
  readonly #bucketsOf: BucketsOf;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #buckets = new Map<string, Map<string, KubeObject>>();
  readonly #complete = new Set<string>();
  readonly #reserved = new Map<string, { readonly holder: string; readonly until: number }>();

  constructor(bucketsOf: BucketsOf, clock: Clock) {
    this.#bucketsOf = bucketsOf;
    this.#clock = clock;
  }

  put(kind: string, objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) this.#putOne(kind, object);
    return Promise.resolve();
  }

  #putOne(kind: string, object: KubeObject): void {
    const key = keyOf(kind, object.metadata.namespace ?? "", object.metadata.name ?? "");
    const old = this.#entries.get(key);
    if (old && isOlder(object, old.object)) return;
    this.#drop(kind, key, old);
    const buckets = this.#bucketsOf(kind, object);
    this.#entries.set(key, { object, buckets });
    for (const bucket of buckets) {
      const id = `${kind} ${bucket}`;
      const members = this.#buckets.get(id) ?? new Map<string, KubeObject>();
      this.#buckets.set(id, members.set(key, object));
    }
  }

  #drop(kind: string, key: string, entry: Entry | undefined): void {
    this.#entries.delete(key);
    for (const bucket of entry?.buckets ?? []) {
      const members = this.#buckets.get(`${kind} ${bucket}`);
      members?.delete(key);
      if (members?.size === 0) this.#buckets.delete(`${kind} ${bucket}`);
    }
  }

  remove(kind: string, namespace: string, name: string, uid: string): Promise<void> {
    const key = keyOf(kind, namespace, name);
    const entry = this.#entries.get(key);
    if (entry?.object.metadata.uid === uid) this.#drop(kind, key, entry);
    return Promise.resolve();
  }

  get(kind: string, namespace: string, name: string): Promise<CacheLookup> {
    return Promise.resolve({ answered: true, object: this.#entries.get(keyOf(kind, namespace, name))?.object });
  }

  index(kind: string, bucket: string): Promise<readonly KubeObject[] | undefined> {
    if (!this.#complete.has(kind)) return Promise.resolve(undefined);
    return Promise.resolve([...(this.#buckets.get(`${kind} ${bucket}`)?.values() ?? [])]);
  }

  markComplete(kind: string): Promise<void> {
    this.#complete.add(kind);
    return Promise.resolve();
  }

  reserve(key: string, holder: string, ms: number): Promise<boolean> {
    const now = this.#clock.monotonic();
    const held = this.#reserved.get(key);
    if (held && held.until > now && held.holder !== holder) return Promise.resolve(false);
    this.#reserved.set(key, { holder, until: now + ms });
    return Promise.resolve(true);
  }

  release(key: string, holder: string): Promise<void> {
    if (this.#reserved.get(key)?.holder === holder) this.#reserved.delete(key);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}
