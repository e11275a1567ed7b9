// The janitor: trims finished history by MINID only (lag stays exact, nothing pending is lost), removes consumers that are
// gone and have nothing pending, ages dead letters. Runs inside consume; any number may, each step is one script.
import type { RedisPartition } from "./redis-partition.ts";
import { TRIM } from "./redis-upkeep-scripts.ts";

const CONSUMER_IDLE_MS = 60_000;
const DEAD_AGE_MS = 30 * 24 * 3_600_000;

export async function trim(partitions: readonly RedisPartition[], consumer: string): Promise<void> {
  for (const partition of partitions) await partition.call(TRIM, [CONSUMER_IDLE_MS, consumer, DEAD_AGE_MS]);
}
