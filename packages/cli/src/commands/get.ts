import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { GetOptions } from '../people/receive-credential.ts';
import { withSecretOutput } from '../people/secret-options.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'get <grant-or-request-id>',
    'receive the credential of a grant; a one-time one comes once',
    'claviger get 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --output-file ./db.password --receipt-file ./db.receipt',
  );
  withConnectionOptions(withSecretOutput(command)).action(async (id: string, options: GetOptions) => {
    const { receiveCredential } = await import('../people/receive-credential.ts');
    process.exitCode = await receiveCredential(id, options);
  });
}
