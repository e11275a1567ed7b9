// Watches on the kinds that ResourceWatch objects name: opened with the first user, closed after the last (AC-57).
// Their events only mark the owning handle dirty; nothing of a managed object is stored or published (AC-47).
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/types.ts";
import { mapManaged } from "../resources/watch/map-managed.ts";
import type { DomainSettings, WatchTarget } from "../resources/kind.ts";
import type { Logger } from "../runtime/log.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { onlyIdentity } from "./store.ts";
import { Watcher } from "./watcher.ts";

export interface ManagedWatchesOptions {
  readonly client: KubeClient;
  readonly settings: DomainSettings;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

interface Wish {
  readonly target: WatchTarget;
  readonly news: boolean;
}

interface Shared {
  readonly watcher: Watcher;
  readonly users: Set<string>;
}

export class ManagedWatches {
  readonly #options: ManagedWatchesOptions;
  readonly #shared = new Map<string, Shared>();
  readonly #targets = new Map<string, string>();

  constructor(options: ManagedWatchesOptions) {
    this.#options = options;
  }

  /**
   * What the object `user` wants watched now; undefined = nothing any more. `news`: the wish has just been made, so objects
   * may have changed between a handle pass's read and this watch: the first list counts as events.
   */
  want(user: KubeObject, target: WatchTarget | undefined, news: boolean): void {
    const id = user.metadata.uid ?? "";
    const wanted = target && targetKey(target);
    const current = this.#targets.get(id);
    if (wanted === current) return;
    if (current !== undefined) this.#release(id, current);
    if (target && wanted !== undefined) this.#acquire(id, wanted, { target, news });
  }

  async stop(): Promise<void> {
    const watchers = [...this.#shared.values()].map(({ watcher }) => watcher.stop());
    this.#shared.clear();
    this.#targets.clear();
    await Promise.all(watchers);
  }

  #acquire(id: string, key: string, wish: Wish): void {
    this.#targets.set(id, key);
    const shared = this.#shared.get(key);
    if (shared) {
      shared.users.add(id);
      return;
    }
    const watcher = this.#open(wish);
    this.#shared.set(key, { watcher, users: new Set([id]) });
    void watcher.start();
  }

  #release(id: string, key: string): void {
    this.#targets.delete(id);
    const shared = this.#shared.get(key);
    shared?.users.delete(id);
    if (shared?.users.size !== 0) return;
    this.#shared.delete(key);
    void shared.watcher.stop();
  }

  #open({ target, news }: Wish): Watcher {
    const { client, settings, dispatcher, log } = this.#options;
    return new Watcher({
      client,
      log,
      target,
      label: "managed",
      keep: onlyIdentity,
      onList: (changes, first) => {
        if (!first || news) for (const change of changes) dispatcher.map(mapManaged(change, settings));
      },
      onChange: (change) => dispatcher.map(mapManaged(change, settings)),
    });
  }
}

function targetKey(target: WatchTarget): string {
  return `${target.apiVersion} ${target.kind} ${target.namespace ?? "*"}`;
}
