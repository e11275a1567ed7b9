// The table of every setting: file key, environment names, type, default, meaning. config.ts reads by it,
// docs/configuration.md is generated from it. A setting that is not here does not exist.

export type SettingType = "string" | "integer" | "seconds" | "milliseconds" | "boolean" | readonly string[];

export interface Setting {
  /** Dotted key in the configuration file; the environment name is POOLSTREAM_ + the key in capitals. */
  readonly key: string;
  readonly type: SettingType;
  /** Absent: no value unless given. */
  readonly fallback?: string;
  /** Further environment names, the field's own ones first (spec resource-pool-and-watch, settings). */
  readonly aliases?: readonly string[];
  readonly secret?: boolean;
  readonly meaning: string;
}

/** Our kinds by plural, with the partitions they get by default (design.md part 9). */
export const KIND_PARTITIONS: Readonly<Record<string, number>> = {
  resourceclaims: 4,
  resourcehandles: 4,
  resourcepools: 2,
  resourcepoolscalings: 1,
  resourceproviders: 1,
  resourcewatches: 1,
};

function kindSettings(kind: string, partitions: number): Setting[] {
  return [
    { key: `kinds.${kind}.partitions`, type: "integer", fallback: String(partitions), meaning: `streams of ${kind}` },
    {
      key: `kinds.${kind}.workers`,
      type: ["on", "off"],
      fallback: "on",
      meaning: `off: the leading controller reconciles ${kind} itself, worker pods leave its streams alone`,
    },
    {
      key: `kinds.${kind}.mode`,
      type: ["scheduler", "daemon", "both"],
      fallback: "scheduler",
      meaning: `who fires the ticks of ${kind}: beat, the leading controller, or both`,
    },
    {
      key: `kinds.${kind}.resync`,
      type: "string",
      fallback: "60m",
      meaning: `schedule of the resync of ${kind}: an interval such as 60m, or a five-field cron expression`,
    },
  ];
}

const bus: Setting[] = [
  {
    key: "redis.url",
    type: "string",
    aliases: ["REDIS_URL"],
    secret: true,
    meaning: "Redis of the distributed mode, redis:// or rediss://",
  },
  { key: "redis.prefix", type: "string", fallback: "ps", meaning: "first part of every Redis key" },
  { key: "bus.heartbeatMs", type: "milliseconds", fallback: "3000", meaning: "how often a worker renews what it holds" },
  { key: "bus.lockTtlMs", type: "milliseconds", fallback: "10000", meaning: "life of an object's lock; at least three heartbeats" },
  {
    key: "bus.idleMs",
    type: "milliseconds",
    fallback: "10000",
    meaning: "a pending entry unproven for this long is reclaimed; at least the lock's life",
  },
  { key: "bus.reclaimEveryMs", type: "milliseconds", fallback: "1000", meaning: "period of the reclaim pass" },
  { key: "bus.backoffBaseMs", type: "milliseconds", fallback: "1000", meaning: "first retry delay; doubles" },
  { key: "bus.backoffMaxMs", type: "milliseconds", fallback: "60000", meaning: "longest retry delay" },
  { key: "bus.maxAttempts", type: "integer", fallback: "8", meaning: "failed attempts before the dead-letter stream" },
  { key: "bus.maxCrashes", type: "integer", fallback: "5", meaning: "worker deaths under one object before the dead-letter stream" },
];

const operator: Setting[] = [
  {
    key: "operator.domain",
    type: "string",
    fallback: "poolboy.gpte.redhat.com",
    aliases: ["OPERATOR_DOMAIN"],
    meaning: "API group, and prefix of labels, annotations and finalizers",
  },
  { key: "operator.version", type: "string", fallback: "v1", aliases: ["OPERATOR_VERSION"], meaning: "API version of our kinds" },
  {
    key: "operator.namespace",
    type: "string",
    aliases: ["OPERATOR_NAMESPACE"],
    meaning: "namespace of providers, pools and handles; in a cluster the pod's own by default",
  },
  {
    key: "operator.manageClaimsInterval",
    type: "seconds",
    fallback: "60",
    aliases: ["MANAGE_CLAIMS_INTERVAL"],
    meaning: "re-run of claim passes whose templates read the clock",
  },
  {
    key: "operator.manageHandlesInterval",
    type: "seconds",
    fallback: "60",
    aliases: ["MANAGE_HANDLES_INTERVAL"],
    meaning: "re-run of handle passes whose templates read the clock",
  },
  {
    key: "operator.managePoolsInterval",
    type: "seconds",
    fallback: "10",
    aliases: ["MANAGE_POOLS_INTERVAL"],
    meaning: "re-run of pool passes whose templates read the clock",
  },
  {
    key: "operator.instance",
    type: "string",
    aliases: ["HOSTNAME"],
    meaning: "name of this process in Events and as Redis consumer; the host's name by default",
  },
  {
    key: "template.style",
    type: ["handlebars", "jinja2"],
    fallback: "handlebars",
    aliases: ["TEMPLATE_STYLE"],
    meaning: "style of providers that name none",
  },
  { key: "kube.config", type: "string", aliases: ["KUBECONFIG"], meaning: "kubeconfig file; in a cluster the service account by default" },
  { key: "kube.sockets", type: "integer", fallback: "32", meaning: "kept-alive connections to the API server" },
  { key: "kube.requestTimeoutMs", type: "milliseconds", fallback: "30000", meaning: "longest API request, watches excepted" },
];

const process: Setting[] = [
  { key: "worker.concurrency", type: "integer", fallback: "50", meaning: "objects reconciled at once by one worker process" },
  { key: "worker.timeoutMs", type: "milliseconds", fallback: "300000", meaning: "longest single reconcile" },
  { key: "worker.graceMs", type: "milliseconds", fallback: "45000", meaning: "drain time of a stopping worker" },
  { key: "leader.durationMs", type: "milliseconds", fallback: "15000", meaning: "life of the controller's Lease" },
  { key: "beat.everyMs", type: "milliseconds", fallback: "1000", meaning: "longest wait of beat between two looks at the due index" },
  { key: "beat.leaseMs", type: "milliseconds", fallback: "10000", meaning: "life of beat's lease" },
  {
    key: "cache",
    type: ["full", "index", "off"],
    fallback: "full",
    meaning: "the shared cache: whole objects, index entries only, or none",
  },
  { key: "http.port", type: "integer", fallback: "8080", meaning: "port of /healthz, /readyz and /metrics; 0 takes a free one" },
  { key: "http.host", type: "string", fallback: "0.0.0.0", meaning: "address the port is bound to" },
  { key: "log.level", type: ["trace", "debug", "info", "warn", "error"], fallback: "info", meaning: "lowest level that is written" },
];

/** Every setting, in the order of the documentation. */
export const SETTINGS: readonly Setting[] = [
  ...operator,
  ...bus,
  ...process,
  ...Object.entries(KIND_PARTITIONS).flatMap(([kind, partitions]) => kindSettings(kind, partitions)),
];
