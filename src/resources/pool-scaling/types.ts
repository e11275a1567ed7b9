// ResourcePoolScaling as declared by its CRD (spec crds 6).
import type { ObjectMeta } from "../../kube/types.ts";

export type ScalingState = "waiting" | "scaling" | "done";

export interface ResourcePoolScaling {
  readonly apiVersion: string;
  readonly kind: "ResourcePoolScaling";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly at?: string;
    readonly count: number;
    readonly resourcePool: { readonly name: string };
  };
  readonly status?: { readonly count?: number; readonly state?: ScalingState };
}
