// Which plural and scope a kind has, as the API server says. Cached per group version; an unknown kind is asked for again
// at most every few seconds, since a CRD may have been created meanwhile.
import type { Clock } from "../runtime/clock.ts";
import { NotFoundError } from "./errors.ts";
import type { KindRef } from "./types.ts";

const ASK_AGAIN_MS = 2000;

export interface ResourceInfo {
  readonly plural: string;
  readonly namespaced: boolean;
}

interface GroupVersion {
  readonly kinds: ReadonlyMap<string, ResourceInfo>;
  readonly askedAt: number;
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

export class Discovery {
  readonly #fetch: (path: string) => Promise<unknown>;
  readonly #clock: Clock;
  readonly #known = new Map<string, GroupVersion>();
  readonly #asking = new Map<string, Promise<GroupVersion>>();

  constructor(fetch: (path: string) => Promise<unknown>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  async find(kind: KindRef): Promise<ResourceInfo | undefined> {
    const known = this.#known.get(kind.apiVersion);
    const info = known?.kinds.get(kind.kind);
    if (info || (known && this.#clock.monotonic() - known.askedAt < ASK_AGAIN_MS)) return info;
    return (await this.#ask(kind.apiVersion)).kinds.get(kind.kind);
  }

  // Many passes may meet a new kind at once: one question is enough.
  async #ask(apiVersion: string): Promise<GroupVersion> {
    const running = this.#asking.get(apiVersion) ?? this.#load(apiVersion).finally(() => this.#asking.delete(apiVersion));
    this.#asking.set(apiVersion, running);
    return running;
  }

  async #load(apiVersion: string): Promise<GroupVersion> {
    const kinds = new Map<string, ResourceInfo>();
    try {
      const list = (await this.#fetch(groupPath(apiVersion))) as ResourceList;
      for (const { name, kind, namespaced } of list.resources ?? []) {
        if (!name.includes("/")) kinds.set(kind, { plural: name, namespaced });
      }
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
    const loaded = { kinds, askedAt: this.#clock.monotonic() };
    this.#known.set(apiVersion, loaded);
    return loaded;
  }
}
