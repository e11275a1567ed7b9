// The KubeClient contract: eight methods over any kind. api-client.ts speaks to a real API server,
// test/support/kube-fake.ts is the in-process fake; test/conformance/kube.ts holds both to this text.
import type { KindRef, KubeObject, ObjectRef, Patch, WatchEvent } from "./types.ts";

export interface CallOptions {
  /** Cancels the request; a cancelled write may or may not have happened. */
  readonly signal?: AbortSignal | undefined;
}

export interface PatchOptions extends CallOptions {
  /** Write the status subresource instead of the main resource. */
  readonly subresource?: "status" | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only this incarnation: another uid answers with ConflictError. */
  readonly uid?: string | undefined;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan" | undefined;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Page size; default 500. */
  readonly limit?: number | undefined;
}

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly resourceVersion: string;
}

/**
 * Every method throws KubeError subclasses of kube/errors.ts (NotFoundError, ConflictError, GoneError,
 * InvalidError, ForbiddenError, TooManyRequestsError, ServerError) or UnreachableError; 429 with Retry-After is
 * NOT retried here: the caller decides. Kinds are found by discovery, cached; an unknown kind is NotFoundError.
 */
export interface KubeClient {
  get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject>;
  /** Pages of one consistent list. */
  list(kind: KindRef, options?: ListOptions): AsyncIterable<ListPage>;
  create(object: KubeObject, options?: CallOptions): Promise<KubeObject>;
  patch(ref: ObjectRef, patch: Patch, options?: PatchOptions): Promise<KubeObject>;
  /** Whole-object update; `metadata.resourceVersion`, if given, is the precondition. */
  replace(object: KubeObject, options?: PatchOptions): Promise<KubeObject>;
  /** Resolves when the API accepted the deletion; NotFoundError when there is nothing. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** One watch connection. Ends normally when the server or the inactivity timer closes it; GoneError at 410. */
  watch(kind: KindRef, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** Whether the API server knows the kind, and whether it is namespaced. Undefined when unknown. */
  discover(kind: KindRef): Promise<{ readonly plural: string; readonly namespaced: boolean } | undefined>;
}
