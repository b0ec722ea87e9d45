import * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { ClavigerError } from '@claviger/errors';
import { leafHash } from '@claviger/merkle';
import type { BaseConfig, Peers } from '@claviger/service-kit';
import { messageDigest } from './message-digest.ts';
import type { Arrival } from './publisher.ts';

/** An audit event of the outbox, in the form that the audit service stores. */
export type PublishedEvent = tenantLog.PublishedEvent;

/** Returns the indexes of the events that the audit service has not stored. */
export type FindMissing = (events: readonly PublishedEvent[]) => Promise<readonly number[]>;

const ASK_TIMEOUT_MS = 5_000;
/** The call concerns events of all tenants. */
const OF_NO_TENANT = '00000000-0000-0000-0000-000000000000';

export function missingMessages(find: FindMissing): Arrival['missing'] {
  return async (messages) => {
    const places = await find(
      messages.map((message) => ({
        tenantId: message.tenantId,
        id: message.eventId,
        leafHash: leafHash(message.payload),
        messageDigest: messageDigest(message),
      })),
    );
    return places.map((place) => messages[place]!);
  };
}

/**
 * @throws {ClavigerError} `unavailable` while the audit service does not answer; the rows then stay in the
 * outbox.
 */
export async function askMissingEvents(
  config: Pick<BaseConfig, 'peers'>,
  peers: Peers,
  events: readonly PublishedEvent[],
): Promise<readonly number[]> {
  if (!config.peers.audit)
    throw new ClavigerError(
      'unavailable',
      'No audit service is configured: add its addresses to `peers.audit`.',
    );
  const client = peers.client('audit', tenantLog.TenantLogService);
  const { missing } = await client.findMissingEvents(
    { events: [...events] },
    { tenantId: OF_NO_TENANT, timeoutMs: ASK_TIMEOUT_MS },
  );
  return missing;
}
