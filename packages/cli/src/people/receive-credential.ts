import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';
import type { ConnectionOptions } from './connection.ts';
import { orNotFound } from './find-by-name.ts';
import { pollUntil } from './poll.ts';
import { outcomeOf } from './request-access.ts';
import type { SecretOutputOptions } from './secret-options.ts';
import { prepareSecretOutput } from './secret-output.ts';
import { withSession } from './session.ts';

export type GetOptions = ConnectionOptions & SecretOutputOptions;

const { getGrant, getGrantCredentials } = workflow.GrantsService;

/** The command `get`. A request that is not approved gives no secret: exit code 4 while it is pending, 3 else. */
export function receiveCredential(id: string, options: GetOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const output = await prepareSecretOutput(options, format);
    const received = await receive(api, id).catch(async (error: unknown) => {
      await output.abandon();
      throw error;
    });
    if (typeof received === 'number') {
      await output.abandon();
      return received;
    }
    // From here on the files stay: what is in them may be the only copy.
    await output.deliver(received);
    return EXIT.ok;
  });
}

async function receive(api: ApiClient, id: string): Promise<workflow.GetGrantCredentialsResponse | ExitCode> {
  const grantId = await grantOf(api, id);
  return typeof grantId === 'number' ? grantId : api.call(getGrantCredentials, { grantId });
}

/** The id of an active grant, from its own id or its request's; or the exit code when there is none yet. */
async function grantOf(api: ApiClient, id: string): Promise<string | ExitCode> {
  const direct = await orNotFound(api.call(getGrant, { grantId: id }));
  if (direct !== undefined) return untilActive(api, id);
  const { request } = await api.call(workflow.RequestsService.getRequest, { requestId: id });
  if (request!.status !== 'approved') return outcomeOf(request!);
  return untilActive(api, request!.grantId);
}

/** A grant is usable as soon as the vault knows of it, a moment after the approval. */
async function untilActive(api: ApiClient, grantId: string): Promise<string> {
  const read = async () => (await api.call(getGrant, { grantId })).grant!;
  const grant = await pollUntil(read, ({ status }) => status !== 'activating', {
    timeoutMs: 30_000,
    everyMs: 500,
  });
  if (grant.status === 'activating')
    throw new CommandError('the grant is not active yet: try again in a minute', EXIT.pending);
  return grantId;
}
