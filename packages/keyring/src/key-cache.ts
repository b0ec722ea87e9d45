import type { Kek } from './kek.ts';

export type KeyCache = {
  /**
   * The cached KEK, or the result of `open`; concurrent callers share one `open`. Failures are not cached.
   * The cache owns the KEK: do not dispose it.
   *
   * @throws what `open` throws.
   */
  get(tenantId: string, kekId: string, open: () => Promise<Kek>): Promise<Kek>;
  /** Drops and disposes one KEK, e.g. when it is retired. */
  drop(tenantId: string, kekId: string): void;
  /**
   * Drops keys that are too old, and checks whether keys were destroyed. Runs every ten seconds; a failed
   * check is repeated.
   */
  check(): Promise<void>;
  /** Drops and disposes all KEKs, including those being opened; for sealing. */
  clear(): void;
};

type Cached = { readonly tenantId: string; readonly kek: Promise<Kek>; readonly openedAtMs: number };

const FIFTEEN_MINUTES_MS = 15 * 60 * 1000;
const CHECK_MS = 10_000;
/** A key whose destruction could not be checked for this long is neither used nor kept. */
const MAX_UNCONFIRMED_MS = 60_000;

/**
 * Caches opened KEKs for at most `maxAgeMs` (default 15 minutes), so that the withdrawal of a root key takes
 * effect. A KEK that gets too old is dropped but not disposed, because it may be in use.
 *
 * A KEK that is destroyed elsewhere is dropped within ten seconds. While `destroyedAmong` fails, or after a
 * pause of this process, all KEKs are dropped one minute after the last answer, before the next use.
 *
 * @param destroyedAmong returns the tenants whose keys are destroyed according to the database.
 * @param clock monotonic milliseconds; the process's clock by default.
 */
export function createKeyCache({
  destroyedAmong,
  maxAgeMs = FIFTEEN_MINUTES_MS,
  clock = () => performance.now(),
}: {
  destroyedAmong: (tenantIds: readonly string[]) => Promise<readonly string[]>;
  maxAgeMs?: number;
  clock?: () => number;
}): KeyCache {
  // In order of opening, oldest first.
  const cached = new Map<string, Cached>();
  let confirmedAtMs = clock();
  let checking = false;

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
    // Also while it is being opened. If that fails, there is nothing to dispose, and its own caller gets the
    // error.
    entry.kek.then(
      (kek) => kek.dispose(),
      () => {},
    );
  };

  const clear = (): void => {
    for (const [key, entry] of cached) dispose(key, entry);
    confirmedAtMs = clock();
  };
  const dropUnconfirmed = (): void => {
    if (clock() - confirmedAtMs >= MAX_UNCONFIRMED_MS) clear();
  };
  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      sweep();
      const askedAtMs = clock();
      const tenantIds = new Set([...cached.values()].map((entry) => entry.tenantId));
      const destroyed = new Set(tenantIds.size === 0 ? [] : await destroyedAmong([...tenantIds]));
      for (const [key, entry] of cached) if (destroyed.has(entry.tenantId)) dispose(key, entry);
      confirmedAtMs = Math.max(confirmedAtMs, askedAtMs);
    } catch {
      // The database is unavailable, which is reported elsewhere.
      dropUnconfirmed();
    } finally {
      checking = false;
    }
  };
  setInterval(() => void check(), CHECK_MS).unref();

  return {
    check,
    get(tenantId, kekId, open) {
      sweep();
      dropUnconfirmed();
      const key = JSON.stringify([tenantId, kekId]);
      const found = cached.get(key);
      if (found !== undefined) return found.kek;
      const entry: Cached = { tenantId, kek: openChecked(tenantId, kekId, open), openedAtMs: clock() };
      cached.set(key, entry);
      entry.kek.catch(() => forget(key, entry));
      return entry.kek;
    },
    drop(tenantId, kekId) {
      const key = JSON.stringify([tenantId, kekId]);
      const entry = cached.get(key);
      if (entry !== undefined) dispose(key, entry);
    },
    clear,
  };
}

async function openChecked(tenantId: string, kekId: string, open: () => Promise<Kek>): Promise<Kek> {
  const kek = await open();
  if (kek.tenantId === tenantId && kek.kekId === kekId) return kek;
  kek.dispose();
  throw new TypeError('the key cache received another key than it requested');
}
