// The kinds, one line each, sorted. Watch list, partitions, consumers, sweeps and metric labels follow from it.
import { claimKind } from "./claim/kind.ts";
import { handleKind } from "./handle/kind.ts";
import type { Kind } from "./kind.ts";
import { poolKind } from "./pool/kind.ts";
import { poolScalingKind } from "./pool-scaling/kind.ts";
import { providerKind } from "./provider/kind.ts";
import { watchKind } from "./watch/kind.ts";

export const registry: readonly Kind[] = [claimKind, handleKind, poolKind, poolScalingKind, providerKind, watchKind];
