// The due index and the clock of beat: moves what is due into the streams, spreads resyncs, fires ticks.
// Every move is one script per partition: remove, add and change of state together, so a crash neither loses nor doubles (AC-31).
import type { DueMove, Message, SpreadItem } from "./bus.ts";
import { encode, fieldOf } from "./envelope.ts";
import { asList, asText } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { MOVE, SPREAD, TICK } from "./redis-scripts.ts";
import { tickMessage } from "./tick.ts";

const MOST_MOVED = 500;
const MOST_SPREAD = 1000;

/** Moves at most 500 items of each partition. */
export async function moveDue(partitions: readonly RedisPartition[]): Promise<DueMove> {
  const moves = await Promise.all(partitions.map((partition) => moveOne(partition)));
  const next = moves.map(({ nextInMs }) => nextInMs).filter((ms) => ms !== undefined);
  return { moved: moves.reduce((sum, { moved }) => sum + moved, 0), nextInMs: next.length > 0 ? Math.min(...next) : undefined };
}

async function moveOne(partition: RedisPartition): Promise<DueMove> {
  const reply = asList(await partition.call(MOVE, [MOST_MOVED]));
  const next = asText(reply[1]);
  return { moved: Number(reply[0]), nextInMs: next === "" ? undefined : Number(next) };
}

export async function spreadInto(partition: RedisPartition, items: readonly SpreadItem[]): Promise<void> {
  for (let start = 0; start < items.length; start += MOST_SPREAD) {
    const args = items.slice(start, start + MOST_SPREAD).flatMap((item) => [fieldOf(item), Math.max(0, Math.round(item.afterMs))]);
    await partition.call(SPREAD, args);
  }
}

/** Partition 0 of the kind. True when this call fired it. */
export async function fireTick(
  partition: RedisPartition,
  tick: { readonly kind: string; readonly schedule: string; readonly plannedAt: number },
): Promise<boolean> {
  const message: Message = tickMessage(tick);
  return (await partition.call(TICK, [tick.schedule, tick.plannedAt, fieldOf(message), encode(message)])) === 1;
}
