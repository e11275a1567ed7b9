// `cache: off`: knows nothing, says so, and still reserves within this process' limits by never refusing:
// the bind patch's precondition decides alone. Used by tests to show that the cache changes no result.
import type { ObjectCache } from "./cache.ts";

const nothing = (): Promise<void> => Promise.resolve();

export function createNoCache(): ObjectCache {
  return {
    put: nothing,
    remove: nothing,
    get: () => Promise.resolve({ answered: true, object: undefined }),
    index: () => Promise.resolve(undefined),
    markComplete: nothing,
    reserve: () => Promise.resolve(true),
    release: nothing,
    close: nothing,
  };
}
