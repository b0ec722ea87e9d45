import { randomUUID } from 'node:crypto';
import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AgentTokenEnd, AuthSchema } from '../schema.ts';
import { newAgentToken } from '../sign-in/bearer-secrets.ts';
import type { LiveSession } from '../sign-in/liveness.ts';

/** Uses clock_timestamp(): the transaction may have waited for its lock since now(). */
export const isLiveToken = sql<boolean>`agent_tokens.revoked_at IS NULL
  AND (agent_tokens.expires_at IS NULL OR agent_tokens.expires_at > clock_timestamp())`;

/**
 * Creates a token for a device whose row the caller has locked or inserted. Returns it; only its SHA-256 is
 * stored.
 */
export async function issueAgentToken(
  tx: Tx<AuthSchema>,
  tenantId: string,
  deviceId: string,
): Promise<string> {
  const { token, hash } = newAgentToken(tenantId);
  await tx
    .insertInto('agent_tokens')
    .values({
      tenant_id: tenantId,
      id: randomUUID(),
      device_id: deviceId,
      token_hash: hash,
      // Taken after the lock, so that the newest row is the last one issued.
      created_at: sql<Date>`clock_timestamp()`,
      first_used_at: null,
      expires_at: null,
      revoked_at: null,
      revoked_reason: null,
    })
    .execute();
  return token;
}

/**
 * Ends the tokens of a device except `exceptId`. Returns the ids of all tokens that ended within 15 minutes,
 * because a gateway may still hold them as alive; revoking one twice is harmless.
 */
export async function endAgentTokens(
  tx: Tx<AuthSchema>,
  deviceId: string,
  cause: AgentTokenEnd,
  exceptId?: string,
): Promise<string[]> {
  await tx
    .updateTable('agent_tokens')
    .set({ revoked_at: sql<Date>`clock_timestamp()`, revoked_reason: cause })
    .where('device_id', '=', deviceId)
    .where('revoked_at', 'is', null)
    .$if(exceptId !== undefined, (query) => query.where('id', '<>', exceptId!))
    .execute();
  const recent = await tx
    .selectFrom('agent_tokens')
    .select('id')
    .where('device_id', '=', deviceId)
    .where(sql<boolean>`revoked_at > now() - interval '15 minutes'`)
    .execute();
  return recent.map((row) => row.id);
}

/**
 * Raises the epoch of devices whose claims changed. Returns their live tokens, which the caller passes to
 * `liveness.raise`.
 */
export async function raiseDevices(
  tx: Tx<AuthSchema>,
  which: 'all' | { readonly deviceId: string } | { readonly siteId: string },
): Promise<LiveSession[]> {
  const raised = tx
    .updateTable('devices')
    .set({ epoch: sql<number>`epoch + 1` })
    .where('status', '=', 'active')
    .$if(which !== 'all' && 'deviceId' in which, (query) =>
      query.where('id', '=', (which as { deviceId: string }).deviceId),
    )
    .$if(which !== 'all' && 'siteId' in which, (query) =>
      query.where('site_id', '=', (which as { siteId: string }).siteId),
    )
    .returning(['id', 'epoch']);
  const rows = await tx
    .with('raised', () => raised)
    .selectFrom('raised')
    .innerJoin('agent_tokens', 'agent_tokens.device_id', 'raised.id')
    .select(['agent_tokens.id', 'raised.epoch'])
    .where(isLiveToken)
    .execute();
  return rows.map((row) => ({ sessionId: row.id, epoch: row.epoch }));
}
