import { randomUUID } from 'node:crypto';
import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AgentTokenEnd, AuthSchema } from '../schema.ts';
import { newAgentToken } from '../sign-in/bearer-secrets.ts';
import type { LiveSession } from '../sign-in/liveness.ts';

/** By the clock of now: a transaction may have waited for its lock. */
export const isLiveToken = sql<boolean>`agent_tokens.revoked_at IS NULL
  AND (agent_tokens.expires_at IS NULL OR agent_tokens.expires_at > clock_timestamp())`;

/** A new token of a device whose row the caller has locked or just made. It is shown once; its SHA-256 stays. */
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
      // Of the time after the lock: the newest is the one made last.
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
 * Ends the tokens of a device, but for `exceptId`. Answers every one that a gateway might still remember, also those that
 * ended a moment ago: telling twice does no harm, forgetting one would.
 */
export async function endAgentTokens(
  tx: Tx<AuthSchema>,
  deviceId: string,
  because: AgentTokenEnd,
  exceptId?: string,
): Promise<string[]> {
  await tx
    .updateTable('agent_tokens')
    .set({ revoked_at: sql<Date>`clock_timestamp()`, revoked_reason: because })
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

/** Raises the epoch of devices whose claims changed; answers their live tokens, to be told to gateways. */
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
