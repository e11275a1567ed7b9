// ResourcePool as declared by its CRD (spec crds 5).
import type { ObjectMeta } from "../../kube/types.ts";
import type { Lifespan, ResourceEntry, Values } from "../provider/types.ts";
import type { PoolEntry } from "./scale.ts";

export interface ResourcePool {
  readonly apiVersion: string;
  readonly kind: "ResourcePool";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly deleteUnhealthyResourceHandles?: boolean;
    readonly lifespan?: Lifespan;
    readonly maxUnready?: number;
    readonly minAvailable?: number;
    readonly preferenceScore?: number;
    readonly provider?: { readonly name: string; readonly parameterValues?: Values };
    readonly resourceAnnotations?: Readonly<Record<string, string>>;
    readonly resourceLabels?: Readonly<Record<string, string>>;
    readonly resources?: readonly ResourceEntry[];
    readonly vars?: Values;
  };
  readonly status?: {
    readonly resourceHandleCount?: { readonly available?: number; readonly ready?: number };
    readonly resourceHandles?: readonly PoolEntry[];
  };
}
