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
  /**
   * Drops what is too old, and asks whether keys were destroyed. It runs by itself every ten seconds; what fails is asked
   * again.
   */
  check(): Promise<void>;
  /** Drops and disposes all, those being opened included: sealing. */
  clear(): void;
};

type Cached = { readonly tenantId: string; readonly kek: Promise<Kek>; readonly openedAtMs: number };

const FIFTEEN_MINUTES_MS = 15 * 60 * 1000;
const CHECK_MS = 10_000;
/** A key of which nobody knows for so long whether it was destroyed is neither used nor kept. */
const MAX_UNCONFIRMED_MS = 60_000;

/**
 * Keeps opened KEKs for at most `maxAgeMs` (default 15 minutes), so that a root key that was withdrawn takes effect.
 * A KEK that grows too old is forgotten but not disposed, since someone may just be using it.
 *
 * A KEK that is destroyed elsewhere is dropped within ten seconds. While `destroyedAmong` fails, or after this process stood
 * still, all KEKs are dropped one minute after the last answer, before one is used.
 *
 * @param destroyedAmong which of these tenants have had their keys destroyed, by the database.
 * @param clock milliseconds that never go back; by default those of the process.
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
  // In the order of opening, so that the oldest come first.
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
    // Also when it is still being opened. One that fails to open needs no disposing, and tells its own caller.
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
      // The database is away, which others report.
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
  throw new TypeError('the key cache was given another key than it asked for');
}
