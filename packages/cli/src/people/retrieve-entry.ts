import * as vault from '@claviger/contracts/vault/v1/vault';
import type { ConnectionOptions } from './connection.ts';
import { entryId } from './find-by-name.ts';
import type { SecretOutputOptions } from './secret-options.ts';
import { prepareSecretOutput } from './secret-output.ts';
import { withSession } from './session.ts';

export interface RetrieveOptions extends ConnectionOptions, SecretOutputOptions {
  readonly reason?: string;
  readonly ticket?: string;
  readonly entryVersion?: number;
}

/** The command `entries retrieve`. */
export function retrieveEntry(name: string, options: RetrieveOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { reason = '', ticket = '', entryVersion } = options;
    const output = await prepareSecretOutput(options, format);
    const ask = async () =>
      api.call(vault.EntriesService.retrieveEntry, {
        entryId: await entryId(api, name),
        reason,
        ticket,
        ...(entryVersion === undefined ? {} : { version: entryVersion }),
      });
    const answer = await ask().catch(async (error: unknown) => {
      await output.abandon();
      throw error;
    });
    await output.deliver(answer);
  });
}
