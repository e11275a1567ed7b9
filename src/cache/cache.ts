// The shared cache (design.md part 7): controller fills it, workers read it. An optimisation only:
// `off` changes no functional result. Own kinds only, never managed objects (AC-47).
import type { KubeObject } from "../kube/types.ts";

export interface CacheLookup {
  readonly object: KubeObject | undefined;
  /** False when the cache could not be asked (an error is not a miss, AC-49). */
  readonly answered: boolean;
}

export interface ObjectCache {
  /** An older resourceVersion never overwrites a newer one. */
  put(kind: string, objects: readonly KubeObject[]): Promise<void>;
  remove(kind: string, namespace: string, name: string, uid: string): Promise<void>;
  get(kind: string, namespace: string, name: string): Promise<CacheLookup>;
  /**
   * All live, unbound handles of an index bucket (by provider or pool name), or undefined when the index is
   * not complete (no mark of the current epoch): the caller then asks the API by label, never concludes "none".
   */
  index(kind: string, bucket: string): Promise<readonly KubeObject[] | undefined>;
  /** The controller's word that the index of this kind is complete since `epoch`. */
  markComplete(kind: string, epoch: string): Promise<void>;
  /** Short exclusive reservation (SET NX PX): true when this holder has it for `ms`. */
  reserve(key: string, holder: string, ms: number): Promise<boolean>;
  release(key: string, holder: string): Promise<void>;
  close(): Promise<void>;
}
