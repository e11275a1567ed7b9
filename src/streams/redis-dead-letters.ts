// Dead letters of the Redis bus: list, show, replay, drop (AC-7). Burying is an ending and happens in END and TAKE;
// ageing is the janitor's. One letter per key, in its partition's `:dead` stream.
import type { Redis } from "ioredis";
import { decode, splitField } from "./envelope.ts";
import type { DeadLetter } from "./options.ts";
import { asText } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { DEAD_ID, DROP } from "./redis-scripts.ts";

const MOST_LISTED = 1000;

/** Oldest first, at most 1000 per partition. */
export async function listDead(client: Redis, partitions: readonly RedisPartition[]): Promise<DeadLetter[]> {
  const lists = await Promise.all(partitions.map(({ keys }) => client.xrange(keys.dead, "-", "+", "COUNT", MOST_LISTED)));
  return lists.flatMap((list, index) => list.map(([id, members]) => letterOf(id, members, partitions[index]?.keys.kind ?? "")));
}

export async function showDead(client: Redis, partition: RedisPartition, field: string): Promise<DeadLetter | undefined> {
  const id = asText(await partition.call(DEAD_ID, [field]));
  if (id === "") return undefined;
  const [entry] = await client.xrange(partition.keys.dead, id, id);
  return entry ? letterOf(id, entry[1], partition.keys.kind) : undefined;
}

export async function dropDead(partition: RedisPartition, field: string): Promise<boolean> {
  return (await partition.call(DROP, [field])) === 1;
}

function letterOf(id: string, members: readonly string[], kind: string): DeadLetter {
  const letter = new Map<string, string>();
  for (let index = 0; index + 1 < members.length; index += 2) letter.set(String(members[index]), String(members[index + 1]));
  const text = (member: string): string => letter.get(member) ?? "";
  const lane = text("lane") === "u" ? "urgent" : "bulk";
  const unknown = { kind, ...splitField(text("key")), uid: "", cause: "", lane, waking: false, eventId: "", traceparent: "" } as const;
  return {
    message: decode(text("m"), lane) ?? unknown,
    cause: text("cause"),
    attempts: Number(text("attempts")),
    crashes: Number(text("crashes")),
    firstFailureAt: Number(text("first")),
    buriedAt: Number(id.split("-")[0]),
  };
}
