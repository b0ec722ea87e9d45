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
 * Carries out what an operator orders for a node, with its audit event: the event is written first, and committed only
 * if the service did it, so that a refused order leaves the event of a refusal alone. `work` gets the client of the
 * service, or undefined for auth itself; it takes less time than a transaction may wait.
 */
export async function changing<R>(
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
    throw new ClavigerError('unavailable', `No address of ${service} is known here.`, {
      hint: 'The configuration of auth names its peers.',
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
