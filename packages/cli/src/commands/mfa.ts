import { CliProblem } from '@claviger/api-client/cli-problem';
import type { ConnectionOptions } from '@claviger/api-client/connection';
import { type Session, type TokenAnswer, withSession } from '@claviger/api-client/session';
import {
  type CodeOptions,
  codeOf,
  keepTokens,
  requireProfile,
  withStepUp,
} from '@claviger/api-client/step-up';
import { nounCommand, peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { say, tell } from '@claviger/terminal/output';
import { askHidden, readSecretLine } from '@claviger/terminal/secret-input';
import { type OutputFormat, showJson } from '@claviger/terminal/show';
import type { Command } from 'commander';
import { fieldsText } from '../contract/cells.ts';

/** A new second factor, as it is shown. */
export const FACTOR = ['secret  secret', 'address  otpauthUri'];

interface VerifyAnswer extends TokenAnswer {
  readonly recoveryCodes: readonly string[];
}

export function register(program: Command): void {
  const noun = nounCommand(program, 'mfa', 'your own second factor');
  const setup = peopleCommand(
    noun,
    'setup',
    'create a second factor for an authenticator app; it takes effect after `mfa confirm`',
    'claviger mfa setup',
  );
  setup.option(
    '--password-stdin',
    'read the password from standard input; otherwise a prompt asks for it if the sign-in is older than five minutes',
  );
  withConnectionOptions(setup).action(setupMfa);
  for (const [verb, description, run] of [
    [
      'confirm',
      'confirm the second factor with a code of the app; shows the recovery codes once',
      confirmMfa,
    ],
    [
      'prove',
      'use the second factor again: commands that require a recent one then work for ten minutes',
      proveMfa,
    ],
    ['disable', 'disable the second factor', disableMfa],
    ['recovery-codes', 'create new recovery codes; the old ones stop working', replaceRecoveryCodes],
  ] as const) {
    const command = peopleCommand(noun, verb, description, `claviger mfa ${verb}`).option(
      '--code-stdin',
      'read the code from standard input; otherwise a prompt asks for it if it is required',
    );
    withConnectionOptions(command).action(run);
  }
}

export interface SetupMfaOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
}

/** The command `mfa setup`: creates a pending factor and shows its secret once. */
export function setupMfa(options: SetupMfaOptions): Promise<void> {
  return withSession(options, async ({ invoke, format }) => {
    const factor = await newFactor(invoke, options);
    if (format === 'json') return showJson(factor);
    say(fieldsText(FACTOR, factor));
    tell('enter the secret or the address in an authenticator app, then run: claviger mfa confirm');
  });
}

/** Creates a factor; asks for the password if the sign-in is older than five minutes. */
async function newFactor(invoke: Session['invoke'], { passwordStdin }: SetupMfaOptions) {
  const withPassword = (password: string) => invoke('SetupMfaWithPassword', { password });
  if (passwordStdin) return withPassword(await readSecretLine('password'));
  try {
    return await invoke('SetupMfa', {});
  } catch (error) {
    if (!(error instanceof CliProblem) || error.code !== 'password_required') throw error;
    return withPassword(await askHidden('Your password: ', 'give the password with --password-stdin'));
  }
}

/**
 * The command `mfa confirm`: confirms the pending factor with a code of the app; shows the recovery codes.
 */
export function confirmMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection, format }) => {
    requireProfile(connection);
    const answer = await invoke<VerifyAnswer>('VerifyMfa', { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is on');
    if (answer.recoveryCodes.length > 0) showCodes(answer.recoveryCodes, format);
  });
}

/** The command `mfa prove`: a step-up of the session, which lasts ten minutes. */
export function proveMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection }) => {
    requireProfile(connection);
    const answer = await invoke<TokenAnswer>('CompleteMfaChallenge', { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is recent for ten minutes');
  });
}

/** The command `mfa disable`. */
export function disableMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection }) => {
    await withStepUp({ connection, invoke }, options, () => invoke('DisableMfa', {}));
    tell('the second factor is off');
  });
}

/** The command `mfa recovery-codes`: creates new codes; the old ones stop working. */
export function replaceRecoveryCodes(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection, format }) => {
    const answer = await withStepUp({ connection, invoke }, options, () =>
      invoke<VerifyAnswer>('RegenerateRecoveryCodes', {}),
    );
    showCodes(answer.recoveryCodes, format);
  });
}

/** Recovery codes, which are shown once. */
export function showCodes(recoveryCodes: readonly string[], format: OutputFormat): void {
  if (format === 'json') return showJson({ recoveryCodes });
  tell('recovery codes, shown once; each replaces the second factor once. Keep them apart from it:');
  for (const code of recoveryCodes) say(code);
}
