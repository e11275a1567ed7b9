// The work that a tick asks for: page through a kind and put its keys into the due index, spread over the period,
// so that the resync never comes as a herd (AC-33). Costs one paged list and one script per page.
import type { Context, Kind } from "../resources/kind.ts";
import type { Bus } from "../streams/bus.ts";

export interface SweepOptions {
  readonly bus: Bus;
  readonly spreadMs: number;
}

/** Resolves when every key of the kind is in the due index. */
export async function sweep(kind: Kind, context: Context, options: SweepOptions): Promise<void> {
  const { domain, version, namespace } = context.settings;
  const where = kind.scope === "operator" ? { namespace } : {};
  const pages = context.client.list({ apiVersion: `${domain}/${version}`, kind: kind.kind }, { ...where, signal: context.signal });
  for await (const page of pages) {
    const step = options.spreadMs / (page.items.length + 1);
    const items = page.items.map((object, index) => ({
      namespace: object.metadata.namespace ?? "",
      name: object.metadata.name ?? "",
      uid: object.metadata.uid ?? "",
      afterMs: Math.round(step * (index + 1)),
    }));
    await options.bus.spread(kind.name, items);
  }
}
