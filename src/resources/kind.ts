// What a kind is to the rest of the system: the only door into the domain, with registry.ts.
// Roles know kinds through this descriptor alone.
import type { ObjectCache } from "../cache/cache.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject, ObjectRef } from "../kube/types.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Templating } from "../templating/engine.ts";

/** Our kinds by plural name. */
export type KindName =
  | "resourceclaims"
  | "resourcehandles"
  | "resourcepools"
  | "resourcepoolscalings"
  | "resourceproviders"
  | "resourcewatches";

/** A key to reconcile. Never carries state (AC-17). */
export interface Request {
  readonly namespace: string;
  readonly name: string;
  /** "" = any; another uid than the live object's makes the pass a no-op. */
  readonly uid: string;
  readonly cause: string;
}

/**
 * Done. `requeueAfterMs`: run again then (an exact timer, replaces an earlier one; absent clears it).
 * `digest`: what of the object was acted on (see digestOf); `gone`: the object no longer exists.
 */
export interface Result {
  readonly requeueAfterMs?: number | undefined;
  readonly digest?: string | undefined;
  readonly gone?: boolean;
}

/** A key of another kind that this event or pass makes dirty. */
export interface Mapped {
  readonly kind: KindName;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly cause: string;
  /** A change of an owner wakes a waiting retry; a managed object's event does not (design.md 3.4). */
  readonly waking: boolean;
}

/** Settings the domain reads (spec resource-pool-and-watch, settings). */
export interface DomainSettings {
  /** API group of our kinds and prefix of labels and annotations. */
  readonly domain: string;
  readonly version: string;
  /** Where providers, pools and handles live. */
  readonly namespace: string;
  readonly templateStyle: "handlebars" | "jinja2";
  /** Re-run period for passes whose templates read the clock, per kind, in ms. */
  readonly manageIntervalMs: Readonly<Record<KindName, number>>;
  /** Identifies this process in Events; HOSTNAME or a fallback, never missing. */
  readonly instance: string;
}

/** Everything a pass may use. Writes go through `client`, which is gated by the lock (design.md 3.2) and aborted with `signal`. */
export interface Context {
  readonly client: KubeClient;
  readonly cache: ObjectCache;
  readonly templating: Templating;
  readonly settings: DomainSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Publish keys of other kinds: the only way to make another kind act (AC-15). */
  readonly enqueue: (keys: readonly Mapped[]) => Promise<void>;
}

/** What the controller hands a kind's mapper: the object, and its former state where known. */
export interface ObjectChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
  readonly previous?: KubeObject | undefined;
}

export interface Kind {
  readonly name: KindName;
  /** `ResourceClaim`. */
  readonly kind: string;
  readonly singular: string;
  /** Whether objects live in the operator namespace only (watch there), or in all namespaces. */
  readonly scope: "operator" | "all";
  readonly defaultPartitions: number;
  /** Index bucket names of this object in the shared cache; empty for most kinds. */
  readonly buckets?: (object: KubeObject, settings: DomainSettings) => readonly string[];
  /** Other keys that a change of this object makes dirty. Pure, ≤ 2 ms, no I/O (AC-38). */
  readonly mapTo: (change: ObjectChange, settings: DomainSettings) => readonly Mapped[];
  /** Level-triggered and idempotent; reads current state; throw = retry, TerminalError = bury, RetryAfterError = wait. */
  readonly reconcile: (request: Request, context: Context) => Promise<Result>;
  /** For kinds that name further kinds to watch (ResourceWatch): what this object asks to be watched. */
  readonly watches?: (object: KubeObject) => WatchTarget | undefined;
}

/** A kind outside our group that must be watched; events map to the owning handle by annotation. */
export interface WatchTarget {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent = cluster-wide. */
  readonly namespace?: string | undefined;
}

/** Reference to an object of ours. */
export function refOf(kind: string, settings: DomainSettings, namespace: string, name: string): ObjectRef {
  return { apiVersion: `${settings.domain}/${settings.version}`, kind, namespace, name };
}
