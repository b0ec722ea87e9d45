import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { ClusterDeps, ReplicasClient } from './deps.ts';

interface Order {
  readonly service: string;
  readonly node: string;
  readonly reason: string;
  readonly force?: boolean;
}

/**
 * Executes an operator's order for a node together with its audit event. The event is committed only if
 * `work` succeeds; a refused order leaves only the event of the refusal. `work` gets the client of the
 * service, undefined for auth itself, and must finish within the limit of a transaction.
 */
export async function executeOrder<R>(
  deps: ClusterDeps,
  context: CallContext,
  request: Order,
  work: (client: ReplicasClient | undefined) => Promise<R>,
): Promise<R> {
  const { service, node, reason, force } = request;
  const subject = { type: 'node', id: `${service}/${node}` };
  context.auditSubject = subject;
  const client = deps.otherReplicas.get(service);
  if (!client && service !== 'auth') {
    throw new ClavigerError('unavailable', `Auth has no address of ${service}.`, {
      hint: 'Add the service to `peers` in the configuration of auth.',
    });
  }
  return deps.database.withTenant(context.tenantId, async (tx) => {
    await deps.emitter.audit(tx, context, {
      subject,
      request,
      details: { service, node, reason, ...(force === undefined ? {} : { force }) },
    });
    return work(client);
  });
}
