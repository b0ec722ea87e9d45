import type { Logger } from '@claviger/service-kit';
import { type SectionName, type SectionValues, sections } from './sections.ts';

/**
 * The answer of auth. `values` is by section and key, without defaults; absent when nothing changed since
 * `knownVersion`.
 */
export interface ReadSettings {
  readonly version: string;
  readonly values: Readonly<Record<string, unknown>> | undefined;
}

/** Reads settings from auth. Throws when auth is unavailable. */
export type SettingsSource = (request: {
  readonly tenantId: string;
  readonly sections: readonly SectionName[];
  /** Empty at first. */
  readonly knownVersion: string;
}) => Promise<ReadSettings>;

export interface Settings<N extends SectionName> {
  /** Changes whenever a value changes. */
  readonly version: string;
  readonly values: SectionValues<N>;
}

export interface SettingsReader<N extends SectionName> {
  /**
   * The settings of a tenant, at most five seconds old. While auth is unavailable, the last known ones;
   * throws `unavailable` when none are known. A caller that prefers defaults catches that and uses
   * `sections.<name>.defaults`. `maxAgeMs: 0` always reads from auth, e.g. after a change.
   */
  read(tenantId: string, options?: { readonly maxAgeMs?: number }): Promise<Settings<N>>;
}

export interface SettingsReaderOptions<N extends SectionName> {
  readonly source: SettingsSource;
  readonly sections: readonly N[];
  readonly logger: Logger;
  /** How long an answer is reused, in milliseconds; 5,000 by default. 0 checks the version every time. */
  readonly freshMs?: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

const FRESH_MS = 5_000;
/** Above this limit, the least recently read tenant is dropped. */
const MAX_TENANTS = 2_000;

interface Known<N extends SectionName> {
  settings: Settings<N> | undefined;
  askedAt: number;
  asking: Promise<Settings<N>> | undefined;
}

/** Reads sections through `source`, once per tenant and five seconds for any number of callers. */
export function createReader<N extends SectionName>(options: SettingsReaderOptions<N>): SettingsReader<N> {
  const freshMs = options.freshMs ?? FRESH_MS;
  const now = options.now ?? (() => performance.now());
  const tenants = new Map<string, Known<N>>();
  let away = false;

  const ask = async (tenantId: string, known: Known<N>): Promise<Settings<N>> => {
    try {
      const answer = await options.source({
        tenantId,
        sections: options.sections,
        knownVersion: known.settings?.version ?? '',
      });
      if (answer.values || !known.settings) {
        known.settings = { version: answer.version, values: parsed(options.sections, answer.values ?? {}) };
      }
      if (away) options.logger.info('the settings can be read again');
      away = false;
    } catch (error) {
      if (!known.settings) throw error;
      if (!away) {
        options.logger.warn({ err: error }, 'cannot read the settings; the last known ones stay in use');
      }
      away = true;
    }
    known.askedAt = now();
    return known.settings;
  };

  return {
    read: (tenantId, { maxAgeMs = freshMs } = {}) => {
      const known = tenants.get(tenantId) ?? { settings: undefined, askedAt: 0, asking: undefined };
      tenants.delete(tenantId);
      tenants.set(tenantId, known);
      if (tenants.size > MAX_TENANTS) tenants.delete(tenants.keys().next().value!);
      if (known.settings && now() - known.askedAt < maxAgeMs) return Promise.resolve(known.settings);
      // A request in progress may be older than the change that the caller wants to see.
      if (maxAgeMs === 0) return ask(tenantId, known);
      known.asking ??= ask(tenantId, known).finally(() => {
        known.asking = undefined;
      });
      return known.asking;
    },
  };
}

function parsed<N extends SectionName>(
  names: readonly N[],
  values: Readonly<Record<string, unknown>>,
): SectionValues<N> {
  return Object.fromEntries(
    names.map((name) => {
      const own = Object.hasOwn(values, name) ? values[name] : {};
      return [name, sections[name].parse(own as Record<string, unknown>)];
    }),
  ) as unknown as SectionValues<N>;
}
