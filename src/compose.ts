// Which parts make which role. Builds the shared parts once, then the services in start order.
import type { ObjectCache } from "./cache/cache.ts";
import { createMemoryCache } from "./cache/memory-cache.ts";
import type { BucketsOf } from "./cache/memory-cache.ts";
import { createNoCache } from "./cache/no-cache.ts";
import { createRedisCache } from "./cache/redis-cache.ts";
import { Beat } from "./beat/beat.ts";
import { parseSchedule } from "./beat/schedule.ts";
import type { Schedule } from "./beat/schedule.ts";
import { Controller } from "./controller/controller.ts";
import { createApiClient } from "./kube/api-client.ts";
import type { KubeClient } from "./kube/client.ts";
import { LeaderElector } from "./kube/lease.ts";
import type { DomainSettings, Kind } from "./resources/kind.ts";
import { registry } from "./resources/registry.ts";
import type { Config, KindConfig } from "./runtime/config.ts";
import { systemClock } from "./runtime/clock.ts";
import { HealthServer } from "./runtime/health.ts";
import type { Check } from "./runtime/health.ts";
import type { Logger } from "./runtime/log.ts";
import { metrics } from "./runtime/metrics.ts";
import { ServiceGroup } from "./runtime/service.ts";
import type { Service } from "./runtime/service.ts";
import type { BeatStore, Bus, LossWatch, Topology } from "./streams/bus.ts";
import { createMemoryBus } from "./streams/memory-bus.ts";
import { createRedisBus } from "./streams/redis-bus.ts";
import { createTemplating } from "./templating/engine.ts";
import { Executor } from "./worker/executor.ts";
import { Worker } from "./worker/worker.ts";

type Mode = "standalone" | "distributed";
type FullBus = Bus & BeatStore & LossWatch;
const STALL_MS = 30_000;

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly bus: FullBus;
  readonly holder: string;
}

interface KubeParts extends Parts {
  readonly client: KubeClient & { close(): Promise<void> };
  readonly cache: ObjectCache;
  readonly settings: DomainSettings;
  readonly mode: Mode;
}

/** Watches and publishes while it leads; reconciles the kinds whose workers are off. */
export function composeController(config: Config, log: Logger): Service {
  const parts = kubeParts(config, log, "distributed");
  const elector = leading(parts, (kind) => !kind.workers);
  return group(parts, [elector], [() => undefined]);
}

/** Reconciles what is published. */
export function composeWorker(config: Config, log: Logger): Service {
  const parts = kubeParts(config, log, "distributed");
  const worker = workerOf(
    parts,
    kindsWhere(config, (kind) => kind.workers),
  );
  return group(parts, [worker], [() => worker.stalled(STALL_MS)]);
}

/** Needs Redis alone. */
export function composeBeat(config: Config, log: Logger): Service {
  const parts = busParts(config, log, "distributed");
  return group(parts, [beatOf(parts, "scheduler", true)], []);
}

/** Every role in one process over the memory bus. */
export function composeStandalone(config: Config, log: Logger): Service {
  const parts = kubeParts(config, log, "standalone");
  return group(parts, [beatOf(parts, "any", true), leading(parts, () => true)], []);
}

function group(parts: Parts & Partial<KubeParts>, roles: readonly Service[], live: readonly Check[]): Service {
  const { config, bus, cache, client } = parts;
  const health = new HealthServer({
    host: config.string("http.host"),
    port: config.number("http.port"),
    live,
    ready: [],
    refresh: () => refreshDepth(bus),
  });
  const resources: Service = {
    name: "resources",
    start: () => bus.open(),
    stop: async () => {
      await cache?.close();
      await bus.close();
      await client?.close();
    },
  };
  return new ServiceGroup("poolstream", [resources, health, ...roles]);
}

function busParts(config: Config, log: Logger, mode: Mode): Parts {
  const topology: Topology = Object.fromEntries(Object.entries(config.kinds).map(([kind, { partitions }]) => [kind, partitions]));
  const timings = {
    heartbeatMs: config.number("bus.heartbeatMs"),
    lockTtlMs: config.number("bus.lockTtlMs"),
    idleMs: config.number("bus.idleMs"),
    reclaimEveryMs: config.number("bus.reclaimEveryMs"),
    backoffBaseMs: config.number("bus.backoffBaseMs"),
    backoffMaxMs: config.number("bus.backoffMaxMs"),
    maxAttempts: config.number("bus.maxAttempts"),
    maxCrashes: config.number("bus.maxCrashes"),
  };
  const holder = `${config.string("operator.instance")}.${Math.round(systemClock.now()).toString(36)}`;
  const common = { topology, timings, clock: systemClock, log };
  const bus =
    mode === "standalone"
      ? createMemoryBus(common)
      : createRedisBus({ ...common, url: config.string("redis.url"), prefix: config.string("redis.prefix"), consumer: holder });
  return { config, log, bus, holder };
}

function kubeParts(config: Config, log: Logger, mode: Mode): KubeParts {
  const settings = domainSettings(config);
  const parts = busParts(config, log, mode);
  const client = createApiClient({
    kubeconfig: config.optional("kube.config"),
    userAgent: `poolstream-${log.bindings()["role"] ?? mode}/0.1.0`,
    maxSockets: config.number("kube.sockets"),
    requestTimeoutMs: config.number("kube.requestTimeoutMs"),
    clock: systemClock,
    log,
  });
  return { ...parts, mode, settings, client, cache: cacheOf(parts, settings, mode) };
}

function cacheOf({ config, log }: Parts, settings: DomainSettings, mode: Mode): ObjectCache {
  if (config.string("cache") === "off") return createNoCache();
  const kinds = new Map<string, Kind>(registry.map((kind) => [kind.name, kind]));
  const bucketsOf: BucketsOf = (kind, object) => kinds.get(kind)?.buckets?.(object, settings) ?? [];
  if (mode === "standalone") return createMemoryCache(bucketsOf, systemClock);
  return createRedisCache({ url: config.string("redis.url"), prefix: config.string("redis.prefix"), bucketsOf, log });
}

/** The election, and what runs while this process leads: watches, daemon ticks, and a worker for the kinds that `own` picks. */
function leading(parts: KubeParts, own: (kind: KindConfig) => boolean): Service {
  const { config, client, settings, holder, log, mode } = parts;
  const resyncMs = resyncPeriods(config);
  const services: Service[] = [new Controller({ ...parts, kinds: registry, resyncMs })];
  const kinds = kindsWhere(config, own);
  if (kinds.length > 0) services.push(workerOf(parts, kinds));
  if (mode === "distributed") services.push(beatOf(parts, "daemon", false));
  const work = new ServiceGroup("leading", services);
  return new LeaderElector({
    client,
    clock: systemClock,
    log,
    mode,
    name: `poolstream-${settings.domain}`,
    namespace: settings.namespace,
    identity: holder,
    durationMs: config.number("leader.durationMs"),
    onLeading: async () => {
      metrics.leading.set(1);
      await work.start();
    },
    onLost: async () => {
      metrics.leading.set(0);
      await work.stop();
    },
  });
}

function workerOf(parts: KubeParts, kinds: readonly string[]): Worker {
  const { config, bus, client, cache, settings, log } = parts;
  const executor = new Executor({
    bus,
    client,
    cache,
    settings,
    log,
    clock: systemClock,
    kinds: new Map(registry.map((kind) => [kind.name, kind])),
    templating: createTemplating({ defaultStyle: settings.templateStyle, clock: systemClock }),
    timeoutMs: config.number("worker.timeoutMs"),
    resyncMs: resyncPeriods(config),
  });
  return new Worker({
    bus,
    executor,
    kinds,
    log,
    concurrency: config.number("worker.concurrency"),
    graceMs: config.number("worker.graceMs"),
  });
}

function beatOf(parts: Parts, modes: "scheduler" | "daemon" | "any", mover: boolean): Beat {
  const { config, bus, holder, log } = parts;
  const schedules = new Map<string, Schedule>();
  for (const [kind, { mode, resync }] of Object.entries(config.kinds)) {
    const schedule = parseSchedule(`kinds.${kind}.resync`, resync);
    if (modes === "any" || mode === modes || mode === "both") schedules.set(kind, schedule);
  }
  return new Beat({
    bus,
    holder,
    schedules,
    mover,
    log,
    leaseMs: config.number("beat.leaseMs"),
    everyMs: config.number("beat.everyMs"),
  });
}

function kindsWhere(config: Config, pick: (kind: KindConfig) => boolean): string[] {
  return Object.entries(config.kinds)
    .filter(([, kind]) => pick(kind))
    .map(([name]) => name);
}

function resyncPeriods(config: Config): (kind: string) => number {
  const periods = new Map(
    Object.entries(config.kinds).map(([kind, { resync }]) => [kind, parseSchedule(`kinds.${kind}.resync`, resync).periodMs]),
  );
  return (kind) => periods.get(kind) ?? 0;
}

function domainSettings(config: Config): DomainSettings {
  const claims = config.number("operator.manageClaimsInterval") * 1000;
  const handles = config.number("operator.manageHandlesInterval") * 1000;
  const pools = config.number("operator.managePoolsInterval") * 1000;
  return {
    domain: config.string("operator.domain"),
    version: config.string("operator.version"),
    namespace: config.string("operator.namespace"),
    templateStyle: config.string("template.style") === "jinja2" ? "jinja2" : "handlebars",
    instance: config.string("operator.instance"),
    manageIntervalMs: {
      resourceclaims: claims,
      resourcehandles: handles,
      resourcepools: pools,
      resourcepoolscalings: pools,
      resourceproviders: handles,
      resourcewatches: handles,
    },
  };
}

async function refreshDepth(bus: Bus): Promise<void> {
  for (const { kind, partition, lane, lag, pending, oldestMs } of await bus.depth()) {
    const labels = { kind, partition: String(partition), lane };
    metrics.depth.set(labels, lag);
    metrics.pending.set(labels, pending);
    metrics.oldest.set(labels, oldestMs / 1000);
  }
}
