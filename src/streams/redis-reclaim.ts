// What waits for another try, was handed back, or lost its holder: one script per partition walks the pending entries from a
// persisted cursor and takes what is ripe (design.md 3.2 "Reclaim"). Claim and take are one step, so a lost race counts nothing.
import type { Lane } from "./bus.ts";
import { asList, asText } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { RECLAIM, RELEASE } from "./redis-scripts.ts";

const SCAN = 500;

/** One entry whose key is ours to run; `hold` is "fencing attempts crashes uid" as the scripts answer it. */
export interface Taken {
  readonly lane: Lane;
  readonly id: string;
  readonly json: string;
  readonly hold: string;
}

export interface Room {
  readonly consumer: string;
  readonly idleMs: number;
  readonly slots: number;
  /** How many keys may be taken that a worker died under at least once before (twice after this death). */
  readonly suspects: number;
}

/** `now`: the server's clock in ms. */
export async function reclaim(partition: RedisPartition, room: Room): Promise<{ readonly now: number; readonly taken: readonly Taken[] }> {
  const reply = asList(await partition.call(RECLAIM, [room.consumer, room.idleMs, room.slots, room.suspects, SCAN]));
  const taken: Taken[] = [];
  for (let index = 1; index + 3 < reply.length; index += 4) {
    const [lane, id, json, hold] = reply.slice(index, index + 4).map(asText);
    taken.push({ lane: lane === "u" ? "urgent" : "bulk", id: id ?? "", json: json ?? "", hold: hold ?? "" });
  }
  return { now: Number(reply[0]), taken };
}

/** Hands back what this consumer has read and is not working on: unstarted entries, and replies lost with a connection. */
export async function release(partition: RedisPartition, consumer: string, open: readonly string[]): Promise<void> {
  await partition.call(RELEASE, [consumer, ...open]);
}
