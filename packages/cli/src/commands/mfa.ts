import type { Command } from 'commander';
import { CliProblem } from '../api/cli-problem.ts';
import { nounCommand, peopleCommand, withConnectionOptions } from '../command-options.ts';
import { fieldsText } from '../contract/cells.ts';
import { askHidden, readSecretLine } from '../io/secret-input.ts';
import { type OutputFormat, showJson } from '../io/show.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from '../session/connection.ts';
import { type Session, type TokenAnswer, withSession } from '../session/session.ts';
import { type CodeOptions, codeOf, keepTokens, requireProfile, withStepUp } from '../session/step-up.ts';

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
    'make a second factor for an authenticator app; it counts once it is confirmed',
    'claviger mfa setup',
  );
  setup.option(
    '--password-stdin',
    'read the password from standard input; else it is asked for when the sign-in was over five minutes ago',
  );
  withConnectionOptions(setup).action(setupMfa);
  for (const [verb, description, run] of [
    ['confirm', 'confirm it with a code of the app; shows the recovery codes, once', confirmMfa],
    ['prove', 'prove it again: commands that need a recent one work for ten minutes', proveMfa],
    ['disable', 'switch it off', disableMfa],
    ['recovery-codes', 'make new recovery codes, which end the old ones', replaceRecoveryCodes],
  ] as const) {
    const command = peopleCommand(noun, verb, description, `claviger mfa ${verb}`).option(
      '--code-stdin',
      'read the code from standard input; else it is asked for where one is needed',
    );
    withConnectionOptions(command).action(run);
  }
}

export interface SetupMfaOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
}

/** The command `mfa setup`: a pending factor, whose secret is shown this once. */
export function setupMfa(options: SetupMfaOptions): Promise<void> {
  return withSession(options, async ({ invoke, format }) => {
    const factor = await newFactor(invoke, options);
    if (format === 'json') return showJson(factor);
    say(fieldsText(FACTOR, factor));
    tell('enter one of them in an authenticator app, then: claviger mfa confirm');
  });
}

/** A session that signed in more than five minutes ago needs the password once more. */
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

/** The command `mfa confirm`: a code of the app makes the pending factor count; shows the recovery codes. */
export function confirmMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection, format }) => {
    requireProfile(connection);
    const answer = await invoke<VerifyAnswer>('VerifyMfa', { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is on');
    if (answer.recoveryCodes.length > 0) showCodes(answer.recoveryCodes, format);
  });
}

/** The command `mfa prove`: what needs a recent second factor works for the next ten minutes. */
export function proveMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection }) => {
    requireProfile(connection);
    const answer = await invoke<TokenAnswer>('CompleteMfaChallenge', { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is proved for ten minutes');
  });
}

/** The command `mfa disable`. */
export function disableMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ invoke, connection }) => {
    await withStepUp({ connection, invoke }, options, () => invoke('DisableMfa', {}));
    tell('the second factor is off');
  });
}

/** The command `mfa recovery-codes`: new ones, which end the old ones. */
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
  tell('recovery codes, shown once; each replaces the second factor one time. Keep them apart from it:');
  for (const code of recoveryCodes) say(code);
}
