import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { invalidToken } from '../sign-in/access-token.ts';
import { endAgentTokens } from './agent-tokens-store.ts';

export interface FoundAgent {
  readonly tenantId: string;
  readonly agentTokenHash: Buffer;
}

/**
 * Reads the agent of a token from the current rows of token, device and tenant. The first use of a token ends
 * the device's other tokens, because the agent has received the new one. Returns in `ended` the token ids to
 * revoke at gateways. Throws `unauthenticated`.
 */
export async function readAgent(
  tx: Tx<AuthSchema>,
  found: FoundAgent,
  touchSeconds: number,
): Promise<{ actor: Actor; epoch: number; ended: readonly string[] }> {
  let row = await readRow(tx, found, touchSeconds);
  let ended: readonly string[] = [];
  if (!row.used) {
    // Serialises first use and rotation.
    await tx.selectFrom('devices').select('id').where('id', '=', row.device_id).forNoKeyUpdate().execute();
    row = await readRow(tx, found, touchSeconds);
    if (!row.used) {
      await tx
        .updateTable('agent_tokens')
        .set({ first_used_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', row.token_id)
        .execute();
      ended = await endAgentTokens(tx, row.device_id, 'replaced', row.token_id);
    }
  }
  if (row.stale) {
    await tx
      .updateTable('devices')
      .set({ last_seen_at: sql<Date>`now()` })
      .where('id', '=', row.device_id)
      .execute();
  }
  const actor: Actor = {
    userId: row.device_id,
    userName: row.hostname,
    tenantId: found.tenantId,
    platform: row.platform,
    sessionId: row.token_id,
    kind: 'agent',
    permissions: new Set(),
    roles: [],
    mfaPending: false,
    mfaAt: 0,
    device: { siteId: row.site_id, siteName: row.site_name ?? '' },
  };
  return { actor, epoch: row.epoch, ended };
}

async function readRow(tx: Tx<AuthSchema>, found: FoundAgent, touchSeconds: number) {
  const row = await tx
    .selectFrom('agent_tokens')
    .innerJoin('devices', 'devices.id', 'agent_tokens.device_id')
    .innerJoin('tenants', 'tenants.id', 'agent_tokens.tenant_id')
    .leftJoin('sites', 'sites.id', 'devices.site_id')
    .select([
      'agent_tokens.id as token_id',
      'devices.id as device_id',
      'devices.hostname',
      'devices.site_id',
      'sites.name as site_name',
      'devices.epoch',
      'tenants.platform',
      sql<boolean>`agent_tokens.first_used_at IS NOT NULL`.as('used'),
      sql<boolean>`agent_tokens.revoked_at IS NOT NULL OR devices.status <> 'active' OR tenants.status <> 'active'`.as(
        'revoked',
      ),
      sql<boolean>`coalesce(agent_tokens.expires_at <= clock_timestamp(), false)`.as('expired'),
      sql<boolean>`devices.last_seen_at IS NULL
        OR devices.last_seen_at < now() - make_interval(secs => ${touchSeconds})`.as('stale'),
    ])
    .where('agent_tokens.token_hash', '=', found.agentTokenHash)
    .executeTakeFirst();
  if (!row) throw invalidToken();
  if (row.revoked) throw agentTokenEnded();
  if (row.expired) throw agentTokenEnded('session_expired');
  return row;
}

export function agentTokenEnded(
  code: 'session_revoked' | 'session_expired' = 'session_revoked',
): ClavigerError {
  return new ClavigerError('unauthenticated', 'The token of this agent is no longer valid.', {
    code,
    hint: 'Use the newest token of the device, or ask an administrator to rotate it.',
  });
}
