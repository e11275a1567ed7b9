// List and watch of one kind for ever: list pages → store → changes; watch from there; 410 → list again and diff;
// any other trouble → back off and go on. Handlers only note keys, they never throw and never wait (AC-38).
import { GoneError } from "../kube/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/types.ts";
import type { ObjectChange, WatchTarget } from "../resources/kind.ts";
import { pause } from "../runtime/abort.ts";
import { messageOf } from "../runtime/errors.ts";
import type { Logger } from "../runtime/log.ts";
import type { Service } from "../runtime/service.ts";
import { metrics } from "../runtime/metrics.ts";
import { Store } from "./store.ts";
import type { Keep } from "./store.ts";

const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 30_000;

export interface WatcherOptions {
  readonly client: KubeClient;
  readonly target: WatchTarget;
  /** Label of the metrics: the plural for our kinds, `managed` for the rest (bounded). */
  readonly label: string;
  readonly keep: Keep;
  /** The whole kind, once at start and after each gap: changes against what was known. */
  readonly onList: (changes: readonly ObjectChange[], first: boolean) => void;
  readonly onChange: (change: ObjectChange) => void;
  /** The reason while the kind cannot be watched, undefined when it can again. */
  readonly onHealth?: (problem: string | undefined) => void;
  readonly log: Logger;
}

// The compiler takes the loop condition for lasting; an await lies between.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

export class Watcher implements Service {
  readonly name: string;
  readonly store: Store;
  readonly #options: WatcherOptions;
  #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #listed = false;
  #problem: string | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.store = new Store(options.keep);
    this.name = `watch ${options.target.kind}`;
  }

  /** Resolves at once: an API server that is away must not keep a process from starting. */
  start(): Promise<void> {
    this.#abort = new AbortController();
    this.#loop = this.#run(this.#abort.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let version: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        version ??= await this.#list(signal);
        failures = 0;
        this.#report(undefined);
        version = await this.#watch(version, signal);
      } catch (error) {
        if (isAborted(signal)) return;
        if (error instanceof GoneError) {
          version = undefined;
          continue;
        }
        failures += 1;
        this.#report(messageOf(error));
        await pause(Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures - 1)), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const objects: KubeObject[] = [];
    let version = "";
    const { apiVersion, kind, namespace } = this.#options.target;
    for await (const page of this.#options.client.list({ apiVersion, kind }, { namespace, signal })) {
      objects.push(...page.items);
      version = page.resourceVersion;
    }
    const first = !this.#listed;
    this.#listed = true;
    this.#options.onList(this.store.replace(objects), first);
    return version;
  }

  async #watch(from: string, signal: AbortSignal): Promise<string> {
    let version = from;
    const { apiVersion, kind, namespace } = this.#options.target;
    for await (const event of this.#options.client.watch({ apiVersion, kind }, { namespace, resourceVersion: from, signal })) {
      if (event.type === "BOOKMARK") {
        version = event.resourceVersion;
        continue;
      }
      version = event.object.metadata.resourceVersion ?? version;
      metrics.watchEvents.inc({ kind: this.#options.label, type: event.type });
      this.#options.onChange(this.store.apply(event.type, event.object));
    }
    return version;
  }

  #report(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.log.info({ kind: this.#options.target.kind }, "watch established");
    else this.#options.log.warn({ kind: this.#options.target.kind, reason: problem }, "watch interrupted");
    this.#options.onHealth?.(problem);
  }
}
