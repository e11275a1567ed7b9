// The scalings of a pool while its pass runs: which want handles, and their counts (spec resource-pool-and-watch 4.3, 4.4).
// The pool pass is the only writer of a scaling's status.
import { ConflictError } from "../../kube/errors.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import type { ResourcePoolScaling } from "../pool-scaling/types.ts";
import { asScaling, countOf, missingOf, stateOf, waitMs } from "../pool-scaling/view.ts";
import { patchStatus } from "../write.ts";
import type { Demand } from "./scale.ts";

// As often as the reference tries; each try reads the scaling anew.
const TRIES = 12;

export class Scalings {
  readonly #context: Context;
  readonly #byName: Map<string, ResourcePoolScaling>;

  constructor(scalings: readonly ResourcePoolScaling[], context: Context) {
    this.#context = context;
    this.#byName = new Map(scalings.map((scaling) => [scaling.metadata.name ?? "", scaling]));
  }

  /** Scalings of this pool that are not ignored, in order of their names. */
  static async of(poolName: string, context: Context): Promise<Scalings> {
    const { settings, client } = context;
    const { ignore } = namesOf(settings);
    const { apiVersion, kind } = refOf("ResourcePoolScaling", settings, settings.namespace, "");
    const found: ResourcePoolScaling[] = [];
    for await (const page of client.list({ apiVersion, kind }, { namespace: settings.namespace })) found.push(...page.items.map(asScaling));
    const mine = found.filter(({ spec, metadata }) => spec.resourcePool.name === poolName && metadata.labels?.[ignore] === undefined);
    return new Scalings(
      mine.toSorted((left, right) => ((left.metadata.name ?? "") < (right.metadata.name ?? "") ? -1 : 1)),
      context,
    );
  }

  get(name: string): ResourcePoolScaling | undefined {
    return this.#byName.get(name);
  }

  /** What may act now and is not complete. */
  demands(): Demand[] {
    const now = this.#context.clock.now();
    return [...this.#byName]
      .map(([scaling, object]) => ({ scaling, missing: missingOf(object, now) }))
      .filter(({ missing }) => missing > 0);
  }

  /** ms until the next scaling's time arrives; undefined when none waits. */
  get nextInMs(): number | undefined {
    const now = this.#context.clock.now();
    const waits = [...this.#byName.values()].map((scaling) => waitMs(scaling, now)).filter((ms) => ms > 0 && Number.isFinite(ms));
    return waits.length > 0 ? Math.min(...waits) : undefined;
  }

  /** Adds to a count, never below 0. A scaling that is gone meanwhile is left alone. */
  async add(name: string, difference: 1 | -1): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const scaling = this.#byName.get(name);
      if (!scaling) return;
      try {
        this.#byName.set(name, await this.#write(scaling, Math.max(0, countOf(scaling) + difference)));
        return;
      } catch (error) {
        // The handle stands already: its count must follow in this pass, whoever else writes.
        if (!(error instanceof ConflictError) || tries >= TRIES) throw error;
        await this.#reread(name);
      }
    }
  }

  /** Brings states up to date where no count changed: a time that arrived, a scaling that wants nothing. */
  async settle(): Promise<void> {
    for (const [name, scaling] of this.#byName) {
      if (scaling.metadata.deletionTimestamp !== undefined) continue;
      this.#byName.set(name, await this.#write(scaling, countOf(scaling)));
    }
  }

  #write(scaling: ResourcePoolScaling, count: number): Promise<ResourcePoolScaling> {
    const state = stateOf(scaling, count, this.#context.clock.now());
    return patchStatus(scaling, { ...scaling.status, count, state }, this.#context);
  }

  async #reread(name: string): Promise<void> {
    const { settings, client } = this.#context;
    this.#byName.set(name, asScaling(await client.get(refOf("ResourcePoolScaling", settings, settings.namespace, name))));
  }
}
