import { createMemoryCache } from "../../src/cache/memory-cache.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { bucketsByLabel, cacheSuite } from "./cache.ts";

cacheSuite("memory", () => Promise.resolve(createMemoryCache(bucketsByLabel, systemClock)));
