import type { ConnectionOptions } from '@claviger/api-client/connection';
import { orNotFound } from '@claviger/api-client/or-not-found';
import { pollUntil } from '@claviger/api-client/poll';
import { type Session, withSession } from '@claviger/api-client/session';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import {
  type Disclosure,
  prepareSecretOutput,
  type SecretOutputOptions,
} from '@claviger/terminal/secret-output';
import type { Command } from 'commander';
import type { AccessRequest } from '../contract/request-view.ts';
import { outcomeOf } from './request.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'get <grant-or-request-id>',
    'receive the credential of a grant; a one-time credential is delivered once',
    'claviger get 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --output-file ./db.password --receipt-file ./db.receipt',
  )
    .option('--show', 'print the secret on the terminal')
    .option('--output-file <file>', 'write the secret to a new file, readable for you only')
    .option('--receipt-file <file>', 'keep the receipt, for `claviger audit verify --receipt`');
  withConnectionOptions(command).action(async (id: string, options: GetOptions) => {
    process.exitCode = await receiveCredential(id, options);
  });
}

export type GetOptions = ConnectionOptions & SecretOutputOptions;

interface Grant {
  readonly id: string;
  readonly status: string;
}
type Invoke = Session['invoke'];

/** The command `get`. A request that is not approved gives no secret: exit code 4 while pending, else 3. */
export function receiveCredential(id: string, options: GetOptions): Promise<ExitCode> {
  return withSession(options, async ({ invoke, format }) => {
    const output = await prepareSecretOutput(options, format);
    const received = await receive(invoke, id).catch(async (error: unknown) => {
      await output.abandon();
      throw error;
    });
    if (typeof received === 'number') {
      await output.abandon();
      return received;
    }
    // The files are kept from here on: they may contain the only copy.
    await output.deliver(received);
    return EXIT.ok;
  });
}

async function receive(invoke: Invoke, id: string): Promise<Disclosure | ExitCode> {
  const grantId = await grantOf(invoke, id);
  return typeof grantId === 'number' ? grantId : invoke<Disclosure>('GetGrantCredentials', { grantId });
}

/**
 * The id of an active grant, from its own id or the id of its request; or an exit code if there is none yet.
 */
async function grantOf(invoke: Invoke, id: string): Promise<string | ExitCode> {
  const direct = await orNotFound(invoke('GetGrant', { grantId: id }));
  if (direct !== undefined) return untilActive(invoke, id);
  const { request } = await invoke<{ request: AccessRequest }>('GetRequest', { requestId: id });
  if (request.status !== 'approved') return outcomeOf(request);
  return untilActive(invoke, request.grantId);
}

/** Waits until the vault has the entitlement of the grant, a moment after the approval. */
async function untilActive(invoke: Invoke, grantId: string): Promise<string> {
  const read = async () => (await invoke<{ grant: Grant }>('GetGrant', { grantId })).grant;
  const grant = await pollUntil(read, ({ status }) => status !== 'activating', {
    timeoutMs: 30_000,
    everyMs: 500,
  });
  if (grant.status === 'activating')
    throw new CommandError('the grant is not active yet: try again in a minute', EXIT.pending);
  return grantId;
}
