import type * as updates from '@claviger/contracts/auth/v1/updates';
import * as schema from '@claviger/contracts/cluster/v1/schema';
import { isClavigerError } from '@claviger/errors';
import type { CallContext, Logger, Peers } from '@claviger/service-kit';

/** Reads the schema histories of all services with a database. */
export type SchemaHistories = (context: CallContext) => Promise<updates.SchemaStatus[]>;

type History = schema.GetSchemaHistoryResponse;

const OTHERS = ['vault', 'workflow', 'audit'] as const;
const TIMEOUT_MS = 3_000;

/** Creates the reader; `own` returns auth's history. */
export function schemaHistories(options: {
  peers: Peers;
  /** Whether the configuration names an address of the service. */
  hasPeer: (service: (typeof OTHERS)[number]) => boolean;
  own: () => Promise<History>;
  logger: Logger;
}): SchemaHistories {
  const { peers, logger } = options;
  return (context) => {
    const others = OTHERS.map(async (service) => {
      if (!options.hasPeer(service)) return unknown(service);
      const client = peers.client(service, schema.SchemaService);
      try {
        const history = await client.getSchemaHistory(
          {},
          { timeoutMs: TIMEOUT_MS, requestId: context.requestId, signal: context.signal },
        );
        return { service, known: true, ...history };
      } catch (error) {
        if (!isClavigerError(error)) throw error;
        logger.warn({ err: error, service }, 'a service did not report the history of its schema');
        return unknown(service);
      }
    });
    const own = options.own().then((history) => ({ service: 'auth', known: true, ...history }));
    return Promise.all([own, ...others]);
  };
}

const unknown = (service: string): updates.SchemaStatus => ({
  service,
  known: false,
  applied: [],
  pending: [],
  newer: [],
});
