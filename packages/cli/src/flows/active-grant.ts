import { orNotFound } from '@claviger/api-client/or-not-found';
import { pollUntil } from '@claviger/api-client/poll';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Running } from '../contract/noun.ts';
import type { AccessRequest } from '../contract/request-view.ts';
import { outcomeOf } from './request-access.ts';

type Invoke = Running['invoke'];

/**
 * The id of an active grant, from its own id or the id of its request. Throws for a request that is not
 * approved, with exit code 4 while it is pending, else 3.
 */
export async function activeGrant(invoke: Invoke, id: string): Promise<string> {
  const direct = await orNotFound(invoke('GetGrant', { grantId: id }));
  if (direct !== undefined) return untilActive(invoke, id);
  const { request } = await invoke<{ request: AccessRequest }>('GetRequest', { requestId: id });
  const { text, exitCode } = outcomeOf(request);
  if (exitCode !== EXIT.ok) throw new CommandError(text, exitCode);
  return untilActive(invoke, request.grantId);
}

/** Waits until the vault has the entitlement of the grant, a moment after the approval. */
async function untilActive(invoke: Invoke, grantId: string): Promise<string> {
  const read = async () => (await invoke<{ grant: { status: string } }>('GetGrant', { grantId })).grant;
  const grant = await pollUntil(read, ({ status }) => status !== 'activating', {
    timeoutMs: 30_000,
    everyMs: 500,
  });
  if (grant.status === 'activating')
    throw new CommandError('the grant is not active yet: try again in a minute', EXIT.pending);
  return grantId;
}
