import type { Kek } from './kek.ts';

export type KeyCache = {
  /**
   * The cached KEK, or the one that `open` brings; callers that ask at the same time share one `open`. A failure is
   * not remembered. The cache owns the KEK: do not dispose it.
   *
   * @throws what `open` throws.
   */
  get(tenantId: string, kekId: string, open: () => Promise<Kek>): Promise<Kek>;
  /** Drops and disposes one KEK, e.g. when it is retired. */
  drop(tenantId: string, kekId: string): void;
  /** Drops what is too old. `get` does so, too; call it now and then in a process that may become idle. */
  sweep(): void;
  /** Drops and disposes all, those being opened included: sealing. */
  clear(): void;
};

type Cached = { readonly kek: Promise<Kek>; readonly openedAtMs: number };

const FIFTEEN_MINUTES_MS = 15 * 60 * 1000;

/**
 * Keeps opened KEKs for at most `maxAgeMs` (default 15 minutes), so that a root key that was withdrawn takes effect.
 * A KEK that grows too old is forgotten but not disposed, since someone may just be using it.
 *
 * @param clock milliseconds that never go back; by default those of the process.
 */
export function createKeyCache({
  maxAgeMs = FIFTEEN_MINUTES_MS,
  clock = () => performance.now(),
}: {
  maxAgeMs?: number;
  clock?: () => number;
} = {}): KeyCache {
  // In the order of opening, so that the oldest come first.
  const cached = new Map<string, Cached>();

  const forget = (key: string, entry: Cached): void => {
    if (cached.get(key) === entry) cached.delete(key);
  };
  const sweep = (): void => {
    const now = clock();
    for (const [key, entry] of cached) {
      if (now - entry.openedAtMs < maxAgeMs) break;
      forget(key, entry);
    }
  };
  const dispose = (key: string, entry: Cached): void => {
    forget(key, entry);
    // Also when it is still being opened. One that fails to open needs no disposing, and tells its own caller.
    entry.kek.then(
      (kek) => kek.dispose(),
      () => {},
    );
  };

  return {
    sweep,
    get(tenantId, kekId, open) {
      sweep();
      const key = JSON.stringify([tenantId, kekId]);
      const found = cached.get(key);
      if (found !== undefined) return found.kek;
      const entry: Cached = { kek: openChecked(tenantId, kekId, open), openedAtMs: clock() };
      cached.set(key, entry);
      entry.kek.catch(() => forget(key, entry));
      return entry.kek;
    },
    drop(tenantId, kekId) {
      const key = JSON.stringify([tenantId, kekId]);
      const entry = cached.get(key);
      if (entry !== undefined) dispose(key, entry);
    },
    clear() {
      for (const [key, entry] of cached) dispose(key, entry);
    },
  };
}

async function openChecked(tenantId: string, kekId: string, open: () => Promise<Kek>): Promise<Kek> {
  const kek = await open();
  if (kek.tenantId === tenantId && kek.kekId === kekId) return kek;
  kek.dispose();
  throw new TypeError('the key cache was given another key than it asked for');
}
