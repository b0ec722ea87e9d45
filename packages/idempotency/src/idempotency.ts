import { createHash, createHmac, hkdfSync, randomUUID } from 'node:crypto';
import type { MessageInfo, MethodInfo } from '@claviger/contracts';
import type { Database } from '@claviger/database';
import type { IdempotencyGuard, IdempotentCall } from '@claviger/service-kit';
import { sql } from 'kysely';
import { inProgress, keyReused, replayed } from './refusals.ts';

interface KeyRow {
  claim_id: string;
  request_digest: Buffer;
  subject_type: string;
  subject_id: string;
  keeps_answer: boolean;
  answer: Buffer | null;
  is_recent: boolean;
}

/**
 * Stores the idempotency keys of one service, for its call pipeline. `macKey` is the service's own key, the
 * same in all replicas; request digests use a key derived from it.
 */
export function createIdempotency<DB>(options: {
  readonly database: Database<DB>;
  readonly macKey: Buffer;
}): IdempotencyGuard {
  const { database } = options;
  const digestKey = Buffer.from(hkdfSync('sha256', options.macKey, '', 'claviger idempotency v1', 32));
  const keeps = new Map<MethodInfo, boolean>();
  return {
    callOf: ({ method, actor }, key, request): IdempotentCall => {
      let keepsAnswer = keeps.get(method);
      if (keepsAnswer === undefined) {
        keepsAnswer = mayKeepAnswer(method);
        keeps.set(method, keepsAnswer);
      }
      return {
        actorId: actor.userId,
        keyDigest: createHash('sha256').update(key).digest(),
        requestDigest: createHmac('sha256', digestKey)
          .update(method.path)
          .update('\n')
          .update(request)
          .digest(),
        claimId: randomUUID(),
        keepsAnswer,
      };
    },
    find: async (tenantId, call) => {
      const { rows } = await database.readTenant(tenantId, (reader) =>
        sql<KeyRow>`
          SELECT claim_id, request_digest, subject_type, subject_id, keeps_answer, answer,
            created_at > now() - interval '5 seconds' AS is_recent
          FROM idempotency_keys
          WHERE tenant_id = ${tenantId} AND actor_id = ${call.actorId} AND key_digest = ${call.keyDigest}
            AND created_at >= now() - interval '24 hours'`.execute(reader),
      );
      const [row] = rows;
      if (!row || row.claim_id === call.claimId) return undefined;
      if (!row.request_digest.equals(call.requestDigest)) throw keyReused();
      if (row.answer) return row.answer;
      // The answer follows the commit within milliseconds; after five seconds it will not come.
      if (row.keeps_answer && row.is_recent) throw inProgress();
      throw replayed({ type: row.subject_type, id: row.subject_id });
    },
    keep: async (tenantId, call, answer) => {
      if (!call.keepsAnswer) return;
      await database.withTenant(tenantId, (tx) =>
        sql`
          UPDATE idempotency_keys SET answer = ${answer}
          WHERE tenant_id = ${tenantId} AND actor_id = ${call.actorId} AND key_digest = ${call.keyDigest}
            AND claim_id = ${call.claimId}`.execute(tx),
      );
    },
    // A service may not delete rows. A row of this age is ignored, and the clean-up deletes it.
    release: async (tenantId, call) => {
      await database.withTenant(tenantId, (tx) =>
        sql`
          UPDATE idempotency_keys SET created_at = now() - interval '25 hours'
          WHERE tenant_id = ${tenantId} AND actor_id = ${call.actorId} AND key_digest = ${call.keyDigest}
            AND claim_id = ${call.claimId}`.execute(tx),
      );
    },
  };
}

/** Only an answer whose fields are all public may be stored. */
export function mayKeepAnswer(method: MethodInfo): boolean {
  return !method.policy!.discloses && isPublic(method.response, new Set());
}

function isPublic(info: MessageInfo, within: ReadonlySet<MessageInfo>): boolean {
  if (within.has(info)) return true;
  const inside = new Set([...within, info]);
  return info.fields.every(
    (field) =>
      field.public &&
      // A caller can put any data into these.
      field.kind !== 'struct' &&
      field.kind !== 'bytes' &&
      !field.map &&
      (!field.message || isPublic(field.message, inside)),
  );
}
