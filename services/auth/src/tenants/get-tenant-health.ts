import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { TenantsDeps } from './deps.ts';
import type { TenantStore } from './tenant-stores.ts';
import { readTenant } from './tenant-view.ts';

const TIMEOUT_MS = 2_000;

interface Part extends tenants.TenantPart {
  readonly lastActivityAt: string | undefined;
}

/** Asks every service. A service that does not answer is listed with this problem and without numbers. */
export function getTenantHealth(deps: TenantsDeps): Handler<typeof tenants.TenantsService.getTenantHealth> {
  return async (request) => {
    const id = request.tenantId;
    const tenant = await readTenant(deps, id);
    const wanted = tenant.status === 'suspending' ? 'suspended' : tenant.status;
    const parts = await Promise.all([
      ownPart(deps, id, wanted, tenant.version),
      ...deps.tenantPeers.stores.map((store) => askStore(deps, store, id)),
    ]);
    const wrong = parts.some((part) => !part.answered || part.standing !== wanted);
    return {
      tenantId: id,
      status: wrong ? 'degraded' : wanted === 'active' ? 'healthy' : 'inactive',
      lastActivityAt: parts
        .map((part) => part.lastActivityAt)
        .filter((at) => at !== undefined)
        .sort()
        .at(-1),
      parts: parts.map(({ lastActivityAt: _, ...part }) => part),
    };
  };
}

async function ownPart(deps: TenantsDeps, id: string, status: string, version: number): Promise<Part> {
  const { rows } = await deps.database.readTenant(id, (reader) =>
    sql<{ users: number; sessions: number; api_tokens: number; last_activity_at: Date | null }>`SELECT
      (SELECT count(*) FROM users WHERE deleted_at IS NULL) AS users,
      (SELECT count(*) FROM sessions WHERE kind = 'user' AND revoked_at IS NULL AND expires_at > now()) AS sessions,
      (SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL AND expires_at > now()) AS api_tokens,
      (SELECT max(last_seen_at) FROM sessions) AS last_activity_at`.execute(reader),
  );
  const { users, sessions, api_tokens, last_activity_at } = rows[0]!;
  return {
    service: 'auth',
    answered: true,
    standing: status,
    version,
    measures: Object.entries({ users, sessions, apiTokens: api_tokens }).map(([name, value]) => ({
      name,
      value,
    })),
    problem: '',
    lastActivityAt: last_activity_at?.toISOString(),
  };
}

async function askStore(deps: TenantsDeps, store: TenantStore, tenantId: string): Promise<Part> {
  const { service } = store;
  try {
    const answer = await store.client.describe({}, { tenantId, timeoutMs: TIMEOUT_MS });
    const { status, version, measures, lastActivityAt } = answer;
    return { service, answered: true, standing: status, version, measures, problem: '', lastActivityAt };
  } catch (error) {
    deps.logger.warn({ err: error, service, tenantId }, 'a service did not report the state of a tenant');
    return {
      service,
      answered: false,
      standing: '',
      version: 0,
      measures: [],
      problem: 'did not answer',
      lastActivityAt: undefined,
    };
  }
}
