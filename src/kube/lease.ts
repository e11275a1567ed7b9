// Leader election on a Lease. Expiry is judged by how long the record has not changed on our own monotonic clock, so clocks of
// pods are never compared (T10). The Lease also records the mode: standalone and distributed refuse to stand beside each other.
import { pause } from "../runtime/abort.ts";
import { AppError, messageOf } from "../runtime/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Service } from "../runtime/service.ts";
import type { KubeClient } from "./client.ts";
import { ConflictError, NotFoundError } from "./errors.ts";
import type { KubeObject, ObjectRef } from "./types.ts";

const MODE_ANNOTATION = "poolstream/mode";

export interface LeaderElectorOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly name: string;
  readonly namespace: string;
  readonly identity: string;
  /** `standalone` or `distributed`; a live Lease of another mode is a reason not to start. */
  readonly mode: string;
  /** Life of the Lease; renewed every fifth of it, given up at two thirds without a renewal. */
  readonly durationMs: number;
  readonly onLeading: () => Promise<void>;
  readonly onLost: () => Promise<void>;
}

interface Observed {
  readonly record: string;
  readonly since: number;
}

export class LeaderElector implements Service {
  readonly name = "leader election";
  readonly #options: LeaderElectorOptions;
  readonly #ref: ObjectRef;
  #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #observed: Observed | undefined;
  #leading = false;
  #renewedAt = 0;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#ref = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", name: options.name, namespace: options.namespace };
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Rejects with PS_MODE_CONFLICT when a live Lease of the other mode exists; an API server that is away is waited for. */
  async start(): Promise<void> {
    this.#abort = new AbortController();
    await this.#refuseOtherMode();
    this.#loop = this.#run(this.#abort.signal);
  }

  /** Stops what runs while leading, then gives the Lease up, so that a standby takes over at once. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    if (!this.#leading) return;
    await this.#lose();
    await this.#release();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { durationMs, clock } = this.#options;
    while (!signal.aborted) {
      // From before the request: others may count the Lease's life from the moment the server wrote it, not from the answer.
      const sentAt = clock.monotonic();
      const held = await this.#try(signal);
      if (held) {
        this.#renewedAt = sentAt;
        await this.#lead();
      } else if (this.#leading && clock.monotonic() - this.#renewedAt > (durationMs * 2) / 3) {
        await this.#lose();
      }
      await pause(durationMs / 7, signal);
    }
  }

  async #lead(): Promise<void> {
    if (this.#leading) return;
    this.#leading = true;
    this.#options.log.info("leading");
    try {
      await this.#options.onLeading();
    } catch (err) {
      // A leader that cannot work must not hold the Lease: it stops what did start, and the next turn tries again.
      this.#options.log.error({ err }, "leading failed");
      await this.#lose();
    }
  }

  async #lose(): Promise<void> {
    this.#leading = false;
    this.#options.log.info("no longer leading");
    await this.#options.onLost().catch((err: unknown) => this.#options.log.error({ err }, "stopping the leader's work failed"));
  }

  // A fifth per try and a seventh between tries: the step down at two thirds is noticed within 0.89 of the Lease's life.
  async #try(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#acquireOrRenew(AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(this.#options.durationMs / 3))]));
    } catch (error) {
      if (!(error instanceof ConflictError) && !signal.aborted) {
        this.#options.log.warn({ reason: messageOf(error) }, "lease not renewed");
      }
      return false;
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, identity } = this.#options;
    const lease = await this.#read(signal);
    if (!lease) {
      await client.create(this.#lease(undefined), { signal });
      return true;
    }
    const holder = specOf(lease).holderIdentity ?? "";
    if (holder !== identity && holder !== "" && !this.#expired(lease)) {
      // Somebody else holds it: what we led is theirs now, whatever our own clock says.
      if (this.#leading) this.#renewedAt = Number.NEGATIVE_INFINITY;
      return false;
    }
    await client.replace(this.#lease(lease), { signal });
    return true;
  }

  async #read(signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.#options.client.get(this.#ref, { signal });
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #expired(lease: KubeObject): boolean {
    const { clock, durationMs } = this.#options;
    const record = JSON.stringify(lease["spec"]);
    if (this.#observed?.record !== record) this.#observed = { record, since: clock.monotonic() };
    const lifeMs = (specOf(lease).leaseDurationSeconds ?? durationMs / 1000) * 1000;
    return clock.monotonic() - this.#observed.since > lifeMs;
  }

  #lease(old: KubeObject | undefined): KubeObject {
    const { name, namespace, identity, mode, durationMs, clock } = this.#options;
    const now = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const spec = old ? specOf(old) : {};
    const mine = spec.holderIdentity === identity;
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        ...old?.metadata,
        name,
        namespace,
        annotations: { ...old?.metadata.annotations, [MODE_ANNOTATION]: mode },
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(durationMs / 1000),
        acquireTime: mine ? (spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (spec.leaseTransitions ?? 0) + (mine || !old ? 0 : 1),
      },
    };
  }

  async #release(): Promise<void> {
    try {
      const lease = await this.#options.client.get(this.#ref);
      if (specOf(lease).holderIdentity !== this.#options.identity) return;
      await this.#options.client.replace({ ...lease, spec: { ...specOf(lease), holderIdentity: "" } });
    } catch (error) {
      this.#options.log.debug({ reason: messageOf(error) }, "lease not released, it expires");
    }
  }

  // Not knowing is no reason to start: waits until the API server answers, or until stopped.
  async #readPatiently(): Promise<KubeObject | undefined> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        return await this.#read(signal);
      } catch (error) {
        this.#options.log.warn({ reason: messageOf(error) }, "lease not readable, waiting");
        await pause(1000, signal);
      }
    }
    return undefined;
  }

  // Judged for one whole life of the Lease: a dead holder's record does not change.
  async #refuseOtherMode(): Promise<void> {
    const { mode, durationMs, log } = this.#options;
    const lease = await this.#readPatiently();
    const other = lease?.metadata.annotations?.[MODE_ANNOTATION];
    if (!lease || other === undefined || other === mode || !isHeld(lease)) return;
    log.info({ mode: other }, "waiting to see whether the other mode's lease is alive");
    await pause(Math.max(durationMs, (specOf(lease).leaseDurationSeconds ?? 0) * 1000), this.#abort.signal);
    const later = await this.#readPatiently();
    if (JSON.stringify(later?.["spec"]) === JSON.stringify(lease["spec"])) return;
    throw new AppError(
      "PS_MODE_CONFLICT",
      `a ${other} installation runs on these objects (Lease ${this.#options.namespace}/${this.#options.name}): stop it before starting ${mode}`,
    );
  }
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

function isHeld(lease: KubeObject): boolean {
  return (specOf(lease).holderIdentity ?? "") !== "";
}

function specOf(lease: KubeObject): LeaseSpec {
  return lease["spec"] ?? {};
}
