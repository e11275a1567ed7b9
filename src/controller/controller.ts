// The controller role: watches our kinds and whatever ResourceWatch objects ask for, feeds the shared cache, dispatches keys.
// Runs only while leading; main.ts composes it with the election.
import type { ObjectCache } from "../cache/cache.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Kind, DomainSettings, ObjectChange } from "../resources/kind.ts";
import { digestOf } from "../resources/digest.ts";
import { messageOf } from "../runtime/errors.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Service } from "../runtime/service.ts";
import type { Bus, LossWatch } from "../streams/bus.ts";
import { Dispatcher } from "./dispatcher.ts";
import { ManagedWatches } from "./managed-watches.ts";
import { withoutManagedFields } from "./store.ts";
import { Watcher } from "./watcher.ts";

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly bus: Bus & LossWatch;
  readonly cache: ObjectCache;
  readonly kinds: readonly Kind[];
  readonly settings: DomainSettings;
  readonly resyncMs: (kind: string) => number;
  readonly log: Logger;
}

export class Controller implements Service {
  readonly name = "controller";
  readonly #options: ControllerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #watchers = new Map<Kind, Watcher>();
  readonly #managed: ManagedWatches;
  #running = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher({ bus: options.bus, settings: options.settings, log: options.log });
    this.#managed = new ManagedWatches({ ...options, dispatcher: this.#dispatcher });
    for (const kind of options.kinds) this.#watchers.set(kind, this.#watcher(kind));
    options.bus.onLoss((reason) => this.#resync(reason));
  }

  async start(): Promise<void> {
    this.#running = true;
    await this.#dispatcher.start();
    for (const watcher of this.#watchers.values()) await watcher.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all([...this.#watchers.values()].map((watcher) => watcher.stop()));
    await this.#managed.stop();
    await this.#dispatcher.stop();
  }

  #watcher(kind: Kind): Watcher {
    const { client, settings, log } = this.#options;
    const namespace = kind.scope === "operator" ? settings.namespace : undefined;
    return new Watcher({
      client,
      log,
      target: { apiVersion: `${settings.domain}/${settings.version}`, kind: kind.kind, namespace },
      label: kind.name,
      keep: withoutManagedFields,
      onList: (changes, first) => void this.#listed(kind, changes, first),
      onChange: (change) => this.#changed(kind, change),
    });
  }

  #changed(kind: Kind, change: ObjectChange): void {
    this.#note(kind, [change], true);
    this.#dispatcher.dispatch(kind, change);
  }

  // Cache and managed watches see everything; the dispatcher decides what runs.
  #note(kind: Kind, changes: readonly ObjectChange[], news = false): void {
    const { cache, log } = this.#options;
    const present = changes.filter((change) => change.type !== "DELETED").map((change) => withoutManagedFields(change.object));
    if (present.length > 0) cache.put(kind.name, present).catch((err: unknown) => log.warn({ err }, "cache not fed"));
    for (const { type, object } of changes) {
      if (type === "DELETED") {
        const { namespace = "", name = "", uid = "" } = object.metadata;
        cache.remove(kind.name, namespace, name, uid).catch((err: unknown) => log.warn({ err }, "cache not fed"));
      }
      if (kind.watches) this.#managed.want(object, type === "DELETED" ? undefined : kind.watches(object), news);
    }
  }

  // The first list of a leader is mostly old news: at once only what differs from what was last reconciled,
  // the rest spread over the resync period (AC-33). Later lists are diffs against our own store.
  async #listed(kind: Kind, changes: readonly ObjectChange[], first: boolean): Promise<void> {
    this.#note(kind, changes);
    await this.#options.cache.markComplete(kind.name, "list").catch(() => undefined);
    if (!first) {
      for (const change of changes) this.#dispatcher.dispatch(kind, change);
      return;
    }
    const seen = await this.#seen(kind, changes);
    const fresh = changes.filter((change) => seen.get(keyOf(change)) !== digestOf(change.object));
    for (const change of fresh) this.#dispatcher.dispatch(kind, change);
    await this.#spread(
      kind,
      changes.filter((change) => !fresh.includes(change)),
    );
  }

  async #seen(kind: Kind, changes: readonly ObjectChange[]): Promise<ReadonlyMap<string, string>> {
    try {
      return await this.#options.bus.seen(kind.name, changes.map(keyOf));
    } catch (error) {
      // Unknown is not "seen": everything is published, coalescing makes that harmless.
      this.#options.log.warn({ kind: kind.name, reason: messageOf(error) }, "digests not readable");
      return new Map();
    }
  }

  async #spread(kind: Kind, changes: readonly ObjectChange[]): Promise<void> {
    const step = this.#options.resyncMs(kind.name) / (changes.length + 1);
    const items = changes.map(({ object }, index) => ({
      namespace: object.metadata.namespace ?? "",
      name: object.metadata.name ?? "",
      uid: object.metadata.uid ?? "",
      afterMs: Math.round(step * (index + 1)),
    }));
    if (items.length > 0) await this.#options.bus.spread(kind.name, items).catch(() => undefined);
  }

  // The store was lost or rolled back: the API is the truth, everything is wanted once (AC-11). Redis bounds the rate
  // by coalescing, workers by their slots.
  #resync(reason: string): void {
    if (!this.#running) return;
    metrics.storeLosses.inc();
    this.#options.log.warn({ reason }, "store lost, publishing every object");
    for (const [kind, watcher] of this.#watchers) {
      const objects = [...watcher.store.values()];
      this.#note(
        kind,
        objects.map((object) => ({ type: "MODIFIED", object })),
      );
      void this.#options.cache.markComplete(kind.name, "resync").catch(() => undefined);
      for (const object of objects) this.#dispatcher.dispatch(kind, { type: "ADDED", object });
    }
  }
}

function keyOf(change: ObjectChange): string {
  return `${change.object.metadata.namespace ?? ""}/${change.object.metadata.name ?? ""}`;
}
