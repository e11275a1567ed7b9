// What one watcher knows of its kind: the last seen copy of each object, so that a change has a `previous` and a new list
// yields the deletions that a broken watch missed. What of an object is kept is the watcher's choice.
import type { KubeObject, ObjectMeta } from "../kube/types.ts";
import type { ObjectChange } from "../resources/kind.ts";

export type Keep = (object: KubeObject) => KubeObject;

export class Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #keep: Keep;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  get size(): number {
    return this.#objects.size;
  }

  values(): IterableIterator<KubeObject> {
    return this.#objects.values();
  }

  /** Records an event; undefined when it is older than what is known. `object` of the change is as received. */
  apply(type: ObjectChange["type"], object: KubeObject): ObjectChange {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    const same = previous?.metadata.uid === object.metadata.uid ? previous : undefined;
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, this.#keep(object));
    return { type, object, previous: same };
  }

  /** The changes between what is known and a complete list. */
  replace(objects: readonly KubeObject[]): ObjectChange[] {
    const listed = new Set(objects.map(keyOf));
    const gone = [...this.#objects].filter(([key]) => !listed.has(key)).map(([, object]) => this.apply("DELETED", object));
    const present = objects
      .filter((object) => this.#objects.get(keyOf(object))?.metadata.resourceVersion !== object.metadata.resourceVersion)
      .map((object) => this.apply(this.#objects.has(keyOf(object)) ? "MODIFIED" : "ADDED", object));
    return [...gone, ...present];
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}

/** For our kinds: all but managedFields, the largest and least used part. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { readonly managedFields?: unknown };
  return { ...object, metadata };
}

/** For managed objects: enough to map a deletion to its handle, nothing of their contents (AC-47). */
export function onlyIdentity(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, annotations } = object.metadata;
  const metadata = Object.fromEntries(
    Object.entries({ name, namespace, uid, resourceVersion, annotations }).filter(([, value]) => value !== undefined),
  );
  return { apiVersion: object.apiVersion, kind: object.kind, metadata };
}
