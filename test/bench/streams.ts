// Throughput of the bus on a real redis-server: publish + consume of N distinct keys, no-op handler, locks and states on,
// first publish to last finish. Usage: node test/bench/streams.ts [keys] [partitions] [slots]
import { pino } from "pino";
import { createRedisBus } from "../../src/streams/redis-bus.ts";
import type { Delivery, Message } from "../../src/streams/bus.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startRedis } from "../support/redis.ts";
import { DEFAULT_TIMINGS as timings } from "../support/timings.ts";

const keys = Number(process.argv[2] ?? 50_000);
const partitions = Number(process.argv[3] ?? 4);
const slots = Number(process.argv[4] ?? 1024);

const redis = process.env["BENCH_REDIS_URL"] === undefined ? await startRedis() : undefined;
const bus = createRedisBus({
  url: redis?.url ?? process.env["BENCH_REDIS_URL"] ?? "",
  topology: { things: partitions },
  timings,
  clock: systemClock,
  log: pino({ level: "warn" }),
  consumer: `bench.${process.pid}`,
});
await bus.open();
const messages: Message[] = Array.from({ length: keys }, (_, index) => ({
  kind: "things",
  namespace: `ns-${index % 100}`,
  name: `thing-${index}`,
  uid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  cause: "created",
  lane: "urgent",
  waking: true,
  eventId: `event-${index}`,
  traceparent: "",
}));

let finished = 0;
const allDone = Promise.withResolvers<void>();
async function end(delivery: Delivery): Promise<void> {
  await delivery.done({});
  finished += 1;
  if (finished === keys) allDone.resolve();
}
const started = performance.now();
const consumer = await bus.consume({
  kinds: ["things"],
  slots,
  onDelivery: (delivery) => {
    void end(delivery);
  },
});
for (let start = 0; start < keys; start += 2000) await bus.publish(messages.slice(start, start + 2000));
const published = performance.now();
await allDone.promise;
const ended = performance.now();
await consumer.stop();
console.log(
  JSON.stringify({
    keys,
    partitions,
    slots,
    publishMs: Math.round(published - started),
    totalMs: Math.round(ended - started),
    jobsPerSecond: Math.round((keys * 1000) / (ended - started)),
  }),
);
await bus.close();
await redis?.stop();
