import { schema, type updates } from '@claviger/contracts';
import { isClavigerError } from '@claviger/errors';
import type { CallContext, Logger, Peers } from '@claviger/service-kit';

/** The histories of all services that keep state. */
export type SchemaHistories = (context: CallContext) => Promise<updates.SchemaStatus[]>;

type History = schema.GetSchemaHistoryResponse;

const OTHERS = ['vault', 'workflow', 'audit'] as const;
const TIMEOUT_MS = 3_000;

/** Asks the others for theirs; `own` is auth's. */
export function schemaHistories(peers: Peers, own: () => Promise<History>, logger: Logger): SchemaHistories {
  return async (context) => {
    const others = OTHERS.map(async (service) => {
      const client = peers.client(service, schema.SchemaServiceService);
      try {
        const history = await client.getSchemaHistory(
          {},
          { timeoutMs: TIMEOUT_MS, requestId: context.requestId, signal: context.signal },
        );
        return { service, known: true, ...history };
      } catch (error) {
        if (!isClavigerError(error)) throw error;
        logger.warn({ err: error, service }, 'a service did not tell the history of its schema');
        return { service, known: false, applied: [], pending: [], newer: [] };
      }
    });
    return [{ service: 'auth', known: true, ...(await own()) }, ...(await Promise.all(others))];
  };
}
