// Providers and kinds that a handle needs and that are not there: both come back by themselves, so a pass waits for them
// instead of failing towards the dead letters (spec resource-handle 3.5, 3.10 "Discovery errors", 9).
import { NotFoundError } from "../../kube/errors.ts";
import type { KindRef } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { findProvider } from "../provider/lookup.ts";
import type { ResourceProvider } from "../provider/types.ts";

const PROVIDER_MS = 60_000;
const KIND_MS = 600_000;

/** Throws RetryAfterError (60 s) when there is none of that name. */
export async function requireProvider(name: string, context: Context): Promise<ResourceProvider> {
  return waitingFor(name, findProvider(name, context));
}

/** Turns "not found" of a look-up that starts at provider `name` into a wait of 60 s. */
export async function waitingFor<T>(name: string, lookup: Promise<T>): Promise<T> {
  try {
    return await lookup;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new RetryAfterError("PS_HANDLE_PROVIDER", `ResourceProvider ${name}, or one that it links to, does not exist`, PROVIDER_MS, {
      cause: error,
    });
  }
}

/** Call before believing that an object is gone: throws RetryAfterError (600 s) when the API does not serve its kind now. */
export async function requireKind({ apiVersion, kind }: KindRef, context: Context): Promise<void> {
  if (await context.client.discover({ apiVersion, kind })) return;
  throw new RetryAfterError("PS_HANDLE_UNKNOWN_KIND", `API ${apiVersion} does not have kind ${kind}`, KIND_MS);
}
