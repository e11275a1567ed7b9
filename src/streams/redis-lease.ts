// The lease by which one of several beats acts. Expiry is the server's; nobody compares clocks.
import type { Redis } from "ioredis";
import { beatLeaseKey } from "./keys.ts";
import { run } from "./redis-connection.ts";
import { LEASE, UNLEASE } from "./redis-upkeep-scripts.ts";

/** True while `holder` has it; the same call takes and renews. */
export async function acquireLease(
  client: Redis,
  prefix: string,
  lease: { readonly holder: string; readonly ttlMs: number },
): Promise<boolean> {
  return (await run(client, LEASE, [beatLeaseKey(prefix)], [lease.holder, lease.ttlMs])) === 1;
}

/** Compare and delete: never another's lease. */
export async function releaseLease(client: Redis, prefix: string, holder: string): Promise<void> {
  await run(client, UNLEASE, [beatLeaseKey(prefix)], [holder]);
}
